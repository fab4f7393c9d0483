"""The team's message: one FHIR R4 Bundle per (letter, team), as design §5 describes and docs/team-message.md shows.

``collection`` with Patient, ServiceRequest, Conditions, Organization of the referrer and a Task per assignment.
"""

from datetime import datetime

import msgspec

from fsiii import CARE_SOCIAL_SYSTEM, FSIII_SYSTEM, SERVICE_TYPE_119, care_social_codes
from gateway.mapping.decision_json import decision_json
from gateway.mapping.explanation import explanation
from gateway.mapping.fhir.message import Json, without_nothing
from gateway.mapping.fhir.people import name_of, patient_identifier
from gateway.mapping.fhir.systems import (
    ASSIGNMENT_ID,
    CASE_ID,
    CONFIDENTIALITY,
    EPISODE_ID,
    GLN,
    ICPC2,
    MUNICIPALITY,
    MUNICIPALITY_EXTENSION,
    RESTRICTED,
    SKS,
    SOR,
    TEAM,
    YDERNUMMER,
)
from gateway.municipality.model import Municipality
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.letters import TeamMessage, TeamTask
from gateway.referral.model import Citizen, CodeSystem, Diagnosis, Party

_SYSTEM = {CodeSystem.SKS: SKS, CodeSystem.ICPC2: ICPC2}
#: RequestPriority; XREF01 has words of its own, which are not FHIR's
_PRIORITIES = frozenset({"routine", "urgent", "asap", "stat"})
_PARTY_SYSTEM = {"ydernummer": YDERNUMMER, "sorkode": SOR}


def encode(message: TeamMessage, municipality: Municipality) -> bytes:
    """The Bundle as JSON bytes."""
    return msgspec.json.encode(bundle(message, municipality))


def bundle(message: TeamMessage, municipality: Municipality) -> Json:
    """The Bundle as a dictionary; ids of the resources are derived from the message's."""
    referral = message.referral
    citizen, request, sender = (_id(message, kind) for kind in ("Patient", "ServiceRequest", "Organization"))
    conditions = [(_id(message, f"Condition{n}"), d) for n, d in enumerate(referral.diagnoses)]
    resources = [
        patient(citizen, referral.citizen),
        _service_request(message, request, {"patient": citizen, "sender": sender}, [c for c, _ in conditions]),
        *(_condition(own, d, citizen) for own, d in conditions),
        organization(sender, referral.sender),
        *(_task(message, task, {"patient": citizen, "request": request}, municipality) for task in message.tasks),
    ]
    return collection(message.id, message.at, resources)


def collection(own: str, at: datetime, resources: list[Json]) -> Json:
    """The Bundle of a team's message around its resources."""
    return {
        "resourceType": "Bundle",
        "id": own,
        "type": "collection",
        "timestamp": at.isoformat(),
        "entry": [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in resources],
    }


def _id(message: TeamMessage, name: str) -> str:
    return fhir_id(Cause(sender=message.team, id=message.id), name, message.team)


def reference(kind: str, own: str) -> Json:
    """A reference to another resource of the same Bundle."""
    return {"reference": f"urn:uuid:{own}", "type": kind}


def patient(own: str, citizen: Citizen) -> Json:
    """The citizen, as the sender tells of him."""
    address = citizen.address
    home = without_nothing(
        {
            "line": [line for line in (address.street, address.suburb) if line],
            "extension": _municipality(citizen),
            "city": address.district,
            "postalCode": address.postcode,
        }
    )
    return without_nothing(
        {
            "resourceType": "Patient",
            "id": own,
            "meta": _protection(citizen),
            "identifier": [patient_identifier(citizen)],
            "name": [name_of(citizen)],
            "telecom": [{"system": "phone", "value": p.number} for p in citizen.phones],
            "address": [home] if home else [],
        }
    )


def _municipality(citizen: Citizen) -> list[Json]:
    """The citizen's municipality, where the referral tells it (FHIR only)."""
    code = citizen.municipality_code
    concept = {"coding": [{"system": MUNICIPALITY, "code": code}]}
    return [{"url": MUNICIPALITY_EXTENSION, "valueCodeableConcept": concept}] if code else []


def _protection(citizen: Citizen) -> Json | None:
    """The team uses the address, and must know that nobody else may."""
    return {"security": [{"system": CONFIDENTIALITY, "code": RESTRICTED}]} if citizen.address_protected else None


def _service_request(message: TeamMessage, own: str, ids: dict[str, str], conditions: list[str]) -> Json:
    referral = message.referral
    service = care_social_codes("service_type")[SERVICE_TYPE_119]
    coding = {"system": CARE_SOCIAL_SYSTEM, "code": service.code, "display": service.display}
    return without_nothing(
        {
            "resourceType": "ServiceRequest",
            "id": own,
            "identifier": [{"system": EPISODE_ID, "value": referral.episode_id}] if referral.episode_id else [],
            "status": "active",
            "intent": "order",
            "priority": referral.priority if referral.priority in _PRIORITIES else None,
            "code": {"coding": [coding]},
            "subject": reference("Patient", ids["patient"]),
            "authoredOn": referral.authorised.isoformat(),
            "requester": reference("Organization", ids["sender"]),
            "reasonReference": [reference("Condition", c) for c in conditions],
            "note": [{"text": f"{t.place}: {t.text}"} for t in referral.texts]
            + [{"text": f"Bilag: {a.description} {a.url or ''}".rstrip()} for a in referral.attachments],
        }
    )


def _condition(own: str, diagnosis: Diagnosis, patient: str) -> Json:
    coding = []
    if diagnosis.code and diagnosis.system:
        coding = [{"system": _SYSTEM[diagnosis.system], "code": diagnosis.code}]
    code = without_nothing({"coding": coding, "text": diagnosis.text})
    return {"resourceType": "Condition", "id": own, "code": code, "subject": reference("Patient", patient)}


def organization(own: str, party: Party) -> Json:
    """The organisation that wrote to us."""
    identifiers = [{"system": GLN, "value": party.gln}] if party.gln else []
    system = _PARTY_SYSTEM.get(party.identifier_code or "")
    if system and party.identifier:
        identifiers.append({"system": system, "value": party.identifier})
    names = [name for name in (party.organisation, party.department, party.unit) if name]
    return without_nothing(
        {
            "resourceType": "Organization",
            "id": own,
            "identifier": identifiers,
            "name": ", ".join(names),
            "telecom": [{"system": "phone", "value": party.phone}] if party.phone else [],
        }
    )


def _task(message: TeamMessage, task: TeamTask, ids: dict[str, str], municipality: Municipality) -> Json:
    code = {"coding": [{"system": FSIII_SYSTEM, "code": task.code, "display": task.display}]} if task.code else None
    business = {"coding": [{"code": task.business_status}], "text": task.business_status}
    decision = msgspec.json.encode(decision_json(message.decision)).decode()
    kind = {"coding": [{"code": "decision"}], "text": "decision"}
    return without_nothing(
        {
            "resourceType": "Task",
            "id": _id(message, f"Task{task.assignment_id}"),
            "meta": {"versionId": str(message.number)},
            "identifier": [{"system": ASSIGNMENT_ID, "value": task.assignment_id}],
            "groupIdentifier": {"system": CASE_ID, "value": message.case_id},
            "status": task.status,
            "businessStatus": business if task.business_status else None,
            "intent": "order",
            "priority": message.referral.priority if message.referral.priority in _PRIORITIES else None,
            "code": code,
            "focus": reference("ServiceRequest", ids["request"]),
            "for": reference("Patient", ids["patient"]),
            "authoredOn": message.at.isoformat(),
            "owner": {
                "identifier": {"system": TEAM, "value": message.team},
                "display": municipality.teams[message.team].display,
            },
            "description": explanation(message.decision, municipality).text,
            "note": [{"text": task.note}] if task.note else [],
            "input": [{"type": kind, "valueString": decision}],
        }
    )
