"""Answers in EDIFACT: CTL02 and CTL03; DIS91 for every letter, for XDIS15 has no twin (docs/adr/0012)."""

from datetime import datetime

from gateway.mapping.edifact import contrl, interchange, meddis
from gateway.mapping.outgoing import Written, letter_as, medcom_ids, our_gln, receipt_as
from gateway.municipality.model import Municipality
from gateway.referral.letters import Carrier, DischargeNote, Outgoing, Payload, Receipt, StatusLetter
from gateway.referral.reply import Reply


def encode(reply: Reply, municipality: Municipality) -> Outgoing:
    """An answer as an EDIFACT message, complete but for the interchange."""
    content = reply.content
    if isinstance(content, Receipt):
        kind = contrl.kind_of(content)
        ids = medcom_ids(reply, kind[0], reply.arrival.sender_gln or "")
        segments = contrl.encode(content, our_gln(reply.arrival, municipality))
        return receipt_as(
            reply, content, _written(kind, ids, interchange.message(ids[0], kind, segments)), municipality
        )
    assert isinstance(content, StatusLetter | DischargeNote)  # noqa: S101  (teams get FHIR of their own kind)
    kind = (meddis.TYPE, meddis.VERSION)
    ids = medcom_ids(reply, meddis.TYPE, content.receiver.gln or "")
    letter = content if isinstance(content, StatusLetter) else meddis.as_status(content)
    message = interchange.message(ids[0], kind, meddis.encode(letter, ids[0]))
    return letter_as(reply, content, _written(kind, ids, message), municipality)


def write(letter: Outgoing, envelope_id: str, sent_at: datetime) -> bytes:
    """The interchange of one transmission; inside a VANSEnvelope it stays the same to the byte, as an Emessage does."""
    if letter.carrier is Carrier.VANS:
        return interchange.wrap(letter, letter.letter_id, letter.at)
    return interchange.wrap(letter, envelope_id, sent_at)


def _written(kind: tuple[str, str], ids: tuple[str, str], message: str) -> Written:
    return Written(kind=kind[0], version=kind[1], payload=Payload.EDIFACT, content=message.encode(), ids=ids)
