"""Answers in MedCom XML: XCTL02, XCTL03 and the VANS Receipt; XDIS91 and XDIS15; then the bytes of a sending."""

from datetime import datetime

from lxml import etree

from gateway.mapping.medcom import emessage, vans, xctl, xdis15, xdis91
from gateway.mapping.medcom.elements import Children, below, children, text_of
from gateway.mapping.outgoing import Cover, Written, letter_as, medcom_ids, our_gln, receipt_as
from gateway.municipality.model import Municipality
from gateway.referral.letters import Carrier, DischargeNote, Outgoing, Payload, Receipt, StatusLetter
from gateway.referral.reply import Reply

#: where EHMI's register has MedCom's XML letters (dk-ehmi-terminology, ehmi-message-definition-uri)
_REGISTER = "urn:dk:healthcare:medcom:messaging:oioxml:schema:xsd"


def encode(reply: Reply, municipality: Municipality) -> Outgoing:
    """An answer in XML, complete but for the envelope."""
    content = reply.content
    if isinstance(content, Receipt):
        return _receipt(reply, content, municipality)
    assert isinstance(content, StatusLetter | DischargeNote)  # noqa: S101  (teams get FHIR of their own kind)
    return _letter(reply, content, municipality)


def write(letter: Outgoing, envelope_id: str, sent_at: datetime) -> bytes:
    """The Emessage of one transmission.

    Inside a network's envelope it stays the same to the byte, because a resend must have the same content under the
    same message id (facts §7.2); its inner envelope id is the letter id.
    """
    if letter.carrier is Carrier.BARE:
        return emessage.wrap(letter, envelope_id, sent_at)
    return emessage.wrap(letter, letter.letter_id, letter.at)


def cover(letter: Outgoing, _envelope_id: str) -> Cover:
    """What an SBDH says of the letter. Its envelope id is the letter's own: see ``write``."""
    found = children(etree.fromstring(letter.content))
    group = "contrl" if letter.kind.startswith("XCTL") else "meddis"
    return Cover(
        standard=letter.kind,
        version=letter.version,
        root=emessage.ROOT,
        document_id=f"{_REGISTER}:{group}:{letter.kind}:{letter.version}".lower(),
        statistics=letter.kind,
        mime="application/xml",
        encoding=emessage.encoding_of(letter),
        envelope_id=letter.letter_id,
        cpr=text_of(below(found, "Patient"), "CivilRegistrationNumber") or "",
        sender_sor=_sor(below(found, "Sender")),
        receiver_sor=_sor(below(found, "Receiver")),
    )


def _sor(party: Children) -> str:
    return (text_of(party, "Identifier") or "") if text_of(party, "IdentifierCode") == "sorkode" else ""


def _receipt(reply: Reply, receipt: Receipt, municipality: Municipality) -> Outgoing:
    kind, version = (vans.RECEIPT_KIND, vans.RECEIPT_VERSION) if receipt.by_vans else xctl.kind_of(receipt)
    ids = medcom_ids(reply, kind, reply.arrival.sender_gln or "")
    ours = our_gln(reply.arrival, municipality)
    text = vans.encode_receipt(receipt) if receipt.by_vans else xctl.encode(receipt, ids[0], ours)
    written = Written(kind=kind, version=version, payload=Payload.MEDCOM_XML, content=text.encode(), ids=ids)
    return receipt_as(reply, receipt, written, municipality)


def _letter(reply: Reply, letter: StatusLetter | DischargeNote, municipality: Municipality) -> Outgoing:
    receiver = letter.receiver.gln or ""
    if isinstance(letter, StatusLetter):
        kind, version = xdis91.TYPE, municipality.versions.xdis91.get(receiver, xdis91.VERSION)
        ids = medcom_ids(reply, kind, receiver)
        text = xdis91.encode(letter, ids[0], version)
    else:
        kind, version = xdis15.TYPE, _note_version(reply, receiver, municipality)
        ids = medcom_ids(reply, kind, receiver)
        text = xdis15.encode(letter, ids[0], version)
    written = Written(kind=kind, version=version, payload=Payload.MEDCOM_XML, content=text.encode(), ids=ids)
    return letter_as(reply, letter, written, municipality)


def _note_version(reply: Reply, receiver: str, municipality: Municipality) -> str:
    """The receiver's own choice, else the one that belongs to the referral's version."""
    chosen = municipality.versions.xdis15.get(receiver)
    return chosen or xdis15.VERSION_FOR.get(reply.referral_version, xdis15.DEFAULT_VERSION)
