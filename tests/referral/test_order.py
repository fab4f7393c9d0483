"""Events that come late, in another order than they happened, or answer a question: history and what counts of it."""

from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from gateway.municipality.model import Municipality
from gateway.municipality.texts import STEP_OCCASIONS, LetterText
from gateway.referral.case import Case, State
from gateway.referral.events import EventType
from gateway.referral.ids import Cause
from gateway.referral.lifecycle import information_arrived
from gateway.referral.steps import STEPS
from gateway.referral.workdays import COPENHAGEN
from tests.builders import (
    BACK_TEAM,
    CONSULTANTS,
    TRAINING,
    diagnosis,
    event_json,
    faults,
    icpc,
    kinds,
    only,
    opened,
    sks,
    tell,
)
from tests.referral.told import after, subject_of, text_of

REPLY = Cause(sender="5790009992011", id="SVAR0000000001")
REPLIED = datetime(2026, 11, 19, 8, 0, tzinfo=COPENHAGEN)


def on(day: int, **changes: object) -> dict[str, object]:
    """Something that happened at noon on a day of November."""
    return {"occurred": f"2026-11-{day}T12:00:00+01:00", **changes}


def counting(case: Case) -> list[str]:
    return [counted.event_id.split("-")[1] for counted in case.timeline]


def states(case: Case) -> list[str]:
    return [a.state.value for a in case.assignments]


# ------------------------------------------------------------------ late
def test_a_late_step_takes_its_place() -> None:
    case, _ = after(opened(), ("course_started", on(23)), ("talk_held", on(20)))
    assert [e.type for e in case.events] == ["course_started", "talk_held"]
    assert counting(case) == ["talk_held", "course_started"]
    (assignment,) = case.assignments
    assert (assignment.state, assignment.since) == (State.COURSE_STARTED, datetime.fromisoformat(on(23)["occurred"]))
    assert assignment.first_talk_at == datetime.fromisoformat("2026-11-20T10:00:00+01:00")


def test_a_late_booking_does_not_stand_for_a_newer_one() -> None:
    newer, older = "2026-11-27T10:00:00+01:00", "2026-11-24T10:00:00+01:00"
    case, _ = after(
        opened(),
        ("talk_booked", on(20, booked_for=newer)),
        ("talk_booked", on(18, booked_for=older, event_id="L-late")),
    )
    assert case.assignments[0].booked_for == datetime.fromisoformat(newer)


def test_what_cannot_have_happened_then_counts_as_told_last() -> None:
    """A clock that is wrong, or a day entered wrongly: the team said it, and it is possible now."""
    case, _ = after(opened(), ("course_started", on(23)), ("course_completed", on(20)))
    assert counting(case) == ["course_started", "course_completed"]
    assert case.state is State.COURSE_COMPLETED


def test_what_is_possible_neither_then_nor_now_is_refused_by_name() -> None:
    case, _ = after(opened(), ("course_started", on(20)))
    outcome = tell(case, "contacted", **on(23))
    assert outcome.parked[0].fault.detail.startswith("contacted i tilstanden course_started; mulige trin: ")
    late, _ = after(case, ("contacted", on(18, event_id="L-contacted")))
    assert counting(late) == ["contacted", "course_started"]


def test_an_event_keeps_the_assignment_it_was_told_for() -> None:
    """Played again beside a second open assignment, ``contacted`` would be ambiguous."""
    case = opened(diagnoses=icpc("T90", "P17"))
    talk, course = case.assignments
    case, _ = after(
        case,
        ("not_reached", on(18, assignment=talk.id, event_id="N-lost")),
        ("contacted", on(19, event_id="C-contacted")),
        ("withdrawn", on(20, withdraws="N-lost")),
    )
    assert counting(case) == ["contacted"]
    assert [(a.id, a.state.value) for a in case.assignments] == [(talk.id, "accepted"), (course.id, "contacted")]


def test_an_event_about_what_a_withdrawn_one_made() -> None:
    case, _ = after(
        opened(), "talk_held", ("referred_on", {"event_id": "R"}), ("contacted", {"team": BACK_TEAM, "event_id": "C"})
    )
    refused = tell(case, "withdrawn", withdraws="R")
    assert refused.parked[0].fault.detail == (
        "senere hændelser bygger på den: opgaven, den handler om, findes ikke uden den"
    )


def test_an_overtaken_question_is_not_sent() -> None:
    case, _ = after(opened(diagnoses=sks("DE109")), ("accepted", on(20)))
    late = tell(case, "info_requested", **on(18))
    assert (kinds(late), late.cases[0].state) == ([], State.ACCEPTED)
    assert counting(late.cases[0]) == ["info_requested", "accepted"]


# ------------------------------------------------------------------ guards
def test_an_end_before_the_start() -> None:
    case, _ = after(opened(), "course_started")
    refused = tell(case, "course_completed", ended="2026-11-22")
    assert refused.parked[0].fault.detail == "ended ligger før forløbets start"
    assert faults(tell(case, "course_completed", ended="2026-11-23T08:00:00+01:00")) == []


def test_no_reassignment_to_itself() -> None:
    assert tell(opened(), "reassigned", to_team=CONSULTANTS).parked[0].fault.detail == (
        f"opgaven er allerede hos {CONSULTANTS}"
    )


def test_a_reviewer_names_programmes_that_exist() -> None:
    case = opened(diagnoses=sks("DE109"))
    refused = tell(case, "review_decided", programmes=["diabetes_3"])
    assert [(p.fault.id, p.fault.detail) for p in refused.parked] == [("GW-160", "ukendt program diabetes_3")]
    decided = tell(case, "review_decided", programmes=["diabetes_2"]).cases[0]
    assert (case.programmes, decided.programmes) == ((), ("diabetes_2",))
    assert tell(decided, "withdrawn", withdraws="E-review_decided").cases[0].programmes == ()


# ------------------------------------------------------------------ both teams
def test_both_teams_in_one_case() -> None:
    """Sundhedskonsulenterne refer on for training; one note when both are through (issue: both teams)."""
    case, outcomes = after(
        opened(),
        ("talk_held", on(20)),
        ("referred_on", on(20, event_id="R")),
        ("course_started", on(23)),
        ("accepted", on(24, team=BACK_TEAM)),
        ("course_started", on(25, team=BACK_TEAM, interventions=[TRAINING])),
        ("course_completed", on(26)),
        ("stopped", on(27, team=BACK_TEAM)),
    )
    assert [kinds(o) for o in outcomes] == [[], ["Task"], [], [], [], [], ["XDIS15"]]
    note = text_of(outcomes[-1].outgoing[0])
    assert "Sygdomshåndtering (hold) hos sundhedskonsulenterne, 23. november 2026 til 25. januar 2027: genn" in note
    assert "Fysisk træning (hold) hos Genoptræning Ishøj, 23. november 2026 til 27. november 2026: stoppet" in note
    training = case.assignments[1]
    assert (training.parent, training.opened_at) == (
        case.assignments[0].id,
        datetime.fromisoformat(on(20)["occurred"]),
    )


# ------------------------------------------------------------------ the referrer's answer
def test_an_answer_puts_the_review_back(municipality: Municipality) -> None:
    case, _ = after(opened(diagnoses=sks("DE109")), "info_requested", ("info_requested", {"event_id": "AGAIN"}))
    answered = information_arrived(case, REPLY, REPLIED, municipality)
    assert states(answered) == ["for_review"]
    assert (answered.events[-1].type, answered.events[-1].team) == (EventType.INFO_RECEIVED, CONSULTANTS)
    assert information_arrived(answered, REPLY, REPLIED, municipality) is answered


def test_an_answer_goes_to_all_that_asked(municipality: Municipality) -> None:
    case = opened(diagnoses=(diagnosis("DE119"), diagnosis("L86", "ICPCkode")), text="Færdigudredt.")
    case, _ = after(case, "contacted", "info_requested", ("info_requested", {"team": BACK_TEAM, "event_id": "B"}))
    assert states(case) == ["info_requested", "info_requested"]
    answered = information_arrived(case, REPLY, datetime(2026, 12, 1, tzinfo=COPENHAGEN), municipality)
    assert states(answered) == ["accepted", "contacted"]


def test_a_team_may_tell_of_an_answer_by_telephone() -> None:
    case, outcomes = after(opened(), "info_requested", "info_received")
    assert [kinds(o) for o in outcomes] == [["XDIS91"], []]
    assert case.state is State.ACCEPTED
    assert faults(tell(case, "info_received", event_id="X")) == ["GW-162"]


def test_an_answer_to_a_team_that_is_no_more_changes_nothing(municipality: Municipality) -> None:
    case, _ = after(opened(), "info_requested")
    teams = {BACK_TEAM: municipality.teams[BACK_TEAM]}
    assert information_arrived(case, REPLY, REPLIED, msgspec.structs.replace(municipality, teams=teams)) is case


# ------------------------------------------------------------------ letters of the municipality's own choice
def test_the_steps_a_letter_can_be_chosen_for_are_steps() -> None:
    assert set(STEP_OCCASIONS) <= {kind.value for kind in EventType}


@pytest.mark.parametrize(("to", "expected"), [(("referrer",), ["5790009992011"]), ((), [])])
def test_a_letter_per_booking_where_the_file_asks_for_it(
    to: tuple[str, ...], expected: list[str], municipality: Municipality
) -> None:
    words = LetterText(subject="Aftalt", text="{occurred}: tid {booked}.\n{note}\n{interventions}", to=to)
    own = msgspec.structs.replace(municipality, letters={**municipality.letters, "talk_booked": words})
    outcome = tell(opened(), "talk_booked", municipality=own)
    assert [letter.receiver for letter in outcome.outgoing] == expected
    for letter in outcome.outgoing:
        assert subject_of(letter) == "Aftalt"
        assert text_of(letter) == (
            "20. november 2026: tid 20. november 2026.\nAfklarende samtale hos sundhedskonsulenterne"
        )
    assert kinds(tell(outcome.cases[0], "withdrawn", withdraws="E-talk_booked", municipality=own)) == (["XDIS91"])


def test_help_to_a_doctors_referral_is_told_where_the_file_asks_for_it(municipality: Municipality) -> None:
    case = opened(sender_code="kommunenummer")
    assert case.state is State.FOR_REVIEW
    assert kinds(tell(case, "referral_requested")) == []
    wanted = msgspec.structs.replace(municipality.letters["referral_requested"], to=("referrer",))
    own = msgspec.structs.replace(municipality, letters={**municipality.letters, "referral_requested": wanted})
    letter = only(tell(case, "referral_requested", municipality=own), "XDIS91")
    assert subject_of(letter) == "Henvisning fra egen læge mangler"
    assert event_json("referral_requested")["type"] == "referral_requested"


def test_the_page_shows_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lifecycle.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")] for line in page.split("\n") if line.startswith("| `")]
    shown = {row[1].strip("`"): set(row[2].split(", ")) for row in rows}
    assert shown == {kind.value: {state.value for state in step.sources} for kind, step in STEPS.items()}
    for row in rows:
        target = STEPS[EventType(row[1].strip("`"))].target
        assert target is None or row[3] == target.value
