"""Who a case waits for, since when, and until when (decision.md §7)."""

from datetime import datetime
from typing import Any

import msgspec
import pytest

from gateway.municipality.model import load
from gateway.referral.case import Case
from gateway.referral.promises import Promises, promises
from gateway.referral.workdays import COPENHAGEN
from tests.builders import BACK_TEAM, RECEIVED, icpc, opened, sks, tell

ACCEPTED = {"diagnoses": sks("DE119")}
REVIEW = {"diagnoses": icpc("A97")}


def after(case: Case, *steps: str | tuple[str, dict[str, Any]]) -> Case:
    for number, step in enumerate(steps):
        kind, changes = step if isinstance(step, tuple) else (step, {})
        outcome = tell(case, kind, **{"event_id": f"E-{number}"} | changes)
        assert not outcome.parked, outcome.parked
        case = outcome.cases[0]
    return case


def told(given: dict[str, Any], *steps: str | tuple[str, dict[str, Any]]) -> Promises:
    return promises(after(opened(**given), *steps), load())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=COPENHAGEN)


@pytest.mark.parametrize(
    ("given", "steps", "waits_for", "due"),
    [
        (ACCEPTED, [], "team", "2026-11-30T23:59:59"),
        (ACCEPTED, ["accepted"], "talk", "2026-11-30T23:59:59"),
        (ACCEPTED, ["talk_booked"], "talk", "2026-11-30T23:59:59"),
        (ACCEPTED, ["accepted", "info_requested"], "referrer", "2026-11-30T23:59:59"),
        (ACCEPTED, ["talk_held"], "course", None),
        (ACCEPTED, ["course_started"], "course", None),
        (ACCEPTED, ["course_started", "course_completed"], "nothing", None),
        (REVIEW, [], "decision", "2026-11-18T23:59:59"),
        (REVIEW, ["info_requested"], "referrer", "2026-11-30T23:59:59"),
        (REVIEW, ["review_decided"], "team", "2026-11-30T23:59:59"),
        (REVIEW, ["returned"], "nothing", None),
    ],
)
def test_a_case_waits_for_the_next_step(given: dict[str, Any], steps: list[Any], waits_for: str, due: str) -> None:
    standing = told(given, *steps)
    assert standing.waits_for == waits_for
    assert standing.due_at == (at(due) if due else None)
    assert standing.is_open == (waits_for != "nothing")


def test_an_urgent_review_is_due_the_same_day() -> None:
    case = opened(**REVIEW)
    urgent = msgspec.structs.replace(case, decision=msgspec.structs.replace(case.decision, reasons=("URGENT",)))
    assert promises(urgent, load()).due_at == at("2026-11-16T23:59:59")


def test_a_discharge_note_that_is_owed_keeps_the_case_open() -> None:
    ended = after(opened(**ACCEPTED), "course_started", "course_completed")
    owing = promises(msgspec.structs.replace(ended, discharged_at=None), load())
    assert (owing.waits_for, owing.is_open) == ("discharge", True)


def test_rules_decide_when_the_referral_comes_and_people_when_they_say_so() -> None:
    assert told(ACCEPTED).decided_at == RECEIVED
    assert told(REVIEW).decided_at is None
    assert told(REVIEW, "review_decided").decided_at == at("2026-11-20T11:00:00")


def test_a_team_takes_an_assignment_by_saying_so_or_by_going_on() -> None:
    assert told(ACCEPTED).team_accepted_at is None
    assert told(REVIEW).team_accepted_at is None
    assert told(REVIEW, "review_decided").team_accepted_at is None
    assert told(ACCEPTED, "accepted").team_accepted_at == at("2026-11-20T11:00:00")
    assert told(ACCEPTED, "contacted").team_accepted_at == at("2026-11-20T11:00:00")
    assert told(REVIEW, "returned").team_accepted_at is None


def test_every_team_must_have_taken_its_assignment() -> None:
    moved = ("reassigned", {"to_team": BACK_TEAM})
    assert told(ACCEPTED, "accepted", moved).team_accepted_at is None


@pytest.mark.parametrize(
    ("step", "talked"),
    [
        ("talk_held", "2026-11-20T10:00:00"),
        ("course_started", "2026-11-23T00:00:00"),
        (("course_started", {"started": "2026-11-23T09:00:00+01:00"}), "2026-11-23T09:00:00"),
    ],
)
def test_the_promise_is_met_by_the_first_talk_or_a_direct_start(step: Any, talked: str) -> None:  # noqa: ANN401 (a step)
    assert told(ACCEPTED, step).talked_at == at(talked)


def test_a_withdrawn_step_counts_for_nothing() -> None:
    standing = told(ACCEPTED, "contacted", ("withdrawn", {"withdraws": "E-0"}))
    assert (standing.waits_for, standing.team_accepted_at) == ("team", None)
