"""A CareCommunication from the GP: its words, its author, its case."""

from typing import Any

import pytest

from gateway.mapping.fhir.opened import Opened, UnusableError, check_message
from gateway.mapping.fhir.replies import correspondence
from gateway.mapping.fhir.structure import structure_fault
from gateway.referral.correspondence import Correspondence
from tests.builders import CPR, OUR_GLN, SENDER_GLN
from tests.fhir_messages import (
    HEADER_ID,
    PATIENT,
    SENT,
    TERMS,
    Json,
    bundle,
    coded,
    header,
    narrative,
    organization,
    patient,
    provenance,
    receiver,
)

CORE = "http://medcomfhir.dk/ig/core/StructureDefinition/medcom-core-"
DEFINITION = "http://medcomfhir.dk/ig/messagedefinitions/MessageDefinition/MedComCareCommunicationMessageDefinition|5.0"
DOCTOR: Json = {"resourceType": "Practitioner", "id": "doctor-1", "name": [{"given": ["Mona"], "family": "Prøvelæge"}]}
ROLE: Json = {
    "resourceType": "PractitionerRole",
    "id": "role-1",
    "practitioner": {"reference": "Practitioner/doctor-1"},
    "code": [{"text": "læge"}],
}
ENCOUNTER: Json = {
    "resourceType": "Encounter",
    "id": "encounter-1",
    "status": "unknown",
    "class": {"code": "AMB"},
    "episodeOfCare": [{"identifier": {"value": "urn:uuid:4b7c1f0a-9d2e-4c6f-8a1b-3c5d7e9f0a1b"}}],
}


def payload(words: str, day: str = "2026-11-16T10:00:00+01:00", author: str = "PractitionerRole/role-1") -> Json:
    told = [
        {"url": f"{CORE}datetime-extension", "valueDateTime": day},
        {"url": f"{CORE}practitioner-extension", "valueReference": {"reference": author}},
    ]
    return {"extension": told, "contentString": words}


def communication(*parts: Json, **more: object) -> Json:
    found = {
        "resourceType": "Communication",
        "id": "communication-1",
        "text": narrative(),
        "status": "unknown",
        "category": [coded(f"{TERMS}medcom-careCommunication-categoryCodes", "regarding-referral")],
        "subject": {"reference": f"Patient/{PATIENT}"},
        "encounter": {"reference": "Encounter/encounter-1"},
        "topic": {"text": "Svar"},
        "payload": list(parts) or [payload("Tak.")],
        **more,
    }
    return {name: item for name, item in found.items() if item is not None}


def care(*behind: Json) -> Json:
    focus = [{"reference": "Communication/communication-1"}]
    head = header(
        "care-communication-message", f"{TERMS}medcom-messaging-eventCodes", focus=focus, definition=DEFINITION
    )
    return bundle(head, provenance("reply-message"), organization(), receiver(), patient(), *behind)


def told(value: Json) -> Correspondence:
    assert structure_fault(value) is None
    opened = Opened(value)
    return correspondence(opened, check_message(opened))


def test_all_its_words_with_author_and_case() -> None:
    found = told(
        care(communication(payload("Først."), payload("Så.", "2026-11-16T11:00:00+01:00")), ENCOUNTER, ROLE, DOCTOR)
    )
    assert (found.message_type, found.version, found.letter_id) == ("CareCommunication", "5.0", HEADER_ID)
    assert found.text == "Først.\n\nSå."
    assert found.subject == "Svar"
    assert found.episode_id == "4b7c1f0a-9d2e-4c6f-8a1b-3c5d7e9f0a1b"
    assert (found.sender.gln, found.receiver.gln, found.citizen.cpr) == (SENDER_GLN, OUR_GLN, CPR)
    assert found.author == "Mona Prøvelæge, læge"
    assert found.at.isoformat() == "2026-11-16T11:00:00+01:00"


def test_without_author_topic_and_time() -> None:
    plain = communication({"contentString": "Tak."}, topic=None, encounter=None)
    found = told(care(plain))
    assert (found.author, found.subject, found.episode_id, found.at.isoformat()) == (
        None,
        "regarding-referral",
        None,
        SENT,
    )
    assert told(care(communication(payload("a", author="Practitioner/doctor-1")), ENCOUNTER, DOCTOR)).author is None
    nameless = {**ROLE, "practitioner": {"display": "x"}, "code": [{"text": "læge"}]}
    assert told(care(communication(), ENCOUNTER, nameless)).author == "læge"
    nobody = {"resourceType": "PractitionerRole", "id": "role-1", "active": True}
    assert told(care(communication(), ENCOUNTER, nobody)).author is None


def test_what_is_attached_is_named() -> None:
    titled = {
        "contentAttachment": {"title": "EKG", "url": "https://praksis.example/ekg", "contentType": "application/pdf"}
    }
    untitled = {"contentAttachment": {"contentType": "image/png", "data": "YQ=="}}
    found = told(care(communication(titled, untitled, {"contentAttachment": {"data": "YQ=="}}), ENCOUNTER))
    assert [(a.description, a.url) for a in found.attachments] == [
        ("EKG", "https://praksis.example/ekg"),
        ("image/png", None),
        ("bilag", None),
    ]
    assert found.text == ""


BROKEN: list[tuple[Any, str]] = [
    (care(), "GW-145"),
    (care(communication(), {**communication(), "id": "x"}), "GW-144"),
    (care(communication(subject=None)), "GW-142"),
    (care(communication(), {**patient(), "id": "x"}), "GW-144"),
    ({**care(communication({"contentString": "a"})), "timestamp": "0001-01-01T00:00:00Z"}, "GW-141"),
]


@pytest.mark.parametrize(("value", "fault_id"), BROKEN)
def test_a_broken_rule(value: Json, fault_id: str) -> None:
    with pytest.raises(UnusableError) as found:
        told(value)
    assert found.value.fault.id == fault_id
