"""How a FHIR message reached us: ids, organisations and provenance, read as far as they can be read.

The same for a good message and a refused one, so that the refused one is answered: each part counts by itself, and what
is not as it should be is left out.
"""

import re
from collections.abc import Iterator

from gateway.mapping.fhir.moments import instant
from gateway.mapping.fhir.opened import gln_of, is_primary, last_part, value_of
from gateway.mapping.fhir.resources import (
    Coding,
    Destination,
    Entity,
    Identifier,
    Json,
    Provenance,
    Reference,
    Source,
    part,
    view,
)
from gateway.mapping.fhir.structure import structure_fault
from gateway.mapping.fhir.systems import SOR
from gateway.referral.letters import Arrival, FhirArrival, FhirParty, FhirProvenance, Payload

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
#: nobody's list of earlier messages is longer; the rest of a hostile one is not looked at
_MOST = 200


def arrival_of(value: object, payload: Payload) -> Arrival:
    """How it arrived; whatever is wrong with it. Every FHIR message is answered, so a positive receipt is owed."""
    header = _header(value)
    fhir = _fhir_arrival(value, header)
    return Arrival(
        payload=payload,
        sender_gln=fhir.sender.gln or None,
        receiver_gln=fhir.receiver.gln or None,
        envelope_id=id_of(value) if _is(value, "Bundle") else None,
        positive_wanted=True,
        sent_at=instant(part(value, "timestamp", str) or part(request_in(value), "authoredOn", str)),
        fhir=fhir,
    )


def _fhir_arrival(value: object, header: object) -> FhirArrival:
    if header is None:
        request = request_in(value)
        performers = part(request, "performer", tuple[Reference, ...]) or ()
        return FhirArrival(
            sender=_requester(value, part(request, "requester", Reference), request),
            receiver=next(filter(None, (_party_if_known(value, p, request) for p in performers)), FhirParty()),
        )
    event = part(header, "eventCoding", Coding)
    destination = _destination(header)
    source = part(header, "source", Source) or Source()
    return FhirArrival(
        message_id=id_of(header) or "",
        event=(event and event.code) or "",
        sender=_party(value, part(header, "sender", Reference), header, source.endpoint),
        receiver=_party(value, destination.receiver, header, destination.endpoint),
        provenances=tuple(_provenances(value)),
    )


def _header(value: object) -> object:
    return next((r for r in _resources(value) if _is(r, "MessageHeader")), None)


def _resources(value: object) -> Iterator[Json]:
    """The resource itself, and those of a Bundle's entries."""
    if isinstance(value, dict):
        yield value
    entries = part(value, "entry", list[Json]) or []
    for entry in entries[:_MOST]:
        body = part(entry, "resource", Json)
        if body is not None:
            yield body


def _is(value: object, kind: str) -> bool:
    return isinstance(value, dict) and value.get("resourceType") == kind


def id_of(value: object) -> str | None:
    """The id of a resource, if it could stand in an answer."""
    found = part(value, "id", str)
    return found if found and _ID.fullmatch(found) else None


def request_in(value: object) -> Json | None:
    """The message's first ServiceRequest."""
    return next((r for r in _resources(value) if _is(r, "ServiceRequest")), None)


def _destination(header: object) -> Destination:
    found = part(header, "destination", tuple[Destination, ...]) or ()
    return next((d for d in found if is_primary(d)), found[0] if len(found) == 1 else Destination())


def _find(value: object, reference: Reference | None, holder: object) -> Json | None:
    """What a reference leads to: something contained, or an entry by its address or its type and id."""
    address = (reference and reference.reference) or ""
    if address.startswith("#"):
        contained = part(holder, "contained", list[Json]) or []
        return next((r for r in contained if f"#{r.get('id')}" == address), None)
    wanted = "/".join(address.split("/")[-2:])
    for entry in (part(value, "entry", list[Json]) or [])[:_MOST]:
        body = part(entry, "resource", Json) or {}
        if (address and address == entry.get("fullUrl")) or wanted == f"{body.get('resourceType')}/{body.get('id')}":
            return body
    return None


def _party(value: object, reference: Reference | None, holder: object, endpoint: str | None) -> FhirParty:
    body = _find(value, reference, holder)
    identifiers = part(body, "identifier", tuple[Identifier, ...]) or ()
    if not identifiers and reference is not None and reference.identifier is not None:
        identifiers = (reference.identifier,)
    return FhirParty(
        gln=gln_of(identifiers) or "",
        sor=value_of(identifiers, SOR) or "",
        name=part(body, "name", str) or (reference and reference.display) or "",
        endpoint=endpoint or "",
    )


def _party_if_known(value: object, reference: Reference, holder: object) -> FhirParty | None:
    found = _party(value, reference, holder, None)
    return found if found.gln else None


def _requester(value: object, reference: Reference | None, holder: object) -> FhirParty:
    """The requesting organisation, also where a person at it is named."""
    body = _find(value, reference, holder)
    if _is(body, "PractitionerRole"):
        reference = part(body, "organization", Reference)
    return _party(value, reference, holder, None)


def _provenances(value: object) -> Iterator[FhirProvenance]:
    for body in _resources(value):
        if not _is(body, "Provenance") or structure_fault(body) is not None:
            continue
        found = view(body, Provenance)
        if found.occurred_date_time and found.recorded:
            yield _provenance(value, body, found)


def _provenance(value: object, body: Json, found: Provenance) -> FhirProvenance:
    who = next((a.who for a in found.agent), None)
    agent = _party(value, who, body, None)
    sources = [_told(e) for e in found.entity if e.role == "source"]
    return FhirProvenance(
        target=last_part(found.target[0]),
        activity=next((c.code for c in found.activity.coding if c.code), ""),
        occurred=found.occurred_date_time or "",
        recorded=found.recorded or "",
        agent=agent if agent.sor or agent.gln else None,
        payloads=tuple(s for s in sources if s),
        previous=next((_told(e) for e in found.entity if e.role == "revision"), ""),
    )


def _told(entity: Entity) -> str:
    """What an entity speaks of: an identifier (a payload, a MedCom letter), or the id of a MessageHeader."""
    named = entity.what.identifier
    return (named and named.value) or last_part(entity.what)
