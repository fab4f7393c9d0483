"""Which clocks run on a case, from when and until when (decision.md §7)."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from gateway.municipality.model import load
from gateway.referral.case import Case
from gateway.referral.clocks import Clock, ClockKind, add_months, attachment_clock, clocks, receipt_clock
from gateway.referral.decide import Decision
from gateway.referral.workdays import COPENHAGEN, local_date
from tests.builders import BACK_TEAM, RECEIVED, emessage, handle, icpc, opened, sks, tell, xref15

ACCEPTED = {"diagnoses": sks("DE119")}
REVIEW = {"diagnoses": icpc("A97")}
RETURN = {"diagnoses": icpc("T82")}
BOTH_TEAMS = {"diagnoses": (*sks("DE119"), *icpc("L86")), "text": "Færdigudredt."}
TALK_THERE = {"period": {"start": "2026-11-24T10:00:00+01:00", "end": "2026-11-24T11:00:00+01:00"}}


def after(case: Case, *steps: str | tuple[str, dict[str, Any]]) -> Case:
    for number, step in enumerate(steps):
        kind, changes = step if isinstance(step, tuple) else (step, {})
        outcome = tell(case, kind, **{"event_id": f"E-{number}", "case_id": case.case_id} | changes)
        assert not outcome.parked, outcome.parked
        case = outcome.cases[0]
    return case


def running(case: Case) -> dict[str, Clock]:
    found = {clock.kind.value: clock for clock in clocks(case, load())}
    assert len(found) == len(clocks(case, load()))
    return found


def received(moment: str, **given: Any) -> Case:  # noqa: ANN401  (parts of an XREF15)
    (case,) = handle(emessage(xref15(**given)), at=at(moment)).cases
    return case


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=COPENHAGEN)


def deciding(case: Case, **changes: object) -> Case:
    decision: Decision = msgspec.structs.replace(case.decision, **changes)
    return msgspec.structs.replace(case, decision=decision)


# ------------------------------------------------------------------ which clocks run
@pytest.mark.parametrize(
    ("given", "steps", "kinds"),
    [
        (ACCEPTED, [], "first_talk"),
        (ACCEPTED, ["accepted", "contacted", "talk_booked", "no_show"], "first_talk"),
        (ACCEPTED, ["info_requested"], "first_talk"),
        (ACCEPTED, ["talk_held"], ""),
        (ACCEPTED, ["course_started"], ""),
        (ACCEPTED, ["not_reached"], ""),
        (ACCEPTED, ["declined_by_citizen"], ""),
        (ACCEPTED, [("reassigned", {"to_team": BACK_TEAM})], "first_talk"),
        (ACCEPTED, ["talk_held", "referred_on"], ""),
        (ACCEPTED, ["talk_held", ("reassigned", {"to_team": BACK_TEAM})], ""),
        (ACCEPTED, ["talk_held", ("withdrawn", {"withdraws": "E-0"})], "first_talk"),
        (BOTH_TEAMS, ["talk_held"], "first_talk"),
        (BOTH_TEAMS, ["talk_held", ("talk_held", {"team": BACK_TEAM})], ""),
        (REVIEW, [], "decision first_talk"),
        (REVIEW, ["info_requested"], "first_talk"),
        (REVIEW, ["info_requested", "info_received"], "decision first_talk"),
        (REVIEW, ["referral_requested"], "first_talk"),
        (REVIEW, ["review_decided"], "first_talk"),
        (REVIEW, ["returned"], ""),
        (RETURN, [], "drafted_return"),
        (RETURN, ["info_requested"], "first_talk"),
        (RETURN, ["returned"], ""),
        (RETURN, ["returned", "closed"], ""),
        (ACCEPTED, ["course_started", "course_completed"], ""),
        (ACCEPTED, ["course_started", "course_completed", "closing_talk_held"], "follow_up"),
        (ACCEPTED, ["course_started", "course_completed", "closing_talk_held", "follow_up_held"], ""),
        (ACCEPTED, ["course_started", "course_completed", "closing_talk_held", "closed"], ""),
    ],
)
def test_which_clocks_run(given: dict[str, Any], steps: list[Any], kinds: str) -> None:
    assert sorted(running(after(opened(**given), *steps))) == kinds.split()


# ------------------------------------------------------------------ the first talk
@pytest.mark.parametrize(
    ("moment", "warn", "alarm", "due"),
    [
        ("2026-11-16T09:20:00", "2026-11-23", "2026-11-28", "2026-11-30"),
        # summer time ends between; the clock says the same
        ("2026-10-15T09:00:00", "2026-10-22", "2026-10-27", "2026-10-29"),
        # and begins between
        ("2027-03-22T09:00:00", "2027-03-29", "2027-04-03", "2027-04-05"),
        # Easter 2027: day 14 is Easter Sunday, Maundy Thursday is the first of the holidays
        ("2027-03-14T23:30:00", "2027-03-17", "2027-03-22", "2027-03-24"),
        # Christmas: day 14 is Christmas Day
        ("2026-12-11T09:00:00", "2026-12-16", "2026-12-21", "2026-12-23"),
    ],
)
def test_the_first_talk_warns_at_day_7_and_again_at_day_12(moment: str, warn: str, alarm: str, due: str) -> None:
    clock = running(received(moment))["first_talk"]
    assert clock.warn_at is not None
    assert clock.alarm_at is not None
    found = [clock.warn_at, clock.alarm_at, clock.due_at]
    assert found == [at(f"{day}T23:59:59") for day in (warn, alarm, due)]
    assert clock.started_at == at(moment)


def test_a_deadline_within_a_week_warns_from_the_beginning() -> None:
    clock = running(deciding(opened(), respond_by=date(2026, 11, 18)))["first_talk"]
    assert clock.warn_at == RECEIVED
    assert clock.alarm_at == max(RECEIVED, at("2026-11-16T23:59:59"))


# ------------------------------------------------------------------ a person's decision
@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2026-11-16T09:20:00", "2026-11-18"),
        # a Friday evening: the weekend is no working day
        ("2026-11-20T22:00:00", "2026-11-24"),
        # the Wednesday before Easter 2027: Tuesday and Wednesday after it
        ("2027-03-24T09:00:00", "2027-03-31"),
        # the day before Christmas Eve 2026, a Wednesday
        ("2026-12-23T09:00:00", "2026-12-29"),
    ],
)
def test_reviews_and_drafted_returns_have_two_working_days(moment: str, due: str) -> None:
    for given, kind in ((REVIEW, "decision"), (RETURN, "drafted_return")):
        clock = running(received(moment, **given))[kind]
        assert (clock.warn_at, clock.alarm_at, clock.due_at) == (None, None, at(f"{due}T23:59:59"))


def test_what_is_urgent_rings_at_once_and_is_due_the_same_day() -> None:
    clock = running(deciding(opened(**REVIEW), reasons=("URGENT",)))["urgent"]
    assert clock.alarm_at == clock.started_at == RECEIVED
    assert clock.due_at == at("2026-11-16T23:59:59")


def test_after_the_referrers_answer_the_working_days_count_anew() -> None:
    clock = running(after(opened(**REVIEW), "info_requested", "info_received"))["decision"]
    assert local_date(clock.started_at) == date(2026, 11, 20)
    assert clock.due_at == at("2026-11-24T23:59:59")


# ------------------------------------------------------------------ follow-up and receipt
def test_the_follow_up_is_called_for_two_to_three_months_after_the_closing_talk() -> None:
    talk = ("closing_talk_held", {"occurred": "2026-11-30T12:00:00+01:00", **TALK_THERE})
    case = after(opened(), "course_started", "course_completed", talk)
    clock = running(case)["follow_up"]
    assert clock.subject == case.assignments[0].id
    assert clock.case_id == case.case_id
    assert (clock.started_at, clock.warn_at) == (at("2026-11-24T10:00:00"), at("2027-01-24T00:00:00"))
    assert clock.due_at == at("2027-02-24T23:59:59")


@pytest.mark.parametrize(
    ("day", "count", "found"),
    [
        ("2026-11-30", 3, "2027-02-28"),
        ("2027-12-31", 2, "2028-02-29"),
        ("2026-10-31", 2, "2026-12-31"),
        ("2026-12-01", 1, "2027-01-01"),
        ("2026-01-31", 0, "2026-01-31"),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(day: str, count: int, found: str) -> None:
    assert add_months(date.fromisoformat(day), count) == date.fromisoformat(found)


def test_a_receipt_is_late_after_half_an_hour() -> None:
    clock = receipt_clock("UDBREV00000001", "case", RECEIVED, load().clocks)
    assert (clock.kind, clock.subject, clock.case_id) == (ClockKind.RECEIPT, "UDBREV00000001", "case")
    assert clock.due_at - clock.started_at == timedelta(minutes=30)


def test_a_file_is_late_after_a_day() -> None:
    clock = attachment_clock("9c1d5a703b1e4f628f0d2a7b6c5d4e3f", "case", RECEIVED, load().clocks)
    assert (clock.kind, clock.subject, clock.case_id) == (
        ClockKind.ATTACHMENT,
        "9c1d5a703b1e4f628f0d2a7b6c5d4e3f",
        "case",
    )
    assert clock.due_at - clock.started_at == timedelta(hours=24)
