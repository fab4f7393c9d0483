"""Receipts for what we sent: matched, settled once, never receipted."""

import pytest

from gateway.receive import read
from gateway.referral.answer import keys_of
from gateway.referral.inbox import Known
from tests.builders import (
    SENDER_GLN,
    VANS_ENVELOPE,
    VANS_MESSAGE,
    faults,
    handle,
    sent_letter,
    vans,
    vans_receipt,
    xctl,
)

OURS = Known(sent=(sent_letter(),))
NAMED, BY_ENVELOPE = "UDBREV00000001", "UDGAAENDE00001"


@pytest.mark.parametrize(
    ("data", "verdict", "why"),
    [
        (xctl("XCTL03", NAMED), "delivered", "XCTL03"),
        (xctl("XCTL03", answers=BY_ENVELOPE), "delivered", "XCTL03"),
        (xctl("XCTL02", NAMED, code="problem_med_version"), "refused", "XCTL02 problem_med_version"),
        (xctl("XCTL02", NAMED, letter_code="syntaksfejl"), "refused", "XCTL02 syntaksfejl"),
        (
            xctl("XCTL02", "ANDET", NAMED, code="ikke_specificeret", letter_code="syntaksfejl"),
            "refused",
            "XCTL02 syntaksfejl",
        ),
        (xctl("XCTL02", answers=BY_ENVELOPE), "refused", "XCTL02"),
        (xctl("XCTL01", NAMED, code="ukendt_lokationsnummer"), "refused", "XCTL01 ukendt_lokationsnummer"),
        (vans(xctl("XCTL03", NAMED)), "delivered", "XCTL03"),
        (vans(xctl("XCTL03", answers=NAMED)), "delivered", "XCTL03"),
        (vans_receipt("PositiveMessage"), "delivered", "VANS PositiveMessage"),
        (vans_receipt("PositiveMessage", message_id=VANS_MESSAGE.upper()), "delivered", "VANS PositiveMessage"),
        (vans_receipt("NegativeMessage"), "refused", "VANS NegativeMessage ikke_specificeret"),
        (vans_receipt("NegativeVans"), "refused", "VANS NegativeVans ikke_specificeret"),
        (
            vans_receipt("NegativeVans", answers=VANS_ENVELOPE.upper(), message_id=None),
            "refused",
            "VANS NegativeVans ikke_specificeret",
        ),
    ],
)
def test_a_receipt_settles_the_letter_it_names(data: bytes, verdict: str, why: str) -> None:
    outcome = handle(data, OURS)
    assert [(s.letter_id, s.verdict, s.why) for s in outcome.settled] == [(NAMED, verdict, why)]
    assert faults(outcome) == (["GW-172"] if verdict == "refused" else [])
    assert outcome.outgoing == outcome.cases == outcome.resend == ()


def test_the_words_of_a_refusal_stay_out_of_the_parked_reason() -> None:
    outcome = handle(xctl("XCTL02", NAMED, code="syntaksfejl"), OURS)
    assert outcome.parked[0].fault.detail == "XCTL02 syntaksfejl"


def test_one_receipt_for_several_letters() -> None:
    second = sent_letter(letter_id="UDBREV00000002", message_id="other")
    outcome = handle(xctl("XCTL03", NAMED, "UDBREV00000002"), Known(sent=(sent_letter(), second)))
    assert {s.letter_id for s in outcome.settled} == {NAMED, "UDBREV00000002"}
    by_envelope = handle(xctl("XCTL03", answers=BY_ENVELOPE), Known(sent=(sent_letter(), second)))
    assert len(by_envelope.settled) == 2


@pytest.mark.parametrize(
    "data",
    [
        xctl("XCTL03", "UKENDT"),
        xctl("XCTL02", answers="UKENDT", code="syntaksfejl"),
        vans_receipt("PositiveMessage", message_id="00000000-0000-4000-8000-000000000000"),
        vans_receipt("NegativeVans", answers="00000000-0000-4000-8000-000000000000", message_id=None),
    ],
)
def test_a_receipt_that_fits_nothing_is_put_aside(data: bytes) -> None:
    outcome = handle(data, OURS)
    assert faults(outcome) == ["GW-170"]
    assert outcome.parked[0].sender == SENDER_GLN
    assert outcome.settled == outcome.outgoing == ()


@pytest.mark.parametrize("second", [xctl("XCTL02", NAMED, code="syntaksfejl"), vans_receipt("PositiveMessage")])
def test_after_a_refusal_nothing_changes(second: bytes) -> None:
    outcome = handle(second, Known(sent=(sent_letter(verdict="refused"),)))
    assert [settled.again for settled in outcome.settled] == [True]
    assert outcome.parked == ()


def test_a_second_receipt_that_says_the_same_is_noted() -> None:
    first, second = vans_receipt("PositiveMessage"), xctl("XCTL03", NAMED)
    (settled,) = handle(second, Known(sent=(sent_letter(verdict="delivered"),))).settled
    assert (settled.verdict, settled.again) == ("delivered", True)
    assert not handle(first, OURS).settled[0].again


def test_a_refusal_after_the_transports_receipt_is_seen() -> None:
    outcome = handle(xctl("XCTL02", NAMED, code="syntaksfejl"), Known(sent=(sent_letter(verdict="delivered"),)))
    assert faults(outcome) == ["GW-172"]


@pytest.mark.parametrize("kind", ["XCTL01", "XCTL02", "XCTL03"])
def test_a_receipt_is_never_receipted(kind: str) -> None:
    asked = xctl(kind, NAMED).replace(b"minuspositivkvitt", b"pluspositivkvitt")
    broken = asked.replace(b"<OriginalSender>", b"<Fejl/><OriginalSender>")
    for data in (asked, vans(asked), broken, vans(broken), asked[:-30], vans(asked[:-30])):
        assert handle(data, OURS).outgoing == ()


def test_the_same_receipt_twice_does_nothing_twice() -> None:
    data = xctl("XCTL03", NAMED)
    again = handle(data, OURS.fold(handle(data, OURS)))
    assert again.duplicate
    assert again.settled == again.resend == ()


def test_all_names_of_ours_are_looked_up() -> None:
    assert keys_of(read(xctl("XCTL03", NAMED))).sent == {NAMED, BY_ENVELOPE}
    assert keys_of(read(vans_receipt("PositiveMessage"))).sent == {VANS_ENVELOPE, VANS_MESSAGE}
    assert keys_of(read(vans_receipt("NegativeVans", message_id=None))).sent == {VANS_ENVELOPE}
