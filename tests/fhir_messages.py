"""FHIR messages with defaults: a test states only what matters to it. Persons, practices and numbers are invented."""

import json
from copy import deepcopy
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from tests.builders import CPR, EPISODE, NAME, OUR_GLN, SENDER_GLN, WORDS

Json = dict[str, Any]

BUNDLE_ID, HEADER_ID = "5b1f6c1e-7a55-4d0e-9a4e-000000000001", "5b1f6c1e-7a55-4d0e-9a4e-000000000002"
PATIENT, SENDER, RECEIVER, REQUEST = (f"5b1f6c1e-7a55-4d0e-9a4e-0000000000{n}" for n in (10, 11, 12, 13))
GLN, NEW_GLN = "https://www.gs1.org/gln", "http://www.gs1.org/gln"
SOR, YDER, CPR_SYSTEM = "urn:oid:1.2.208.176.1.1", "urn:oid:1.2.208.176.1.4", "urn:oid:1.2.208.176.1.2"
X_ECPR, D_ECPR = "urn:oid:1.2.208.176.1.6.1.1", "urn:oid:1.2.208.176.1.6.1.3.187"
SKS, ICPC2, LOINC, NPU = (
    "urn:oid:1.2.208.176.2.4.12",
    "urn:oid:1.2.208.176.2.31",
    "http://loinc.org",
    "urn:oid:1.2.208.176.2.1",
)
MUNICIPALITY = "http://hl7.dk/fhir/core/CodeSystem/dk-core-municipality-codes"
CORE = "http://hl7.dk/fhir/core/StructureDefinition/"
MESSAGING = "http://medcomfhir.dk/ig/messaging/StructureDefinition/medcom-messaging-"
TERMS = "http://medcomfhir.dk/ig/terminology/CodeSystem/"
DRAFT_EVENTS = "http://medcomehmi.dk/ig/dk-medcom-ref-lm/CodeSystem/ehmi-message-event-cs"
#: when the default message was written and sent
WRITTEN, SENT = "2026-11-16T09:10:00+01:00", "2026-11-16T09:15:00+01:00"


def without_nothing(given: Json) -> Json:
    """FHIR knows no null and nothing empty."""
    return {key: value for key, value in given.items() if value not in (None, [], {}, "")}


def narrative() -> Json:
    """The text that every MedCom resource has."""
    return {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Se indholdet</div>'}


def coded(system: str | None, code: str | None, text: str | None = None) -> Json:
    """A CodeableConcept."""
    return without_nothing({"coding": [{"system": system, "code": code}] if code else [], "text": text})


def identifier(system: str, value: str, use: str = "official") -> Json:
    return {"use": use, "system": system, "value": value}


def patient(*, cpr: str = CPR, system: str = CPR_SYSTEM, surname: str = NAME, **more: object) -> Json:
    use = "official" if system == CPR_SYSTEM else "temp"
    return without_nothing(
        {
            "resourceType": "Patient",
            "id": PATIENT,
            "text": narrative(),
            "identifier": [identifier(system, cpr, use)],
            "name": [{"use": "official", "family": surname, "given": ["Kai", "Prøve"]}],
            "telecom": [{"system": "phone", "value": "43570000", "use": "mobile"}],
            "address": [{"use": "home", "line": ["Prøvevej 1"], "city": "Ishøj", "postalCode": "2635"}],
            **more,
        }
    )


def lives_in(code: str | None = None, postcode: str | None = None) -> list[Json]:
    """An address with the municipality's code."""
    concept = {"coding": [{"system": MUNICIPALITY, "code": code}]}
    extension = [{"url": f"{CORE}dk-core-municipalityCodes", "valueCodeableConcept": concept}] if code else []
    return [without_nothing({"extension": extension, "use": "home", "postalCode": postcode})]


def organization(own: str = SENDER, *identifiers: Json, **more: object) -> Json:
    ids = identifiers or (identifier(GLN, SENDER_GLN), identifier(SOR, "123450000001005"), identifier(YDER, "079741"))
    name = {"name": "Lægehuset Prøvely"}
    return {"resourceType": "Organization", "id": own, "text": narrative(), "identifier": list(ids), **name, **more}


def receiver(gln: str = OUR_GLN) -> Json:
    ours = identifier(MUNICIPALITY, "0183")
    return organization(RECEIVER, identifier(GLN, gln), identifier(SOR, "543210000016001"), ours, name="Ishøj Kommune")


def condition(number: int, code: Json, verification: str | None = None) -> Json:
    terms = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    status = coded(terms, verification) if verification else None
    return without_nothing(
        {
            "resourceType": "Condition",
            "id": f"condition-{number}",
            "text": narrative(),
            "verificationStatus": status,
            "code": code,
            "subject": {"reference": f"Patient/{PATIENT}"},
        }
    )


def observation(number: int, code: Json, value: float | None, unit: str = "mmol/mol", **more: object) -> Json:
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return without_nothing(
        {
            "resourceType": "Observation",
            "id": f"observation-{number}",
            "text": narrative(),
            "status": "final",
            "code": code,
            "subject": {"reference": f"Patient/{PATIENT}"},
            "effectiveDateTime": "2026-11-02",
            "valueQuantity": quantity if value is not None else None,
            **more,
        }
    )


def request(*, note: str | None = WORDS, conditions: int = 1, observations: int = 0, **more: object) -> Json:
    return without_nothing(
        {
            "resourceType": "ServiceRequest",
            "id": REQUEST,
            "text": narrative(),
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{EPISODE}"}],
            "status": "active",
            "intent": "order",
            "priority": "routine",
            "code": {"text": "Henvisning til kommunalt forebyggelsestilbud"},
            "subject": {"reference": f"Patient/{PATIENT}"},
            "authoredOn": WRITTEN,
            "requester": {"reference": f"Organization/{SENDER}"},
            "performer": [{"reference": f"Organization/{RECEIVER}"}],
            "reasonReference": [{"reference": f"Condition/condition-{n}"} for n in range(conditions)],
            "supportingInfo": [{"reference": f"Observation/observation-{n}"} for n in range(observations)],
            "note": [{"text": note}] if note else [],
            **more,
        }
    )


def destination(use: str = "primary", to: str = RECEIVER) -> Json:
    coding = {"system": f"{TERMS}medcom-messaging-destinationUse", "code": use}
    return {
        "extension": [{"url": f"{MESSAGING}destinationUseExtension", "valueCoding": coding}],
        "endpoint": "https://sor2.sum.dsdn.dk/#id=543210000016001",
        "receiver": {"reference": f"Organization/{to}"},
    }


def header(event: str = "new-referral", system: str = DRAFT_EVENTS, **more: object) -> Json:
    return without_nothing(
        {
            "resourceType": "MessageHeader",
            "id": HEADER_ID,
            "text": narrative(),
            "eventCoding": {"system": system, "code": event},
            "destination": [destination()],
            "sender": {"reference": f"Organization/{SENDER}"},
            "source": {"endpoint": "https://sor2.sum.dsdn.dk/#id=123450000001005"},
            "focus": [{"reference": f"ServiceRequest/{REQUEST}"}],
            **more,
        }
    )


def provenance(activity: str = "new-message", **more: object) -> Json:
    return {
        "resourceType": "Provenance",
        "id": "provenance-1",
        "text": narrative(),
        "target": [{"reference": f"MessageHeader/{HEADER_ID}"}],
        "occurredDateTime": SENT,
        "recorded": SENT,
        "activity": coded(f"{TERMS}medcom-messaging-activityCodes", activity),
        "agent": [{"who": {"reference": f"Organization/{SENDER}"}}],
        **more,
    }


def bundle(*resources: Json, **more: object) -> Json:
    """A message Bundle of these resources."""
    entries = [
        {"fullUrl": f"https://praksis.example/fhir/{r['resourceType']}/{r['id']}", "resource": r} for r in resources
    ]
    return {"resourceType": "Bundle", "id": BUNDLE_ID, "type": "message", "timestamp": SENT, "entry": entries, **more}


def referral(*behind: Json, head: Json | None = None, **parts: Json) -> Json:
    """A whole referral: ``head`` and the ``parts`` patient, sender, receiver, request, provenance replace a default."""
    conditions = [r for r in behind if r["resourceType"] == "Condition"]
    observations = [r for r in behind if r["resourceType"] == "Observation"]
    if not behind:
        behind = (condition(0, coded(SKS, "DE119")),)
        conditions = list(behind)
    return bundle(
        head or header(),
        parts.get("provenance", provenance()),
        parts.get("sender", organization()),
        parts.get("receiver", receiver()),
        parts.get("patient", patient()),
        parts.get("request", request(conditions=len(conditions), observations=len(observations))),
        *behind,
    )


def as_json(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def as_xml(value: Json) -> bytes:
    """The same in XML, written by the models of fhir.resources."""
    model = get_fhir_model_class(value["resourceType"])
    text = model.model_validate(deepcopy(value)).model_dump_xml()
    return text if isinstance(text, bytes) else text.encode()
