"""The referrer corrects a referral or takes it back: a new version, nothing begun thrown away, every team told."""

import msgspec
import pytest

from gateway.referral.case import Case, State
from tests.builders import (
    BACK_TEAM,
    CONSULTANTS,
    RECEIVED,
    faults,
    icpc,
    kinds,
    only,
    opened,
    sks,
    tell,
)
from tests.referral.corrections import BACK, LATER, after, correction, note, states, tasks


# ------------------------------------------------------------------ the same conclusion
def test_the_same_programme_keeps_the_assignment_and_tells_the_team_what_changed() -> None:
    case = opened(diagnoses=icpc("T90"), text="Ønsker kostvejledning.")
    outcome = correction(case, diagnoses=icpc("T90", "A99"), text="Ønsker kostvejledning.<Break/>Tolk: arabisk.")
    (new,) = outcome.cases
    assert (new.case_id, new.number, new.assignments) == (case.case_id, 2, case.assignments)
    assert kinds(outcome) == ["XCTL03", "Task"]
    (task,) = tasks(outcome, CONSULTANTS)
    assert (task["status"], task["businessStatus"]["text"]) == ("requested", "corrected")
    assert task["identifier"][0]["value"] == case.assignments[0].id
    assert note(task).splitlines() == [
        "Henviseren har rettet henvisningen.",
        "Diagnose: T90 → T90, A99 (A99 tilføjet)",
        "Tekst (anamnese): «Tolk: arabisk.» tilføjet",
    ]


def test_history_is_kept() -> None:
    case = after(opened(), "contacted")
    outcome = correction(case, diagnoses=sks("DJ449"))
    (new,) = outcome.cases
    (earlier,) = new.earlier
    assert (earlier.referral, earlier.decision, earlier.assignments) == (case.referral, case.decision, case.assignments)
    assert (earlier.number, earlier.received_at, earlier.replaced_at) == (2, RECEIVED, LATER)
    assert new.events == case.events
    assert (new.number, new.decided_as, new.decision.programmes) == (3, 3, ("copd",))
    assert outcome.letters[0].decision == new.decision
    assert outcome.letters[0].case_id == case.case_id
    assert msgspec.json.decode(msgspec.json.encode(new), type=Case) == new


def test_a_second_correction_stands_on_the_first() -> None:
    (once,) = correction(opened(), diagnoses=sks("DJ449")).cases
    outcome = correction(once, "RETTET00000002", diagnoses=sks("DE119"))
    (twice,) = outcome.cases
    assert [e.decision.programmes for e in twice.earlier] == [("diabetes_2",), ("copd",)]
    assert len({a.id for a in twice.assignments}) == len(twice.assignments)


def test_handled_twice_it_is_the_same() -> None:
    case = opened()
    first, again = (correction(case, **BACK) for _ in range(2))
    assert first == again


def test_the_days_count_from_the_first_receipt() -> None:
    (new,) = correction(opened(), **BACK).cases
    assert (new.received_at, new.decision.respond_by) == (RECEIVED, opened().decision.respond_by)


def test_nothing_that_is_shown_has_changed() -> None:
    (task,) = tasks(correction(opened()), CONSULTANTS)
    assert note(task) == "Henviseren har rettet henvisningen.\nIngen ændring i det, der vises."


# ------------------------------------------------------------------ another conclusion
def test_another_team_gets_the_assignment_and_the_old_one_is_told() -> None:
    case = opened()
    outcome = correction(case, **BACK)
    (new,) = outcome.cases
    assert states(new) == [(CONSULTANTS, State.CANCELLED_BY_REFERRER), (BACK_TEAM, State.ACCEPTED)]
    assert kinds(outcome) == ["XCTL03", "XDIS91", "Task", "Task"]
    assert "Genoptræning Ishøj" in only(outcome, "XDIS91").content.decode()
    (old,), (fresh,) = tasks(outcome, CONSULTANTS), tasks(outcome, BACK_TEAM)
    assert (old["status"], old["identifier"][0]["value"]) == ("cancelled", case.assignments[0].id)
    assert (fresh["status"], fresh["identifier"][0]["value"]) == ("requested", new.assignments[1].id)
    assert "DE119 fjernet" in note(old)
    assert "DM545 tilføjet" in note(fresh)
    assert not new.owes_discharge_note


def test_a_further_programme_comes_beside_the_first() -> None:
    case = after(opened(), "accepted")
    outcome = correction(case, diagnoses=sks("DE119", "DM545"), text="Færdigudredt.")
    (new,) = outcome.cases
    assert states(new) == [(CONSULTANTS, State.ACCEPTED), (BACK_TEAM, State.ACCEPTED)]
    assert new.assignments[0] == case.assignments[0]
    assert [t["status"] for t in tasks(outcome, CONSULTANTS)] == ["accepted"]
    assert [t["status"] for t in tasks(outcome, BACK_TEAM)] == ["requested"]


@pytest.mark.parametrize("told", [("talk_held",), ("talk_held", "course_started")])
def test_what_has_begun_goes_on(told: tuple[str, ...]) -> None:
    case = after(opened(), *told)
    outcome = correction(case, **BACK)
    (new,) = outcome.cases
    assert new.assignments[0] == case.assignments[0]
    assert states(new)[1] == (BACK_TEAM, State.ACCEPTED)
    assert [t["status"] for t in tasks(outcome, CONSULTANTS)] == ["in-progress"]
    (went_on,) = tell(new, "closed" if told == ("talk_held",) else "course_completed").cases
    assert went_on.assignments[0].has_ended


def test_its_own_running_course_is_no_other_course() -> None:
    case = after(opened(), "talk_held", "course_started")
    (new,) = correction(case, text="Ny tekst.").cases
    assert new.decision.assignments == case.decision.assignments
    assert new.assignments == case.assignments


def test_what_a_person_assigned_stays() -> None:
    case = opened(diagnoses=(*sks("DE119"), *sks("DE109")))
    assert case.decision.outcome == "review"
    case = after(case, "review_decided", assignments=[{"team": BACK_TEAM, "intervention": _talk(case)}])
    outcome = correction(case, diagnoses=sks("DJ449"))
    (new,) = outcome.cases
    assert states(new) == [(BACK_TEAM, State.ACCEPTED), (CONSULTANTS, State.ACCEPTED)]


def _talk(case: Case) -> str:
    (first, *_) = case.decision.assignments
    return first.intervention.code


# ------------------------------------------------------------------ review and return
def test_a_doubt_is_looked_at_even_where_a_team_has_the_assignment() -> None:
    case = after(opened(), "accepted")
    outcome = correction(case, diagnoses=sks("DE119", "DE109"))
    (new,) = outcome.cases
    assert new.decision.outcome == "review"
    assert states(new) == [(CONSULTANTS, State.FOR_REVIEW)]
    assert new.assignments[0].id == case.assignments[0].id
    assert kinds(outcome) == ["XCTL03", "XDIS91", "Task"]
    (decided,) = tell(new, "accepted", event_id="E-again").cases
    assert states(decided) == [(CONSULTANTS, State.ACCEPTED)]


def test_a_doubt_beside_a_running_course_is_a_proposal_of_its_own() -> None:
    case = after(opened(**BACK), "talk_held", team=BACK_TEAM)
    outcome = correction(case, diagnoses=(*sks("DE119"), *sks("DE109"), *sks("DM545")), text="Færdigudredt.")
    (new,) = outcome.cases
    assert new.assignments[0] == case.assignments[0]
    assert {a.state for a in new.assignments[1:]} == {State.FOR_REVIEW}
    assert {t["status"] for t in tasks(outcome, BACK_TEAM)} == {"in-progress"}
    (went_on,) = tell(new, "course_started", team=BACK_TEAM).cases
    assert went_on.assignments[0].state is State.COURSE_STARTED
    (decided,) = tell(went_on, "review_decided").cases
    assert State.FOR_REVIEW not in {a.state for a in decided.assignments}
    assert decided.assignments[0].state is State.COURSE_STARTED


def test_the_review_team_goes_on_with_its_own_course_too() -> None:
    case = after(opened(), "talk_held")
    (new,) = correction(case, diagnoses=sks("DE119", "DE109")).cases
    assert states(new) == [(CONSULTANTS, State.TALK_HELD), (CONSULTANTS, State.FOR_REVIEW)]
    (started,) = tell(new, "course_started").cases
    assert states(started) == [(CONSULTANTS, State.COURSE_STARTED), (CONSULTANTS, State.FOR_REVIEW)]
    (gone,) = tell(started, "declined_by_citizen", assignment=started.assignments[0].id).cases
    assert states(gone) == [(CONSULTANTS, State.DECLINED_BY_CITIZEN), (CONSULTANTS, State.FOR_REVIEW)]
    assert faults(tell(new, "contacted", team=BACK_TEAM)) == ["GW-162"]


def test_a_proposal_that_is_none_any_more_leaves_the_list() -> None:
    case = opened(diagnoses=(*sks("DE119"), *sks("DE109")))
    outcome = correction(case, **BACK)
    (new,) = outcome.cases
    assert states(new) == [(BACK_TEAM, State.ACCEPTED)]
    assert [t["status"] for t in tasks(outcome, CONSULTANTS)] == ["cancelled"]


def test_a_proposal_becomes_an_assignment_under_its_own_id() -> None:
    case = opened(diagnoses=(*sks("DE119"), *sks("DE109")))
    (new,) = correction(case).cases
    assert [(a.id, a.state) for a in new.assignments] == [(case.assignments[0].id, State.ACCEPTED)]


def test_the_answer_to_our_question_counts_from_its_receipt() -> None:
    case = after(opened(diagnoses=(*sks("DE119"), *sks("DE109"))), "info_requested")
    outcome = correction(case)
    (new,) = outcome.cases
    assert states(new) == [(CONSULTANTS, State.ACCEPTED)]
    assert (new.received_at, new.decision.respond_by > case.decision.respond_by) == (LATER, True)
    assert "XDIS91" in kinds(outcome)


def test_a_team_that_asked_goes_on_when_the_rules_conclude_the_same() -> None:
    case = after(opened(), "info_requested")
    outcome = correction(case, text="Nu med svar.")
    (new,) = outcome.cases
    assert [(a.id, a.state) for a in new.assignments] == [(case.assignments[0].id, State.ACCEPTED)]
    assert "XDIS91" in kinds(outcome)


def test_a_returned_referral_comes_again_corrected() -> None:
    case = after(opened(diagnoses=icpc("T82")), "returned")
    (new,) = correction(case).cases
    assert [state for _, state in states(new)] == [State.RETURNED, State.ACCEPTED]
    assert new.received_at == LATER


def test_a_correction_may_lead_to_a_drafted_answer() -> None:
    outcome = correction(opened(), diagnoses=icpc("T82"))
    (new,) = outcome.cases
    assert new.decision.outcome == "return"
    assert State.DRAFTED_RETURN in {a.state for a in new.assignments}
    assert only(outcome, "XDIS91").draft
    texts = [note(task) for task in tasks(outcome, CONSULTANTS)]
    assert all("Henviseren har rettet" in text for text in texts)
    again = correction(new, "RETTET00000002", diagnoses=icpc("T82"), text="Mere tekst.")
    assert only(again, "XDIS91").draft


# ------------------------------------------------------------------ what was told before
def test_what_a_team_told_before_the_correction_stands() -> None:
    case = after(opened(), "talk_held")
    (new,) = correction(case, **BACK).cases
    assert faults(tell(new, "withdrawn", withdraws="E-talk_held")) == ["GW-162"]
    started = after(new, "course_started")
    (undone,) = tell(started, "withdrawn", withdraws="E-course_started").cases
    assert undone.assignments == new.assignments
    assert len(undone.events) == 3
    assert tell(undone, "talk_held").cases == ()
