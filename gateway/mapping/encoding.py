"""Answers → the standards' bytes: which standard, letter type and version carry an answer, and its derived ids.

A receipt is written in the standard of what it answers; a letter too, unless the receiver has chosen another in the
municipality file. A new standard is one row in ``_WRITERS`` and one in ``_PAYLOADS``.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType

from gateway.mapping.edifact import contrl, interchange, meddis
from gateway.mapping.fhir import answers, correspondence_bundle, team_bundle
from gateway.mapping.medcom import emessage, vans, xctl, xdis15, xdis91
from gateway.municipality.model import Municipality
from gateway.referral.correspondence import ForwardedLetter
from gateway.referral.ids import Cause, fhir_id, letter_id
from gateway.referral.letters import (
    Carrier,
    Channel,
    DischargeNote,
    Outgoing,
    Payload,
    Receipt,
    StatusLetter,
    TeamMessage,
)
from gateway.referral.reply import Reply


def encode(reply: Reply, municipality: Municipality) -> Outgoing:
    """An answer ready to send, complete but for the envelope."""
    if isinstance(reply.content, TeamMessage | ForwardedLetter):
        return _team_message(reply, reply.content, municipality)
    return _WRITERS[payload_of(reply, municipality)](reply, municipality)


def payload_of(reply: Reply, municipality: Municipality) -> Payload:
    """The standard an answer is written in."""
    content = reply.content
    if isinstance(content, Receipt):
        return Payload.MEDCOM_XML if content.by_vans else reply.arrival.payload
    assert not isinstance(content, TeamMessage | ForwardedLetter)  # noqa: S101  (teams get FHIR of their own kind)
    chosen = municipality.formats.get(content.receiver.gln or "")
    return Payload(chosen) if chosen else reply.arrival.payload


def _in_medcom_xml(reply: Reply, municipality: Municipality) -> Outgoing:
    content = reply.content
    assert not isinstance(content, TeamMessage | ForwardedLetter)  # noqa: S101  (teams get FHIR of their own kind)
    if isinstance(content, Receipt):
        return _receipt(reply, content, municipality)
    if isinstance(content, StatusLetter):
        return _letter(reply, (xdis91.TYPE, xdis91.VERSION), content, municipality)
    version = municipality.versions.xdis15.get(content.receiver.gln or "")
    version = version or xdis15.VERSION_FOR.get(reply.referral_version, xdis15.DEFAULT_VERSION)
    return _letter(reply, (xdis15.TYPE, version), content, municipality)


def _in_edifact(reply: Reply, municipality: Municipality) -> Outgoing:
    """CTL02 and CTL03; DIS91 for every letter, for XDIS15 has no EDIFACT twin (docs/adr/0012)."""
    content = reply.content
    assert not isinstance(content, TeamMessage | ForwardedLetter)  # noqa: S101  (teams get FHIR of their own kind)
    if isinstance(content, Receipt):
        return _receipt(reply, content, municipality)
    return _letter(reply, (meddis.TYPE, meddis.VERSION), content, municipality)


_WRITERS: Mapping[Payload, Callable[[Reply, Municipality], Outgoing]] = MappingProxyType(
    {
        Payload.MEDCOM_XML: _in_medcom_xml,
        Payload.EDIFACT: _in_edifact,
        Payload.FHIR_JSON: partial(answers.encode, payload=Payload.FHIR_JSON),
        Payload.FHIR_XML: partial(answers.encode, payload=Payload.FHIR_XML),
    }
)


def wrap(letter: Outgoing, envelope_id: str, sent_at: datetime) -> bytes:
    """The bytes of one transmission: the letter in a new envelope."""
    if letter.channel is Channel.TEAM:
        return letter.content
    if letter.kind == vans.RECEIPT_KIND:
        return vans.wrap(letter, None, envelope_id, sent_at)
    data, document = _PAYLOADS[letter.payload](letter, envelope_id, sent_at)
    return vans.wrap(letter, (data, document), envelope_id, sent_at) if letter.carrier is Carrier.VANS else data


def _emessage(letter: Outgoing, envelope_id: str, sent_at: datetime) -> tuple[bytes, vans.Document]:
    """The Emessage and what a VANSEnvelope says of it.

    Inside a VANSEnvelope it stays the same to the byte, because a resend must have the same content under the same
    MessageIdentifier (facts §7.2); its inner envelope id is the letter id.
    """
    document = vans.Document(name=f"MCM:{letter.kind}", version=letter.version)
    if letter.carrier is Carrier.VANS:
        return emessage.wrap(letter, letter.letter_id, letter.at), document
    return emessage.wrap(letter, envelope_id, sent_at), document


def _edifact(letter: Outgoing, envelope_id: str, sent_at: datetime) -> tuple[bytes, vans.Document]:
    """The interchange and what a VANSEnvelope says of it; inside one it stays the same to the byte, as an Emessage."""
    document = vans.Document(format="EDIFACT", name=f"MCM:{letter.kind}", version=letter.version)
    if letter.carrier is Carrier.VANS:
        return interchange.wrap(letter, letter.letter_id, letter.at), document
    return interchange.wrap(letter, envelope_id, sent_at), document


def _fhir_message(letter: Outgoing, envelope_id: str, sent_at: datetime) -> tuple[bytes, vans.Document]:
    """The Bundle and what a VANSEnvelope says of it; its Bundle.id is new on every send, as FHIR's rules demand."""
    name, version = answers.document_name(letter)
    document = vans.Document(format="HL7", name=name, version=version, mime=answers.MIME[letter.payload])
    return answers.write(letter, envelope_id, sent_at), document


_PAYLOADS: Mapping[Payload, Callable[[Outgoing, str, datetime], tuple[bytes, vans.Document]]] = MappingProxyType(
    {
        Payload.MEDCOM_XML: _emessage,
        Payload.EDIFACT: _edifact,
        Payload.FHIR_JSON: _fhir_message,
        Payload.FHIR_XML: _fhir_message,
    }
)


def _receipt(reply: Reply, receipt: Receipt, municipality: Municipality) -> Outgoing:
    arrival = reply.arrival
    in_edifact = arrival.payload is Payload.EDIFACT and not receipt.by_vans
    kind, version = _receipt_type(receipt)
    receiver = arrival.sender_gln or ""
    our_gln = arrival.receiver_gln if arrival.receiver_gln in municipality.glns else municipality.letterhead.gln
    ours = letter_id(reply.cause, kind, receiver)
    return Outgoing(
        letter_id=ours,
        message_id=fhir_id(reply.cause, kind, receiver),
        kind=kind,
        version=version,
        channel=Channel.MEDCOM,
        receiver=receiver,
        sender=our_gln or "",
        carrier=arrival.carrier,
        payload=Payload.EDIFACT if in_edifact else Payload.MEDCOM_XML,
        at=receipt.at,
        content=_receipt_text(receipt, ours, our_gln or "").encode(),
        vans_receiver=arrival.vans.sender if arrival.vans else None,
        vans_receiver_type=arrival.vans.sender_type if arrival.vans else None,
    )


def _receipt_type(receipt: Receipt) -> tuple[str, str]:
    if receipt.by_vans:
        return vans.RECEIPT_KIND, "1.0.4"
    return contrl.kind_of(receipt) if receipt.arrival.payload is Payload.EDIFACT else xctl.kind_of(receipt)


def _receipt_text(receipt: Receipt, ours: str, our_gln: str) -> str:
    if receipt.by_vans:
        return vans.encode_receipt(receipt)
    if receipt.arrival.payload is Payload.EDIFACT:
        return interchange.message(ours, contrl.kind_of(receipt), contrl.encode(receipt, our_gln))
    return xctl.encode(receipt, ours, our_gln)


def _team_message(reply: Reply, message: TeamMessage | ForwardedLetter, municipality: Municipality) -> Outgoing:
    if isinstance(message, TeamMessage):
        kind, content = "Task", team_bundle.encode(message, municipality)
    else:
        kind, content = "Communication", correspondence_bundle.encode(message, municipality)
    return Outgoing(
        letter_id=message.id,
        message_id=message.id,
        kind=kind,
        version="4.0.1",
        channel=Channel.TEAM,
        receiver=message.team,
        sender=municipality.letterhead.gln,
        case_id=reply.case_id,
        episode_id=reply.episode_id,
        at=message.at,
        content=content,
    )


def _letter(
    reply: Reply, letter_type: tuple[str, str], content: StatusLetter | DischargeNote, municipality: Municipality
) -> Outgoing:
    kind, version = letter_type
    receiver = content.receiver.gln or ""
    cause = _distinct(reply.cause, draft=reply.draft)
    ours = letter_id(cause, kind, receiver, reply.ordinal)
    return Outgoing(
        letter_id=ours,
        message_id=fhir_id(cause, kind, receiver, reply.ordinal),
        kind=kind,
        version=version,
        channel=Channel.MEDCOM,
        receiver=receiver,
        sender=municipality.letterhead.gln,
        carrier=reply.arrival.carrier,
        payload=Payload.EDIFACT if kind == meddis.TYPE else Payload.MEDCOM_XML,
        case_id=reply.case_id,
        episode_id=reply.episode_id,
        at=content.at,
        content=_text(content, ours, letter_type).encode(),
        draft=reply.draft,
        wants_receipt=True,
    )


def _text(content: StatusLetter | DischargeNote, ours: str, letter_type: tuple[str, str]) -> str:
    if letter_type[0] == meddis.TYPE:
        letter = content if isinstance(content, StatusLetter) else meddis.as_status(content)
        return interchange.message(ours, letter_type, meddis.encode(letter, ours))
    if isinstance(content, StatusLetter):
        return xdis91.encode(content, ours)
    return xdis15.encode(content, ours, letter_type[1])


def _distinct(cause: Cause, *, draft: bool) -> Cause:
    """A draft is not the letter that is sent in the end: it has an id of its own."""
    return Cause(sender=cause.sender, id=f"{cause.id}|draft") if draft else cause
