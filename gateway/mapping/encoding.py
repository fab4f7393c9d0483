"""Answers → the standards' bytes: which standard carries an answer, and the envelope around it at each transmission.

A receipt is written in the standard of what it answers; a letter too, unless the receiver has chosen another in the
municipality file. A new standard is one row in ``STANDARDS``.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType

import msgspec

from gateway.mapping.edifact import answers as edifact
from gateway.mapping.fhir import answers as fhir
from gateway.mapping.fhir import correspondence_bundle, files_bundle, team_bundle
from gateway.mapping.medcom import answers as medcom
from gateway.mapping.medcom import sbdh, vans
from gateway.mapping.outgoing import Cover
from gateway.municipality.model import Municipality
from gateway.referral.attachments import ForwardedFiles
from gateway.referral.correspondence import ForwardedLetter
from gateway.referral.letters import Carrier, Channel, Outgoing, Payload, Receipt, TeamMessage
from gateway.referral.reply import Reply


class Standard(msgspec.Struct, frozen=True, kw_only=True):
    """How a standard writes an answer."""

    #: the answer, complete but for the envelope
    encode: Callable[[Reply, Municipality], Outgoing]
    #: the bytes of one transmission, given envelope id and time
    write: Callable[[Outgoing, str, datetime], bytes]
    #: what a VANSEnvelope says of it
    document: Callable[[Outgoing], vans.Document]
    #: what an SBDH says of it, given the envelope id; None for a standard that goes in none
    cover: Callable[[Outgoing, str], Cover] | None


def _named(format_: str, letter: Outgoing) -> vans.Document:
    return vans.Document(format=format_, name=f"MCM:{letter.kind}", version=letter.version)


def _fhir(payload: Payload) -> Standard:
    encode = partial(fhir.encode, payload=payload)
    return Standard(encode=encode, write=fhir.write, document=_fhir_document, cover=fhir.cover)


def _fhir_document(letter: Outgoing) -> vans.Document:
    name, version = fhir.document_name(letter)
    return vans.Document(format="HL7", name=name, version=version, mime=fhir.MIME[letter.payload])


STANDARDS: Mapping[Payload, Standard] = MappingProxyType(
    {
        Payload.MEDCOM_XML: Standard(
            encode=medcom.encode, write=medcom.write, document=partial(_named, "XML"), cover=medcom.cover
        ),
        Payload.EDIFACT: Standard(
            encode=edifact.encode, write=edifact.write, document=partial(_named, "EDIFACT"), cover=None
        ),
        Payload.FHIR_JSON: _fhir(Payload.FHIR_JSON),
        Payload.FHIR_XML: _fhir(Payload.FHIR_XML),
    }
)


def encode(reply: Reply, municipality: Municipality) -> Outgoing:
    """An answer ready to send, complete but for the envelope."""
    content = reply.content
    if isinstance(content, TeamMessage | ForwardedLetter | ForwardedFiles):
        return _to_team(reply, content, municipality)
    if isinstance(content, Receipt):
        payload = Payload.MEDCOM_XML if content.by_vans else reply.arrival.payload
    else:
        chosen = municipality.formats.get(content.receiver.gln or "")
        payload = Payload(chosen) if chosen else reply.arrival.payload
    return STANDARDS[payload].encode(reply, municipality)


def wrap(letter: Outgoing, envelope_id: str, sent_at: datetime) -> bytes:
    """The bytes of one transmission: the letter in a new envelope."""
    if letter.channel is Channel.TEAM:
        return letter.content
    if letter.kind == vans.RECEIPT_KIND:
        return vans.wrap(letter, None, envelope_id, sent_at)
    standard = STANDARDS[letter.payload]
    data = standard.write(letter, envelope_id, sent_at)
    if letter.carrier is Carrier.VANS:
        return vans.wrap(letter, (data, standard.document(letter)), envelope_id, sent_at)
    if letter.carrier is Carrier.SBDH and standard.cover is not None:
        return sbdh.wrap(letter, data, standard.cover(letter, envelope_id), envelope_id, sent_at)
    return data


def _to_team(
    reply: Reply, message: TeamMessage | ForwardedLetter | ForwardedFiles, municipality: Municipality
) -> Outgoing:
    if isinstance(message, TeamMessage):
        kind, content = "Task", team_bundle.encode(message, municipality)
    elif isinstance(message, ForwardedFiles):
        kind, content = "DocumentReference", files_bundle.encode(message, municipality)
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
