"""ServiceRequest → referral: the provisional FHIR referral (docs/howto/fhir-referral.md), in a message or bare.

There is no published MedCom profile of a FHIR referral: this is MedCom's messaging Bundle around a dk-core
ServiceRequest (facts §0, §6), worth exactly as much as an XREF15.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from gateway.mapping.fhir import measurements, persons
from gateway.mapping.fhir.moments import instant, is_whole_day
from gateway.mapping.fhir.opened import Head, Opened, Resource, UnusableError, gln_of
from gateway.mapping.fhir.resources import (
    Concept,
    Condition,
    DocumentReference,
    EpisodeReference,
    Identifier,
    Json,
    Observation,
    Organization,
    Patient,
    Reference,
    ServiceRequest,
    view,
)
from gateway.mapping.fhir.systems import ICPC2, SKS
from gateway.referral.model import (
    Attachment,
    ClinicalText,
    CodeSystem,
    Diagnosis,
    Measurement,
    Party,
    Referral,
)

TYPE = "ServiceRequest"
VERSION = "4.0.1"
_SYSTEMS = {SKS: CodeSystem.SKS, ICPC2: CodeSystem.ICPC2}
_URN = "urn:uuid:"
_URI_SYSTEM = "urn:ietf:rfc:3986"
_REQUESTERS = ("Organization", "PractitionerRole", "Practitioner", "Patient", "RelatedPerson")
#: a Condition so verified is none (decision.md §1)
_UNREAL = frozenset({"refuted", "entered-in-error"})
_TAKEN_BACK = frozenset({"revoked", "entered-in-error"})


def decode(opened: Opened, head: Head | None) -> Referral:
    """The message's one ServiceRequest.

    Raises:
        UnusableError: what the structure allows and a referral does not.
    """
    own = _the_request(opened, head)
    request = view(own.body, ServiceRequest)
    if request.status == "completed" or request.do_not_perform:
        raise UnusableError("GW-148", "doNotPerform" if request.do_not_perform else "status completed")
    patient = persons.the_patient(opened)
    opened.follow(request.subject, own.scope, "Patient")
    requester = opened.follow(request.requester, own.scope, *_REQUESTERS) if request.requester else None
    sender, receiver = _parties(opened, own, head, requester)
    observed = _observed(opened)
    return Referral(
        message_type=TYPE,
        version=VERSION,
        letter_id=(head.header.id if head else request.id) or "",
        episode_id=_episode_id(opened, own, request),
        cancellation=request.status in _TAKEN_BACK,
        authorised=_authorised(request, opened.value),
        sender=sender,
        referrer=persons.referrer(opened, requester) if requester else None,
        receiver=receiver,
        citizen=persons.citizen(view(patient.body, Patient)),
        diagnoses=tuple(_diagnoses(opened, own, request)),
        texts=(*_texts(request), *_words(observed)),
        priority=request.priority,
        attachments=tuple(_attachments(opened)),
        self_referred=requester is not None and requester.kind in {"Patient", "RelatedPerson"},
        measurements=_measured(observed),
    )


def _the_request(opened: Opened, head: Head | None) -> Resource:
    """The one ServiceRequest, which is what the message is about."""
    found = opened.of(TYPE)
    if len(found) > 1:
        raise UnusableError("GW-144", "flere ServiceRequest")
    if not found:
        raise UnusableError("GW-145", TYPE)
    if head is not None:
        holder = opened.of("MessageHeader")[0].body
        focus = [opened.follow(reference, holder, TYPE) for reference in head.header.focus]
        if not focus:
            raise UnusableError("GW-145", "MessageHeader.focus")
    return found[0]


# ------------------------------------------------------------------ who
def _parties(opened: Opened, own: Resource, head: Head | None, requester: Resource | None) -> tuple[Party, Party]:
    """Sender and receiver: those of the message; of a bare ServiceRequest, requester and performer."""
    organization = persons.organization_of(opened, requester) if requester else None
    asking = persons.party(organization) if organization else None
    if head is not None:
        sender = persons.party(head.sender)
        told = asking if asking is not None and asking.identifier_code in {"ydernummer", "kommunenummer"} else sender
        return msgspec.structs.replace(told, gln=sender.gln), persons.party(head.receiver)
    if asking is None or asking.gln is None:
        raise UnusableError("GW-147", "ServiceRequest.requester med GLN")
    return asking, _performer(opened, own)


def _performer(opened: Opened, own: Resource) -> Party:
    for reference in view(own.body, ServiceRequest).performer:
        organization = _performing(opened, reference, own.scope)
        if organization is not None and gln_of(organization.identifier):
            return persons.party(organization)
    raise UnusableError("GW-146", "ServiceRequest.performer med GLN")


def _performing(opened: Opened, reference: Reference, holder: Json) -> Organization | None:
    """A performing organisation, in the message or named by its identifier alone."""
    if reference.reference is None:
        return (
            Organization(identifier=(reference.identifier,), name=reference.display) if reference.identifier else None
        )
    found = opened.find(reference, holder)
    return view(found.body, Organization) if found is not None and found.kind == "Organization" else None


# ------------------------------------------------------------------ which and when
def _episode_id(opened: Opened, own: Resource, request: ServiceRequest) -> str | None:
    """MedCom's forløbs-id: the Encounter's episodeOfCare, else the referral's identifier, a UUID before any other."""
    return episode_of(opened, request.encounter, own.scope) or _own_identifier(request.identifier)


def episode_of(opened: Opened, encounter: Reference | None, holder: Json) -> str | None:
    """The episode of care's id of an Encounter in the message."""
    found = opened.find(encounter, holder)
    if found is None:
        return None
    episodes = view(found.body, EpisodeReference).episode_of_care
    return _own_identifier(tuple(e.identifier for e in episodes if e.identifier is not None))


def _own_identifier(identifiers: tuple[Identifier, ...]) -> str | None:
    by_urn = [i.value for i in identifiers if i.system == _URI_SYSTEM and i.value]
    others = [i.value for i in identifiers if i.value]
    found = next(iter([*by_urn, *others]), None)
    return found.removeprefix(_URN) if found else None


def _authorised(request: ServiceRequest, value: Json) -> datetime:
    """When it was written; a message that tells only the month, or nothing, counts from when it was put together."""
    written, together = request.authored_on, value.get("timestamp")
    moment = instant(written if is_whole_day(written) else together)
    if moment is None:
        raise UnusableError("GW-141", "ServiceRequest.authoredOn")
    return moment


# ------------------------------------------------------------------ what
def _diagnoses(opened: Opened, own: Resource, request: ServiceRequest) -> Iterator[Diagnosis]:
    """Reasons first, then every other Condition of the message; the first of all is the main one."""
    concepts = [*request.reason_code, *_conditions(opened, own, request)]
    main = True
    for concept in concepts:
        for diagnosis in _diagnosis(concept, main=main):
            yield diagnosis
            main = False


def _conditions(opened: Opened, own: Resource, request: ServiceRequest) -> Iterator[Concept]:
    references = (*request.reason_reference, *request.supporting_info)
    # what the message points to must be in it; what it only identifies (an e-record) stands elsewhere
    named = [opened.follow(r, own.scope) for r in references if r.reference is not None]
    ordered = [r for r in named if r.kind == "Condition"]
    ordered += [r for r in opened.of("Condition") if all(r.body is not other.body for other in ordered)]
    for resource in ordered:
        condition = view(resource.body, Condition)
        unreal = any(c.code in _UNREAL for c in condition.verification_status.coding)
        if condition.code is not None and not unreal:
            yield condition.code


def _diagnosis(concept: Concept, *, main: bool) -> Iterator[Diagnosis]:
    """One per code of a system we know; a code of no such system is kept with what it is called."""
    known = [c for c in concept.coding if c.code and c.system in _SYSTEMS]
    for number, coding in enumerate(known):
        yield Diagnosis(
            system=_SYSTEMS[coding.system or ""],
            code=coding.code,
            text=concept.text or coding.display or "",
            main=main and number == 0,
        )
    if not known and concept.words:
        code = next((c.code for c in concept.coding if c.code), None)
        yield Diagnosis(system=None, code=code, text=concept.words, main=main)


def _texts(request: ServiceRequest) -> Iterator[ClinicalText]:
    places = (
        ("code", [request.code.text]),
        ("orderDetail", [c.text for c in request.order_detail]),
        ("patientInstruction", [request.patient_instruction]),
        ("note", [n.text for n in request.note]),
    )
    for place, texts in places:
        yield from (ClinicalText(place=place, text=text) for text in texts if text)


def _observed(opened: Opened) -> tuple[Observation, ...]:
    return tuple(view(r.body, Observation) for r in opened.of("Observation"))


def _words(observed: tuple[Observation, ...]) -> tuple[ClinicalText, ...]:
    return tuple(filter(None, (measurements.in_words(o) for o in observed)))


def _measured(observed: tuple[Observation, ...]) -> tuple[Measurement, ...]:
    return tuple(filter(None, (measurements.measurement(o) for o in observed)))


def _attachments(opened: Opened) -> Iterator[Attachment]:
    """Documents: where they are; never fetched."""
    for resource in opened.of("DocumentReference"):
        document = view(resource.body, DocumentReference)
        for content in document.content:
            name = content.attachment.title or document.description or document.type.words or "dokument"
            yield Attachment(description=name, url=content.attachment.url)
