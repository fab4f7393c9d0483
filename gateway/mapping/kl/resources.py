"""Content → the resources of KL's prevention guide (kl.dk.fhir.prevention 2.1.1); references are ``Type/id``."""

from typing import Final

from fsiii import (
    FSIII_SYSTEM,
    PLAN_FOLLOW_UP_119,
    PLAN_INTERVENTION_119,
    SERVICE_TYPE_119,
    CareSocialGroup,
    care_social_codes,
    conditions_119,
    interventions_119,
)
from gateway.mapping.fhir.message import reference, without_nothing
from gateway.mapping.fhir.resources import Json
from gateway.mapping.fhir.systems import CPR, ICPC2, SKS, SOR
from gateway.mapping.kl.content import (
    CarePlan,
    Condition,
    Encounter,
    FocusCondition,
    Item,
    PlannedIntervention,
    Progress,
    ServiceRequest,
)
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.model import CodeSystem

GUIDE: Final = "http://fhir.kl.dk/prevention/StructureDefinition"
HL7: Final = "http://terminology.hl7.org/CodeSystem"
_SYSTEMS = {CodeSystem.SKS: SKS, CodeSystem.ICPC2: ICPC2}
#: CarePlan.status and CarePlan.activity.detail.status
_STATUSES = {
    Progress.ACTIVE: ("active", "in-progress"),
    Progress.COMPLETED: ("completed", "completed"),
    Progress.CANCELLED: ("revoked", "cancelled"),
    Progress.STOPPED: ("revoked", "stopped"),
    Progress.UNKNOWN: ("unknown", "unknown"),
}


def profiled(kind: str, own: str, name: str, rest: Json) -> Json:
    """A resource that claims the profile ``klgateway-119-<name>``."""
    head: Json = {"resourceType": kind, "id": own, "meta": {"profile": [f"{GUIDE}/klgateway-119-{name}"]}}
    return head | without_nothing(rest)


def citizen(own: str, cpr: str, keeper: str) -> Json:
    """The citizen; ``keeper`` is the SOR id of the municipality. Nobody tells us of a death: false is «not known»."""
    rest: Json = {
        "identifier": [{"use": "official", "system": CPR, "value": cpr}],
        "deceasedBoolean": False,
        "managingOrganization": {"identifier": _sor(keeper)},
    }
    return profiled("Patient", own, "citizen", rest)


def organization(sor: str) -> Json:
    """An organisation by its SOR id."""
    return profiled("Organization", organization_id(sor), "organization", {"identifier": [_sor(sor)]})


def organization_id(sor: str) -> str:
    """The same organisation has the same id in every report."""
    return fhir_id(Cause(sender="SOR", id=sor), "Organization", "KL")


def _sor(sor: str) -> Json:
    return {"use": "official", "system": SOR, "value": sor}


def resource(item: Item, patient: str) -> Json:
    """One thing as a resource about the citizen with that id."""
    subject = reference("Patient", patient)
    if isinstance(item, FocusCondition):
        return _focus_condition(item, subject)
    if isinstance(item, ServiceRequest):
        return _service_request(item, subject)
    if isinstance(item, Condition):
        return _condition(item, subject)
    if isinstance(item, CarePlan):
        return _care_plan(item, subject)
    if isinstance(item, PlannedIntervention):
        return _planned_intervention(item, subject)
    return _encounter(item, subject)


def _administrative(group: CareSocialGroup, code: str) -> Json:
    """A CodeableConcept of KL's administrative codes."""
    return {"coding": [_coding(group, code)]}


def _coding(group: CareSocialGroup, code: str) -> Json:
    found = care_social_codes(group)[code]
    return {"system": found.system, "code": found.code, "display": found.display}


def _hl7(system: str, code: str) -> Json:
    return {"coding": [{"system": f"{HL7}/{system}", "code": code}]}


# ------------------------------------------------------------------ the referral
def _focus_condition(item: FocusCondition, subject: Json) -> Json:
    coding = [{"system": _SYSTEMS[item.system], "code": item.code}] if item.system else []
    rest: Json = {
        "clinicalStatus": _hl7("condition-clinical", "active"),
        "code": without_nothing({"coding": coding, "text": item.text}),
        "subject": subject,
    }
    return profiled("Condition", item.id, "focus-condition", rest)


def _service_request(item: ServiceRequest, subject: Json) -> Json:
    rest: Json = {
        "replaces": [reference("ServiceRequest", item.replaces)] if item.replaces else [],
        "status": "revoked" if item.revoked else "active",
        "intent": "plan",
        "code": _administrative("service_type", SERVICE_TYPE_119),
        "subject": subject,
        "authoredOn": item.received.isoformat(),
        "requester": reference("Organization", organization_id(item.requester)) if item.requester else None,
        "reasonReference": [reference("Condition", own) for own in item.reasons],
    }
    return profiled("ServiceRequest", item.id, "servicerequest", rest)


# ------------------------------------------------------------------ what the municipality does
def _condition(item: Condition, subject: Json) -> Json:
    """In focus (``problem-list-item``) while active, and only then (Condition.category of the profile)."""
    rest: Json = {
        "clinicalStatus": _hl7("condition-clinical", "active" if item.active else "inactive"),
        "verificationStatus": _hl7("condition-ver-status", "confirmed"),
        "category": [_hl7("condition-category", "problem-list-item")] if item.active else [],
        "code": {
            "coding": [{"system": FSIII_SYSTEM, "code": item.code, "display": conditions_119()[item.code].display}],
        },
        "subject": subject,
        "recordedDate": item.recorded.isoformat(),
    }
    return profiled("Condition", item.id, "condition", rest)


def _care_plan(item: CarePlan, subject: Json) -> Json:
    category = PLAN_FOLLOW_UP_119 if item.follow_up else PLAN_INTERVENTION_119
    reason = _administrative("stop_reason", item.stop_reason) if item.stop_reason else None
    rest = _undertaking(item, subject, {"statusReason": reason})
    return profiled("CarePlan", item.id, "care-plan", {"category": [_administrative("plan_category", category)]} | rest)


def _planned_intervention(item: PlannedIntervention, subject: Json) -> Json:
    delivery: Json = {
        "url": f"{GUIDE}/DeliveryType",
        "valueCodeableConcept": _administrative("delivery_type", item.delivery),
    }
    code: Json = {"system": FSIII_SYSTEM, "code": item.code, "display": interventions_119()[item.code].display}
    detail: Json = {
        "extension": [delivery],
        "code": {"coding": [code]},
        "reasonReference": [reference("Condition", own) for own in item.reasons],
    }
    based_on = [reference("CarePlan", item.plan)] if item.plan else []
    return profiled(
        "CarePlan", item.id, "planned-intervention", {"basedOn": based_on} | _undertaking(item, subject, detail)
    )


def _undertaking(item: CarePlan | PlannedIntervention, subject: Json, detail: Json) -> Json:
    status, activity = _STATUSES[item.progress]
    performer = reference("Organization", organization_id(item.performer))
    period: Json = {"start": item.start.isoformat(), "end": item.end.isoformat() if item.end else None}
    return {
        "status": status,
        "intent": "plan",
        "subject": subject,
        "period": without_nothing(period),
        "activity": [{"detail": without_nothing({**detail, "status": activity, "performer": [performer]})}],
    }


def _encounter(item: Encounter, subject: Json) -> Json:
    based_on: Json = {
        "url": f"{GUIDE}/BasedOnCarePlanExtension",
        "valueReference": reference("CarePlan", item.based_on or ""),
    }
    rest: Json = {
        "extension": [based_on] if item.based_on else [],
        "status": "finished",
        "class": _coding("contact_class", item.contact_class),
        "subject": subject,
        "period": {"start": item.start.isoformat(), "end": item.end.isoformat()},
    }
    return profiled("Encounter", item.id, "encounter", rest)
