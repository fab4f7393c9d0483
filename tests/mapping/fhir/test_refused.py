"""A refused FHIR message is answered wherever its sender can be read; an Acknowledgement never is."""

from typing import Any

import pytest

from gateway.municipality.model import Municipality
from gateway.receive import read, receive
from gateway.referral.inbox import Known
from gateway.referral.letters import Arrival, FhirParty, ReceivedReceipt
from tests.builders import OUR_GLN, RECEIVED, SENDER_GLN
from tests.fhir_messages import (
    BUNDLE_ID,
    HEADER_ID,
    REQUEST,
    SENT,
    TERMS,
    Json,
    as_json,
    as_xml,
    bundle,
    coded,
    header,
    narrative,
    organization,
    patient,
    provenance,
    receiver,
    referral,
)
from tests.mapping.fhir.reading import reading

SENDERS_PARTY = FhirParty(gln=SENDER_GLN, sor="123450000001005", name="Lægehuset Prøvely")


# ------------------------------------------------------------------ refused, and answered all the same
def arrival_of(data: bytes) -> Arrival:
    found = read(data)
    assert found.fault or found.letters[0].fault
    return found.arrival


@pytest.mark.parametrize("written", [as_json, as_xml])
def test_a_refused_message_tells_its_sender_and_its_id(written: Any) -> None:  # noqa: ANN401  (a writer)
    data = written(referral()).replace(b"routine", b"hurtigt!")
    found = read(data)
    (letter,) = found.letters
    assert letter.fault is not None
    assert (letter.fault.id, letter.letter_id, letter.type) == ("GW-127", HEADER_ID, "ServiceRequest")
    assert (found.arrival.sender_gln, found.arrival.receiver_gln, found.arrival.envelope_id) == (
        SENDER_GLN,
        OUR_GLN,
        BUNDLE_ID,
    )


def test_a_message_that_is_cut_off_is_answered_once_its_sender_is_there() -> None:
    value = referral()
    value["entry"][0]["resource"]["text"] = narrative()
    for data in (as_json(value), as_xml(value)):
        end = data.rindex(b"Provenance") if data.startswith(b"{") else len(data) - 30
        whole = arrival_of(data[:-3])
        assert whole.sender_gln == SENDER_GLN
        assert whole.fhir is not None
        assert whole.fhir.message_id == HEADER_ID
        assert arrival_of(data[:end]).fhir is not None
        assert arrival_of(data[:40]).sender_gln is None


def test_hostile_parts_are_left_out_of_the_arrival() -> None:
    for head in (
        header(sender="x"),
        header(destination="x"),
        header(source=7),
        header(eventCoding=[]),
        header(sender={"reference": "#none"}),
    ):
        value = referral(head=head, provenance=provenance(agent="x"))
        assert arrival_of(as_json(value)).envelope_id == BUNDLE_ID
    value = referral(head=header(id="a b"))
    found = read(as_json(value))
    assert found.letters[0].letter_id == REQUEST
    value = bundle({**header(), "id": "a b"}, patient())
    found = read(as_json(value))
    assert found.letters == ()
    assert found.fault is not None
    for entry in ("x", [1], {"a": 1}):
        assert arrival_of(as_json({**referral(), "entry": entry})).sender_gln is None


def test_a_naive_time_of_sending_is_danish() -> None:
    arrival = arrival_of(as_json({**referral(), "timestamp": "2026-11-16T09:15:00"}))
    assert arrival.sent_at is not None
    assert arrival.sent_at.isoformat() == SENT
    assert arrival_of(as_json({**referral(), "timestamp": "2026-99-16T09:15:00"})).sent_at is None


# ------------------------------------------------------------------ Acknowledgement
def acknowledgement(code: str = "ok", **more: object) -> Json:
    response = {"identifier": HEADER_ID, "code": code}
    if code != "ok":
        response["details"] = {"reference": "OperationOutcome/outcome-1"}  # type: ignore[assignment]
    head = header(
        "acknowledgement-message",
        f"{TERMS}medcom-messaging-eventCodes",
        **{"focus": None, "response": response, **more},
    )
    issue = {
        "severity": "fatal",
        "code": "processing",
        "details": coded(f"{TERMS}medcom-acknowledgement-error-codes", "MSG_BAD_SYNTAX"),
    }
    outcome = {"resourceType": "OperationOutcome", "id": "outcome-1", "issue": [issue]}
    return bundle(head, provenance("acknowledgement"), organization(), receiver(), outcome)


def test_an_acknowledgement_is_a_receipt_for_what_we_sent() -> None:
    for code, positive, text in (("ok", True, ""), ("fatal-error", False, "fatal-error: MSG_BAD_SYNTAX")):
        found = reading(acknowledgement(code))
        (letter,) = found.letters
        receipt = letter.content
        assert isinstance(receipt, ReceivedReceipt)
        assert (receipt.kind, receipt.positive, receipt.message_id, receipt.text) == (
            "Acknowledgement",
            positive,
            HEADER_ID,
            text,
        )
        assert letter.letter_id == HEADER_ID
        assert not letter.is_answered


def test_a_broken_acknowledgement_is_never_answered(municipality: Municipality) -> None:
    for value in (acknowledgement(response=None), acknowledgement("maybe"), {**acknowledgement(), "hest": 1}):
        outcome = receive(reading(value), Known(), municipality, RECEIVED)
        assert [p.fault.id for p in outcome.parked] == ["GW-164"]
        assert outcome.outgoing == ()


def test_a_salvaged_list_tells_nothing() -> None:
    found = read(b"[1, 2")
    assert found.fault is not None
    assert found.fault.id == "GW-102"
    assert found.letters == ()


def test_xml_whose_form_is_wrong_is_answered() -> None:
    data = as_xml(referral()).replace(b"<intent ", b"<hensigt ").replace(b"</intent>", b"</hensigt>")
    (letter,) = read(data).letters
    assert letter.fault is not None
    assert (letter.fault.id, letter.letter_id) == ("GW-125", HEADER_ID)
