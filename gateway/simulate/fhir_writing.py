"""A simulated referral as the provisional FHIR message, or as a ServiceRequest alone.

The form is that of docs/howto/send-a-fhir-referral.md.
"""

from datetime import datetime
from uuid import UUID

from gateway.mapping.fhir.message import (
    ORGANIZATION_PROFILE,
    PROVENANCE_PROFILE,
    Json,
    Sides,
    Spot,
    coded,
    header,
    message_bundle,
    narrative,
    own_provenance,
    reference,
    resource,
    without_nothing,
)
from gateway.mapping.fhir.people import name_of, patient_identifier
from gateway.mapping.fhir.systems import GLN, ICPC2, MUNICIPALITY, MUNICIPALITY_EXTENSION, SKS, SOR, YDERNUMMER
from gateway.municipality.model import Municipality
from gateway.referral.letters import FhirParty
from gateway.referral.model import Citizen, CodeSystem, Diagnosis, Party
from gateway.referral.workdays import COPENHAGEN
from gateway.simulate.referrals import Drawn

_BASE = "https://simulator.invalid/fhir"
_MESSAGING = "http://medcomfhir.dk/ig/messaging/StructureDefinition"
_CORE = "http://hl7.dk/fhir/core/StructureDefinition"
_PATIENT = "http://medcomfhir.dk/ig/core/StructureDefinition/medcom-core-patient"
#: of the draft dk-medcom-ref-lm, as the municipality file has them
_EVENTS = "http://medcomehmi.dk/ig/dk-medcom-ref-lm/CodeSystem/ehmi-message-event-cs"
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_SYSTEMS = {CodeSystem.SKS: SKS, CodeSystem.ICPC2: ICPC2}


# ------------------------------------------------------------------ the two forms
def message(drawn: Drawn, municipality: Municipality, sent: datetime) -> Json:
    """The message Bundle: header, provenance, both organisations, the citizen, the request, its reasons."""
    spot = Spot(letter_id=drawn.uuid, base=_BASE)
    sides = Sides(sender=_fhir_party(drawn.referral.sender, drawn.sender.sor), receiver=_ours(municipality, drawn))
    event = "update-referral" if drawn.referral.correction else "new-referral"
    head = header(spot, sides, event, f"{_MESSAGING}/medcom-messaging-messageHeader", _focus(spot))
    head |= {"eventCoding": {"system": _EVENTS, "code": event}}
    activity = "modified-message" if drawn.referral.correction else "new-message"
    resources = [
        head,
        own_provenance(spot, activity, PROVENANCE_PROFILE, (), sent),
        _organization(spot.id("sender"), drawn.referral.sender, drawn.sender.sor),
        _organization(spot.id("receiver"), _numbered(drawn, municipality), municipality.letterhead.sor),
        *_content(drawn, spot),
    ]
    bundle = message_bundle(spot, f"{_MESSAGING}/medcom-messaging-message", resources, sent)
    return bundle | {"id": drawn.envelope_uuid}


def alone(drawn: Drawn, municipality: Municipality) -> Json:
    """The ServiceRequest with everything contained."""
    spot = Spot(letter_id=drawn.uuid, base=_BASE)
    organizations = [
        _organization(spot.id("sender"), drawn.referral.sender, drawn.sender.sor),
        _organization(spot.id("receiver"), _numbered(drawn, municipality), municipality.letterhead.sor),
    ]
    patient, request, *conditions = _content(drawn, spot)
    contained = [*organizations, patient, *conditions]
    whole = {name: _inside(item) for name, item in request.items()} | {"id": drawn.uuid}
    kind, own = whole.pop("resourceType"), whole.pop("id")
    return {"resourceType": kind, "id": own, "contained": [_inside(one) for one in contained]} | whole


def _inside(value: object) -> object:
    """The same with references to what is contained; what is contained has no narrative and no profile of its own."""
    if isinstance(value, list):
        return [_inside(one) for one in value]
    if not isinstance(value, dict):
        return value
    pointed = value.get("reference")
    if isinstance(pointed, str):
        return {"reference": "#" + pointed.partition("/")[2]}
    left = ("text", "meta") if "resourceType" in value else ()
    return {name: _inside(item) for name, item in value.items() if name not in left}


# ------------------------------------------------------------------ the organisations
def _focus(spot: Spot) -> Json:
    return {"focus": [reference("ServiceRequest", spot.id("request"))]}


def _fhir_party(party: Party, sor: str) -> FhirParty:
    return FhirParty(gln=party.gln or "", sor=sor, name=party.organisation or "")


def _ours(municipality: Municipality, drawn: Drawn) -> FhirParty:
    return _fhir_party(drawn.referral.receiver, municipality.letterhead.sor)


def _numbered(drawn: Drawn, municipality: Municipality) -> Party:
    """The receiver with its municipality number as dk-core writes it."""
    party = drawn.referral.receiver
    own = party.identifier == municipality.letterhead.identifier
    return Party(
        gln=party.gln,
        identifier=municipality.code if own else (party.identifier or "").zfill(4),
        identifier_code="kommunenummer",
        organisation=party.organisation,
    )


def _organization(own: str, party: Party, sor: str) -> Json:
    numbers = [(GLN, party.gln), (SOR, sor)]
    if party.identifier_code == "ydernummer":
        numbers.append((YDERNUMMER, party.identifier))
    if party.identifier_code == "kommunenummer":
        numbers.append((MUNICIPALITY, (party.identifier or "").zfill(4)))
    identifiers = [{"use": "official", "system": s, "value": value} for s, value in numbers if value]
    name = party.organisation or ""
    rest: Json = {"identifier": identifiers, "name": name}
    return resource("Organization", own, ORGANIZATION_PROFILE, narrative(name), rest)


# ------------------------------------------------------------------ what is referred
def _content(drawn: Drawn, spot: Spot) -> list[Json]:
    """Patient, ServiceRequest, Conditions."""
    conditions = [_condition(spot, n, d) for n, d in enumerate(drawn.referral.diagnoses)]
    return [_patient(spot, drawn.referral.citizen), _request(drawn, spot, conditions), *conditions]


def _patient(spot: Spot, citizen: Citizen) -> Json:
    address = citizen.address
    concept = coded(MUNICIPALITY, citizen.municipality_code or "")
    home: Json = {
        "extension": [{"url": MUNICIPALITY_EXTENSION, "valueCodeableConcept": concept}],
        "use": "home",
        "line": [address.street],
        "city": address.district,
        "postalCode": address.postcode,
    }
    rest: Json = {
        "identifier": [patient_identifier(citizen)],
        "name": [name_of(citizen)],
        "telecom": [{"system": "phone", "value": phone.number, "use": "mobile"} for phone in citizen.phones],
        "address": [without_nothing(home)],
    }
    told = f"{citizen.given_name} {citizen.surname}"
    return resource("Patient", spot.id("patient"), _PATIENT, narrative(told), rest)


def _request(drawn: Drawn, spot: Spot, conditions: list[Json]) -> Json:
    referral = drawn.referral
    requester = reference("Patient", spot.id("patient"))
    if not referral.self_referred:
        requester = reference("Organization", spot.id("sender"))
    rest: Json = {
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": UUID(referral.episode_id).urn}],
        "status": "active",
        "intent": "order",
        "priority": "urgent" if drawn.matter.priority else "routine",
        "code": {"text": "Henvisning til kommunalt forebyggelsestilbud"},
        "subject": reference("Patient", spot.id("patient")),
        "authoredOn": referral.authorised.astimezone(COPENHAGEN).isoformat(timespec="seconds"),
        "requester": requester,
        "performer": [reference("Organization", spot.id("receiver"))],
        "reasonReference": [reference("Condition", str(one["id"])) for one in conditions],
        "note": [{"text": text.text} for text in referral.texts],
    }
    profile = f"{_CORE}/dk-core-person-servicerequest"
    return resource("ServiceRequest", spot.id("request"), profile, narrative("Henvisning"), rest)


def _condition(spot: Spot, number: int, diagnosis: Diagnosis) -> Json:
    coding = []
    if diagnosis.system and diagnosis.code:
        coding = [{"system": _SYSTEMS[diagnosis.system], "code": diagnosis.code}]
    rest: Json = {
        "clinicalStatus": coded(_CLINICAL, "active"),
        "code": without_nothing({"coding": coding, "text": diagnosis.text}),
        "subject": reference("Patient", spot.id("patient")),
    }
    own = spot.id(f"condition{number}")
    return resource("Condition", own, f"{_CORE}/dk-core-condition", narrative(diagnosis.text), rest)
