"""Which rules refuse a FHIR message, and what its event means."""

from typing import Any

import pytest

from gateway.municipality.model import Municipality
from gateway.receive import receive
from gateway.referral.fhir_events import told_by_event
from gateway.referral.inbox import Known
from gateway.referral.letters import FhirParty
from gateway.referral.model import Referral
from tests.builders import CPR, RECEIVED, SENDER_GLN
from tests.fhir_messages import (
    GLN,
    PATIENT,
    RECEIVER,
    SENDER,
    SOR,
    X_ECPR,
    YDER,
    Json,
    bundle,
    destination,
    header,
    identifier,
    organization,
    patient,
    provenance,
    referral,
    request,
)
from tests.mapping.fhir.reading import bare, good, reading, refusal

SENDERS_PARTY = FhirParty(gln=SENDER_GLN, sor="123450000001005", name="Lægehuset Prøvely")


# ------------------------------------------------------------------ events
def after_event(event: str, municipality: Municipality, **more: object) -> tuple[str | None, bool, bool]:
    value = referral(head=header(event), request=request(**more))  # type: ignore[arg-type]  # names of elements
    outcome = receive(reading(value), Known(), municipality, RECEIVED)
    (letter,) = outcome.letters
    if letter.fault is not None:
        return letter.fault.id, False, False
    (case,) = outcome.cases
    return None, case.referral.correction, case.referral.cancellation


@pytest.mark.parametrize(
    ("event", "status", "told"),
    [
        ("new-referral", "active", (None, False, False)),
        ("new-referral", "draft", (None, False, False)),
        ("new-referral", "revoked", ("GW-148", False, False)),
        ("new-referral", "completed", ("GW-148", False, False)),
        ("my-referral", "active", ("GW-110", False, False)),
    ],
)
def test_the_event_says_what_the_message_does(
    event: str, status: str, told: tuple[str | None, bool, bool], municipality: Municipality
) -> None:
    assert after_event(event, municipality, status=status) == told


@pytest.mark.parametrize(
    ("event", "status", "correction", "cancellation"),
    [
        ("new-referral", "active", False, False),
        ("update-referral", "active", True, False),
        ("update-referral", "revoked", False, True),
        ("cancel-referral", "active", False, True),
        ("cancel-referral", "entered-in-error", False, True),
    ],
)
def test_updated_and_taken_back(
    event: str, status: str, *, correction: bool, cancellation: bool, municipality: Municipality
) -> None:
    told = told_by_event(reading(referral(head=header(event), request=request(status=status))), municipality)
    (content,) = [letter.content for letter in told.letters]
    assert isinstance(content, Referral)
    assert (content.correction, content.cancellation) == (correction, cancellation)


def test_a_bare_request_is_taken_back_by_its_status(municipality: Municipality) -> None:
    (letter,) = told_by_event(reading(bare(status="revoked")), municipality).letters
    assert isinstance(letter.content, Referral)
    assert letter.content.cancellation


def test_a_standing_order_not_to_do_it_is_no_referral() -> None:
    assert refusal(referral(request=request(doNotPerform=True))) == ("GW-148", "doNotPerform")


# ------------------------------------------------------------------ rules
def without(value: Json, name: str) -> Json:
    return {key: item for key, item in value.items() if key != name}


def resources(value: Json) -> list[Json]:
    return [entry["resource"] for entry in value["entry"]]


def dropped(kind: str) -> Json:
    value = referral()
    value["entry"] = [e for e in value["entry"] if e["resource"]["resourceType"] != kind]
    return value


def with_one_more(resource: Json) -> Json:
    value = referral()
    value["entry"].append({"resource": resource})
    return value


NO_GLN = organization(SENDER, identifier(SOR, "123450000001005"))
BROKEN: list[tuple[str, Any, str, str]] = [
    ("no Bundle id", without(referral(), "id"), "GW-145", "Bundle.id"),
    ("no timestamp", without(referral(), "timestamp"), "GW-145", "Bundle.timestamp"),
    ("no head", dropped("MessageHeader"), "GW-145", "én MessageHeader, og den først"),
    ("no entries", without(referral(), "entry"), "GW-110", "eventCoding"),
    ("the head is not first", bundle(*reversed(resources(referral()))), "GW-145", "én MessageHeader, og den først"),
    ("two heads", with_one_more({**header(), "id": "x"}), "GW-145", "én MessageHeader, og den først"),
    (
        "an event without code",
        referral(head=header(eventCoding={"system": "urn:x"})),
        "GW-145",
        "MessageHeader.id og eventCoding",
    ),
    (
        "an event by uri",
        referral(head=without(header(), "eventCoding") | {"eventUri": "urn:x"}),
        "GW-145",
        "MessageHeader.id og eventCoding",
    ),
    ("no Provenance", dropped("Provenance"), "GW-145", "en Provenance for MessageHeader"),
    (
        "a Provenance of another",
        referral(provenance=provenance(target=[{"reference": "MessageHeader/x"}])),
        "GW-145",
        "en Provenance for MessageHeader",
    ),
    (
        "a Provenance without time",
        referral(provenance=without(provenance(), "occurredDateTime")),
        "GW-145",
        "Provenance.occurredDateTime og recorded",
    ),
    (
        "an agent who is not there",
        referral(provenance=provenance(agent=[{"who": {"reference": "Organization/x"}}])),
        "GW-142",
        "Organization eller PractitionerRole eller Practitioner mangler",
    ),
    ("no sender", referral(head=without(header(), "sender")), "GW-142", "Organization mangler"),
    ("a sender without GLN", referral(sender=NO_GLN), "GW-147", "afsenderens GLN og SOR-id"),
    (
        "a sender with a wrong GLN",
        referral(sender=organization(SENDER, identifier(GLN, "5790009992012"), identifier(SOR, "1"))),
        "GW-147",
        "afsenderens GLN og SOR-id",
    ),
    (
        "a sender without SOR",
        referral(sender=organization(SENDER, identifier(GLN, SENDER_GLN))),
        "GW-147",
        "afsenderens GLN og SOR-id",
    ),
    (
        "no primary receiver",
        referral(head=header(destination=[destination("cc")])),
        "GW-146",
        "én destination med brugen primary",
    ),
    (
        "two primary receivers",
        referral(head=header(destination=[destination(), destination()])),
        "GW-146",
        "én destination med brugen primary",
    ),
    (
        "a receiver without GLN",
        referral(receiver=organization(RECEIVER, identifier(SOR, "1"))),
        "GW-146",
        "modtagerens GLN",
    ),
    ("no focus", referral(head=header(focus=None)), "GW-145", "MessageHeader.focus"),
    (
        "a focus that is not there",
        referral(head=header(focus=[{"reference": "ServiceRequest/x"}])),
        "GW-142",
        "ServiceRequest mangler",
    ),
    (
        "another focus",
        referral(head=header(focus=[{"reference": f"Patient/{PATIENT}"}])),
        "GW-142",
        "ServiceRequest ventet, ikke Patient",
    ),
    ("no request", dropped("ServiceRequest"), "GW-110", "new-referral"),
    ("no request and an odd event", bundle(header("1203659901"), patient()), "GW-110", "eventCoding"),
    ("two requests", with_one_more({**request(), "id": "x"}), "GW-144", "flere ServiceRequest"),
    ("no citizen", dropped("Patient"), "GW-145", "Patient"),
    ("two citizens", with_one_more(patient(id="x")), "GW-144", "flere Patient"),
    ("about nobody here", referral(request=request(subject={"reference": "Patient/x"})), "GW-142", "Patient mangler"),
    (
        "about an organisation",
        referral(request=request(subject={"reference": f"Organization/{SENDER}"})),
        "GW-142",
        "Patient ventet, ikke Organization",
    ),
    ("a diagnosis that is not there", referral(request=request(conditions=2)), "GW-142", ""),
    (
        "a requester who is not there",
        referral(request=request(requester={"reference": "Organization/x"})),
        "GW-142",
        "",
    ),
    ("one address twice", bundle(*resources(referral()), {**patient(), "id": PATIENT}), "GW-143", "fullUrl"),
    ("one id twice", with_one_more(patient()), "GW-143", "id"),
    ("no identifier", referral(patient=patient(identifier=None)), "GW-147", "Patient.identifier"),
    ("a CPR with a hyphen", referral(patient=patient(cpr="120365-9901")), "GW-147", "Patient.identifier"),
    ("an odd replacement", referral(patient=patient(cpr="hest", system=X_ECPR)), "GW-147", "Patient.identifier"),
    (
        "an identifier of no known system",
        referral(patient=patient(cpr=CPR, system="urn:x")),
        "GW-147",
        "Patient.identifier",
    ),
    (
        "written in the year 1",
        referral(request=request(authoredOn="0001-01-01")),
        "GW-141",
        "ServiceRequest.authoredOn",
    ),
    ("a naive time", referral(request=request(authoredOn="2026-11-16T09:10:00")), "GW-128", ""),
    ("a transaction", bundle(*resources(referral()), type="transaction"), "GW-110", "Bundle transaction"),
    ("another resource", patient(), "GW-110", "Patient"),
    ("a bare request of nobody", bare(requester=None), "GW-147", "ServiceRequest.requester med GLN"),
    (
        "a bare request of someone without GLN",
        bare(organization("org", identifier(YDER, "1")), patient(id="pat"), reasonReference=None),
        "GW-147",
        "ServiceRequest.requester med GLN",
    ),
    ("a bare request to nobody", bare(performer=None), "GW-146", "ServiceRequest.performer med GLN"),
    ("a collection without request", bundle(patient(), type="collection"), "GW-145", "ServiceRequest"),
]


@pytest.mark.parametrize(("value", "fault_id", "detail"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_broken_rule_is_named(value: Json, fault_id: str, detail: str) -> None:
    found = refusal(value)
    assert found[0] == fault_id
    assert found[1] == detail or not detail


def test_references_of_every_kind() -> None:
    value = referral()
    request_ = next(r for r in resources(value) if r["resourceType"] == "ServiceRequest")
    for form in (
        f"https://praksis.example/fhir/Patient/{PATIENT}",
        f"Patient/{PATIENT}/_history/2",
        f"https://other.example/fhir/Patient/{PATIENT}",
    ):
        request_["subject"] = {"reference": form}
        assert good(value).citizen.cpr == CPR
    for entry in value["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["fullUrl"] = "urn:uuid:5b1f6c1e-7a55-4d0e-9a4e-0000000000cc"
    request_["subject"] = {"reference": "urn:uuid:5b1f6c1e-7a55-4d0e-9a4e-0000000000cc"}
    assert good(value).citizen.cpr == CPR
    value["entry"].append({"fullUrl": "urn:x"})
    assert good(value).citizen.cpr == CPR
