"""Answers in FHIR: an Acknowledgement for a receipt, a CareCommunication for a letter; then the bytes of a sending."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec

from gateway.mapping.fhir import acknowledgement, care_communication
from gateway.mapping.fhir.arrival import arrival_of
from gateway.mapping.fhir.care_communication import Author, Draft
from gateway.mapping.fhir.message import Sides, in_envelope
from gateway.mapping.fhir.opened import value_of
from gateway.mapping.fhir.resources import Identifier, Json, part
from gateway.mapping.fhir.systems import CPR
from gateway.mapping.fhir.xml_writing import to_xml
from gateway.mapping.outgoing import Cover, Written, cause_of, letter_as, our_gln, receipt_as
from gateway.municipality.model import Municipality
from gateway.referral.ids import fhir_id
from gateway.referral.letters import (
    FHIR,
    Arrival,
    DischargeNote,
    FhirArrival,
    FhirParty,
    Outgoing,
    Payload,
    Receipt,
    StatusLetter,
)
from gateway.referral.model import Party
from gateway.referral.reply import Reply

#: MIME type of each form
MIME: Mapping[Payload, str] = MappingProxyType(
    {Payload.FHIR_JSON: "application/fhir+json", Payload.FHIR_XML: "application/fhir+xml"}
)
_SOR_CODE = "sorkode"
#: where EHMI's register has MedCom's FHIR messages (dk-ehmi-terminology, ehmi-message-definition-uri)
_REGISTER = "urn:dk:healthcare:medcom:messaging:fhir:structuredefinition"
#: kind → name and version there, and what MedCom counts beside the event
_REGISTERED: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        acknowledgement.TYPE: ("acknowledgement", "2.0", ""),
        care_communication.TYPE: ("carecommunication", "5.0", f"#{care_communication.CATEGORY}"),
    }
)


def encode(reply: Reply, municipality: Municipality, payload: Payload) -> Outgoing:
    """An answer as FHIR, complete but for the envelope; ``payload`` is the form it will be sent in."""
    content = reply.content
    if isinstance(content, Receipt):
        return _acknowledgement(reply, content, municipality, payload)
    assert isinstance(content, StatusLetter | DischargeNote)  # noqa: S101  (a programming error, not input)
    return _care_communication(reply, content, municipality, payload)


def write(letter: Outgoing, envelope_id: str, sent_at: datetime) -> bytes:
    """The bytes of one transmission: new Bundle.id, new times, in the form the receiver wants."""
    bundle = in_envelope(letter.content, envelope_id, sent_at)
    return to_xml(bundle) if letter.payload is Payload.FHIR_XML else msgspec.json.encode(bundle)


def document_name(letter: Outgoing) -> tuple[str, str]:
    """Name and version in a VANSEnvelope: ``MCM:FCTL#ok`` 2.0.0, ``MCM:FDIS91#regarding-referral`` 5.0."""
    if letter.kind == acknowledgement.TYPE:
        code = msgspec.json.decode(letter.content)["entry"][0]["resource"]["response"]["code"]
        return f"MCM:FCTL#{code}", "2.0.0"
    return f"MCM:FDIS91#{care_communication.CATEGORY}", "5.0"


def cover(letter: Outgoing, envelope_id: str) -> Cover:
    """What an SBDH says of the message."""
    message = msgspec.json.decode(letter.content)
    told = arrival_of(message, letter.payload).fhir or FhirArrival()
    name, version, counted = _REGISTERED[letter.kind]
    return Cover(
        standard=told.event,
        version=version,
        root="Bundle",
        document_id=f"{_REGISTER}:{name}:{version}",
        statistics=told.event + counted,
        mime=MIME[letter.payload],
        encoding="UTF-8",
        envelope_id=envelope_id,
        cpr=_cpr_in(message),
        sender_sor=told.sender.sor,
        receiver_sor=told.receiver.sor,
    )


def _cpr_in(message: Json) -> str:
    resources = [entry["resource"] for entry in part(message, "entry", list[Json]) or ()]
    patients = [resource for resource in resources if part(resource, "resourceType", str) == "Patient"]
    found = (value_of(part(one, "identifier", tuple[Identifier, ...]) or (), CPR) for one in patients)
    return next(filter(None, found), "")


# ------------------------------------------------------------------ receipts
def _acknowledgement(reply: Reply, receipt: Receipt, municipality: Municipality, payload: Payload) -> Outgoing:
    arrival = reply.arrival
    asked = arrival.fhir or FhirArrival()
    receiver = arrival.sender_gln or ""
    ours = _our_party(municipality, our_gln(arrival, municipality))
    theirs = msgspec.structs.replace(
        asked.sender, gln=receiver, sor=asked.sender.sor or municipality.sors.get(receiver, "")
    )
    own = fhir_id(reply.cause, acknowledgement.TYPE, receiver)
    written = Written(
        kind=acknowledgement.TYPE,
        version=acknowledgement.VERSION,
        payload=payload,
        content=acknowledgement.encode(receipt, own, Sides(sender=ours, receiver=theirs)),
        ids=(own, own),
    )
    return receipt_as(reply, receipt, written, municipality)


def _our_party(municipality: Municipality, gln: str) -> FhirParty:
    head = municipality.letterhead
    return FhirParty(gln=gln, sor=head.sor, name=head.organisation)


# ------------------------------------------------------------------ letters
def _care_communication(
    reply: Reply, content: StatusLetter | DischargeNote, municipality: Municipality, payload: Payload
) -> Outgoing:
    own = fhir_id(cause_of(reply), _kind(content), content.receiver.gln or "", reply.ordinal)
    draft = _draft(reply.arrival, content, municipality, own)
    lacking = care_communication.missing(draft.sides, draft.author)
    written = Written(
        kind=care_communication.TYPE,
        version=care_communication.VERSION,
        payload=payload,
        content=care_communication.encode(draft),
        ids=(own, own),
        obstacle=f"GW-206 {', '.join(lacking)} mangler" if lacking else "",
    )
    return letter_as(reply, content, written, municipality)


def _kind(content: StatusLetter | DischargeNote) -> str:
    """Tells the closing note from a status letter of the same cause: both are CareCommunications."""
    return "CareCommunication" if isinstance(content, StatusLetter) else "CareCommunication closing"


def _draft(arrival: Arrival, content: StatusLetter | DischargeNote, municipality: Municipality, own: str) -> Draft:
    asked = arrival.fhir or FhirArrival()
    head = municipality.letterhead
    note = content if isinstance(content, DischargeNote) else None
    ours = _our_party(municipality, head.gln)
    author = Author(
        name=note.signed_by if note else f"{head.organisation} {head.department or ''}",
        role=(note.job_title if note else "") or head.speciality_name,
        phone="".join((head.phone or "").split()),
    )
    return Draft(
        content=content,
        letter_id=own,
        sides=Sides(sender=ours, receiver=_their_party(content.receiver, asked, municipality)),
        subject=content.subject if isinstance(content, StatusLetter) else municipality.letters["discharge"].subject,
        author=author,
        previous=_previous(arrival, content.referral_id),
        chain=asked.provenances,
    )


def _their_party(party: Party, asked: FhirArrival, municipality: Municipality) -> FhirParty:
    """The receiver as its own message names it, else as party and municipality file tell."""
    gln = party.gln or ""
    if gln and gln == asked.sender.gln and asked.sender.sor:
        return asked.sender
    sor = party.identifier if party.identifier_code == _SOR_CODE else None
    return FhirParty(gln=gln, sor=sor or municipality.sors.get(gln, ""), name=party.organisation or "")


def _previous(arrival: Arrival, referral_id: str) -> str:
    """The referral that the letter answers: its MessageHeader, or sender and letter id of a MedCom letter."""
    if arrival.payload not in FHIR:
        return f"{arrival.sender_gln}#{referral_id}" if arrival.sender_gln and referral_id else ""
    return referral_id if arrival.fhir is not None and arrival.fhir.message_id else ""
