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


def arrival_of(value: object, payload: Payload, *, is_sound: bool = False) -> Arrival:
    """How it arrived; whatever is wrong with it. Every FHIR message is answered, so a positive receipt is owed.

    ``is_sound``: the structure was checked and is right.
    """
    message = _Loose(value)
    fhir = _of_message(message, is_sound=is_sound) if message.header is not None else _of_bare(message)
    return Arrival(
        payload=payload,
        sender_gln=fhir.sender.gln or None,
        receiver_gln=fhir.receiver.gln or None,
        envelope_id=id_of(value) if _is(value, "Bundle") else None,
        positive_wanted=True,
        sent_at=instant(part(value, "timestamp", str) or part(message.request, "authoredOn", str)),
        fhir=fhir,
    )


def id_of(value: object) -> str | None:
    """The id of a resource, if it could stand in an answer."""
    found = part(value, "id", str)
    return found if found and _ID.fullmatch(found) else None


def request_in(value: object) -> Json | None:
    """The message's first ServiceRequest."""
    return _Loose(value).request


class _Loose:
    """The resources of something that may be anything, by their addresses."""

    def __init__(self, value: object) -> None:
        self.resources: list[Json] = []
        self._by_address: dict[str, Json] = {}
        if isinstance(value, dict):
            self.resources.append(value)
            entries = value.get("entry")
            for entry in entries[:_MOST] if isinstance(entries, list) else ():
                self._add(entry)
        self.header = self._first("MessageHeader")
        self.request = self._first("ServiceRequest")

    def _add(self, entry: object) -> None:
        body = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and isinstance(body, dict):
            self.resources.append(body)
            for address in (f"{body.get('resourceType')}/{body.get('id')}", str(entry.get("fullUrl"))):
                self._by_address.setdefault(address, body)

    def _first(self, kind: str) -> Json | None:
        return next((r for r in self.resources if _is(r, kind)), None)

    def find(self, reference: Reference | None, holder: object) -> Json | None:
        """What a reference leads to: something contained, or an entry by its address or its type and id."""
        address = (reference and reference.reference) or ""
        if address.startswith("#"):
            contained = part(holder, "contained", list[Json]) or []
            return next((r for r in contained if f"#{r.get('id')}" == address), None)
        return self._by_address.get(address) or self._by_address.get("/".join(address.split("/")[-2:]))

    def party(self, reference: Reference | None, holder: object, endpoint: str | None = None) -> FhirParty:
        """The organisation that a reference leads to, or that it identifies itself."""
        body = self.find(reference, holder)
        identifiers = part(body, "identifier", tuple[Identifier, ...]) or ()
        if not identifiers and reference is not None and reference.identifier is not None:
            identifiers = (reference.identifier,)
        return FhirParty(
            gln=gln_of(identifiers) or "",
            sor=value_of(identifiers, SOR) or "",
            name=part(body, "name", str) or (reference and reference.display) or "",
            endpoint=endpoint or "",
        )


def _is(value: object, kind: str) -> bool:
    return isinstance(value, dict) and value.get("resourceType") == kind


def _of_bare(message: _Loose) -> FhirArrival:
    """A bare ServiceRequest: from its requester, to the first performer with a GLN."""
    request = message.request
    requester = part(request, "requester", Reference)
    found = message.find(requester, request)
    if _is(found, "PractitionerRole"):
        requester = part(found, "organization", Reference)
    performers = part(request, "performer", tuple[Reference, ...]) or ()
    told = [message.party(performer, request) for performer in performers]
    return FhirArrival(sender=message.party(requester, request), receiver=next((p for p in told if p.gln), FhirParty()))


def _of_message(message: _Loose, *, is_sound: bool) -> FhirArrival:
    header = message.header
    event = part(header, "eventCoding", Coding)
    destination = _destination(header)
    source = part(header, "source", Source) or Source()
    return FhirArrival(
        message_id=id_of(header) or "",
        event=(event and event.code) or "",
        sender=message.party(part(header, "sender", Reference), header, source.endpoint),
        receiver=message.party(destination.receiver, header, destination.endpoint),
        provenances=tuple(_provenances(message, is_sound=is_sound)),
    )


def _destination(header: object) -> Destination:
    found = part(header, "destination", tuple[Destination, ...]) or ()
    return next((d for d in found if is_primary(d)), found[0] if len(found) == 1 else Destination())


def _provenances(message: _Loose, *, is_sound: bool) -> Iterator[FhirProvenance]:
    for body in message.resources:
        if not _is(body, "Provenance") or not (is_sound or structure_fault(body) is None):
            continue
        found = view(body, Provenance)
        if found.occurred_date_time and found.recorded:
            yield _provenance(message, body, found)


def _provenance(message: _Loose, body: Json, found: Provenance) -> FhirProvenance:
    who = next((a.who for a in found.agent), None)
    agent = message.party(who, body)
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
