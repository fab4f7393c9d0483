"""Which step is possible where, and what it changes (design §5, interfaces: team event)."""

from datetime import datetime

import msgspec
import pytest

from gateway.errors import Fault
from gateway.municipality.model import Municipality
from gateway.receive import Entrance
from gateway.referral import lifecycle
from gateway.referral.case import ENDED, Case, CaseAssignment, State
from gateway.referral.events import EventType
from gateway.referral.inbox import Known
from tests.builders import (
    BACK_TEAM,
    CONSULTANTS,
    EPISODE,
    SELF_CARE,
    TALK,
    TRAINING,
    emessage,
    event,
    faults,
    handle,
    icpc,
    opened,
    sks,
    team_event,
    tell,
    xref15,
)

WAITING = "for_review drafted_return info_requested referral_requested"
BEFORE_TALK = "accepted contacted talk_booked"
UNDER_WAY = f"{BEFORE_TALK} talk_held course_started"
AFTER_COURSE = "course_completed closing_talk_held follow_up"
#: event → the states in which it may come; the lifecycle of design §5, written down once more
ALLOWED = {
    "accepted": f"for_review info_requested referral_requested {BEFORE_TALK}",
    "review_decided": WAITING,
    "returned": WAITING,
    "info_requested": f"{WAITING} {BEFORE_TALK}",
    "info_received": "info_requested",
    "referral_requested": WAITING,
    "contacted": "accepted contacted",
    "not_reached": BEFORE_TALK,
    "talk_booked": BEFORE_TALK,
    "talk_held": f"{BEFORE_TALK} talk_held",
    "course_started": UNDER_WAY,
    "session_held": "course_started",
    "no_show": UNDER_WAY,
    "referred_on": f"talk_held course_started {AFTER_COURSE}",
    "course_completed": "course_started",
    "closing_talk_held": "course_completed",
    "follow_up_held": AFTER_COURSE,
    "stopped": UNDER_WAY,
    "declined_by_citizen": f"{WAITING} {UNDER_WAY}",
    "reassigned": UNDER_WAY,
    "closed": f"{AFTER_COURSE} talk_held not_reached stopped declined_by_citizen returned",
}
#: where a step leads; the others leave the state as it is
LEADS_TO = {
    "review_decided": "accepted",
    "follow_up_held": "follow_up",
    "info_received": "for_review",
    **{kind: kind for kind in ALLOWED if kind in list(State) and kind != "accepted"},
}


def standing_at(state: str, **changes: object) -> Case:
    """A case whose one assignment stands there."""
    case = opened(**changes)
    (assignment,) = case.assignments
    return with_assignments(case, msgspec.structs.replace(assignment, state=State(state)))


def with_assignments(case: Case, *assignments: CaseAssignment) -> Case:
    return msgspec.structs.replace(case, assignments=assignments)


def refusal(case: Case, kind: str, **changes: object) -> Fault:
    outcome = tell(case, kind, **changes)
    assert len(outcome.parked) == 1
    assert outcome.cases == outcome.outgoing == ()
    assert outcome.parked[0].case_id == case.case_id
    return outcome.parked[0].fault


def after(case: Case, *steps: str | tuple[str, dict[str, object]]) -> Case:
    """The case when these steps were told, each with an id of its own."""
    for number, step in enumerate(steps):
        kind, changes = (step, {}) if isinstance(step, str) else step
        outcome = tell(case, kind, **{"event_id": f"E{number}-{kind}", **changes})
        assert outcome.cases, (step, outcome.parked)
        (case,) = outcome.cases
    return case


def the_only(case: Case) -> CaseAssignment:
    (assignment,) = case.assignments
    return assignment


def test_the_table_names_every_step() -> None:
    assert {*ALLOWED, "withdrawn"} == {kind.value for kind in EventType}
    assert {state for states in ALLOWED.values() for state in states.split()} <= {state.value for state in State}


@pytest.mark.parametrize("state", [state.value for state in State])
@pytest.mark.parametrize("kind", ALLOWED)
def test_every_step_in_every_state(kind: str, state: str) -> None:
    case = standing_at(state)
    if state in ALLOWED[kind].split():
        (changed,) = tell(case, kind).cases
        assert changed.number == case.number + 1
        assert [e.type for e in changed.events] == [kind]
        expected = LEADS_TO.get(kind, "accepted" if kind == "accepted" and state in WAITING.split() else state)
        if (kind, state) == ("closed", "returned"):
            expected = "returned"
        assert changed.assignments[0].state == expected
        return
    fault = refusal(case, kind)
    assert fault.id == "GW-162"
    if state == "reassigned":
        assert fault.detail == f"{CONSULTANTS} har ingen opgave i forløbet"
        return
    possible = sorted(other for other, states in ALLOWED.items() if state in states.split())
    assert fault.detail == f"{kind} i tilstanden {state}; mulige trin: {', '.join(possible) or 'ingen'}"


# ------------------------------------------------------------------ what a step changes
def test_the_whole_way() -> None:
    steps = ["accepted", "contacted", "talk_booked", "talk_held", "course_started", "session_held", "no_show"]
    steps += ["course_completed", "closing_talk_held", "follow_up_held", "closed"]
    case = after(opened(), *steps)
    assert case.number == 1 + len(steps)
    assert case.state is State.CLOSED
    assignment = the_only(case)
    at = datetime.fromisoformat("2026-11-20T11:00:00+01:00")
    assert assignment.team_accepted_at == at
    assert assignment.booked_for == datetime.fromisoformat("2026-11-20T10:00:00+01:00")
    assert assignment.first_talk_at == datetime.fromisoformat("2026-11-20T10:00:00+01:00")
    assert (assignment.started, assignment.ended, assignment.delivery) == ("2026-11-23", "2027-01-25", "group")
    assert [c.code for c in assignment.interventions] == [SELF_CARE]
    assert (assignment.ended_at, [n.text for n in assignment.notes]) == (at, ["Gennemført med godt udbytte."])


def test_the_first_talk_and_the_first_start_stand() -> None:
    later = {"start": "2026-11-27T10:00:00+01:00", "end": "2026-11-27T10:30:00+01:00"}
    case = after(opened(), "talk_held", ("talk_held", {"period": later}))
    assert the_only(case).first_talk_at == datetime.fromisoformat("2026-11-20T10:00:00+01:00")
    again = {"interventions": [SELF_CARE, TRAINING], "delivery": "individual", "started": "2026-12-01"}
    assignment = the_only(after(case, "course_started", ("course_started", again)))
    assert [c.code for c in assignment.interventions] == [SELF_CARE, TRAINING]
    assert (assignment.started, assignment.delivery) == ("2026-11-23", "individual")


def test_a_direct_start_and_no_course_after_the_talk() -> None:
    assert after(opened(), "course_started").state is State.COURSE_STARTED
    closed = after(opened(), "talk_held", ("closed", {"note": "Intet yderligere."}))
    assert closed.all_ended
    assert [n.text for n in the_only(closed).notes] == ["Intet yderligere."]


@pytest.mark.parametrize("kind", ["stopped", "not_reached", "declined_by_citizen", "reassigned", "returned"])
def test_an_early_end_is_dated_and_keeps_its_note(kind: str) -> None:
    state = "for_review" if kind == "returned" else "accepted"
    (case,) = tell(standing_at(state), kind, note="Derfor.").cases
    assignment = case.assignments[0]
    assert assignment.state in ENDED
    # the note of a returned referral is a letter of its own
    assert [n.text for n in assignment.notes] == ([] if kind == "returned" else ["Derfor."])
    assert assignment.ended_at == datetime.fromisoformat("2026-11-20T11:00:00+01:00")
    reason = assignment.stop_reason
    assert (reason is not None and bool(reason.display)) == (kind == "stopped")


def test_reassigned_moves_the_intervention() -> None:
    case = after(opened(diagnoses=sks("DZ721")), ("reassigned", {"event_id": "R"}))
    old, new = case.assignments
    assert (old.state, new.state, new.team, new.parent) == (State.REASSIGNED, State.ACCEPTED, BACK_TEAM, old.id)
    assert (new.intervention, new.delivery) == (old.intervention, "individual")
    assert case.state is State.ACCEPTED
    assert refusal(case, "contacted").detail == f"{CONSULTANTS} har ingen opgave i forløbet"


def test_an_assignment_without_intervention_is_moved_as_a_talk() -> None:
    case = opened()
    bare = msgspec.structs.replace(the_only(case), intervention=None)
    moved = after(with_assignments(case, bare), "reassigned").assignments[1]
    assert moved.intervention is not None
    assert moved.intervention.code == TALK


def test_referred_on_adds_an_assignment_for_each_intervention() -> None:
    told = {"interventions": [TRAINING, SELF_CARE], "delivery": "group"}
    case = after(opened(), "talk_held", ("referred_on", told))
    first, *added = case.assignments
    assert first.state is State.TALK_HELD
    assert [(a.team, a.intervention and a.intervention.code, a.delivery, a.parent) for a in added] == [
        (BACK_TEAM, TRAINING, "group", first.id),
        (BACK_TEAM, SELF_CARE, "group", first.id),
    ]
    assert len({a.id for a in case.assignments}) == 3


# ------------------------------------------------------------------ whose step it is
def test_two_assignments_at_one_team_must_be_told_apart() -> None:
    case = opened(diagnoses=icpc("T90", "P17"))
    talk, course = case.assignments
    fault = refusal(case, "contacted")
    assert fault.detail == f"{CONSULTANTS} har flere opgaver; angiv assignment: {talk.id}, {course.id}"
    changed = after(case, ("contacted", {"assignment": course.id}))
    assert [a.state for a in changed.assignments] == [State.ACCEPTED, State.CONTACTED]
    assert refusal(case, "contacted", assignment="hest").detail == (f"{CONSULTANTS} har ikke opgaven assignment=hest")
    assert refusal(case, "contacted", assignment=talk.id, team=BACK_TEAM).id == "GW-162"


def test_the_one_that_can_take_the_step_is_meant() -> None:
    case = opened(diagnoses=icpc("T90", "P17"))
    started = after(case, ("course_started", {"assignment": case.assignments[1].id}))
    assert after(started, "session_held").assignments == started.assignments
    completed = after(started, "course_completed")
    assert completed.assignments[1].state is State.COURSE_COMPLETED
    assert after(completed, "contacted").assignments[0].state is State.CONTACTED


def test_ended_assignments_are_meant_where_none_is_open() -> None:
    case = opened(diagnoses=icpc("T90", "P17"))
    first, second = case.assignments
    case = after(case, ("declined_by_citizen", {"assignment": first.id}), ("course_started", {"assignment": second.id}))
    case = after(case, ("course_completed", {"event_id": "C"}))
    assert after(case, "follow_up_held").assignments[1].state is State.FOLLOW_UP
    assert "angiv assignment" in refusal(case, "closed").detail


def test_a_team_without_an_assignment() -> None:
    assert refusal(opened(), "contacted", team=BACK_TEAM).detail == f"{BACK_TEAM} har ingen opgave i forløbet"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("contacted", {"team": "hestehold"}),
        ("reassigned", {"to_team": "hestehold"}),
        ("withdrawn", {"team": "hestehold"}),
        ("review_decided", {"assignments": [{"team": "hestehold", "intervention": TALK}]}),
    ],
)
def test_unknown_teams(kind: str, changes: dict[str, object]) -> None:
    fault = refusal(opened(), kind, **changes)
    assert (fault.id, fault.detail) == ("GW-160", "ukendt team hestehold")


# ------------------------------------------------------------------ a review
def test_a_review_waits_for_its_team() -> None:
    case = opened(diagnoses=sks("DE109"))
    assert (case.state, case.decision.review_team) == (State.FOR_REVIEW, CONSULTANTS)
    assert refusal(case, "accepted", team=BACK_TEAM).detail == f"forløbet venter på {CONSULTANTS}"
    assert after(case, "accepted").state is State.ACCEPTED
    assert after(case, "info_requested").state is State.INFO_REQUESTED
    assert after(case, "info_requested", "referral_requested", "accepted").state is State.ACCEPTED
    assert after(case, "returned").state is State.RETURNED


def test_a_review_is_decided_as_a_whole() -> None:
    case = opened(diagnoses=(*sks("DE119", "DM545"), *sks("DE109")))
    assert len(case.assignments) == 2
    told = [
        {"team": BACK_TEAM, "intervention": TRAINING, "delivery": "group"},
        {"team": CONSULTANTS, "intervention": TALK},
    ]
    decided = after(case, ("review_decided", {"assignments": told, "programmes": []}))
    assert [(a.team, a.delivery, a.state) for a in decided.assignments] == [
        (BACK_TEAM, "group", State.ACCEPTED),
        (CONSULTANTS, None, State.ACCEPTED),
    ]
    assert not {a.id for a in decided.assignments} & {a.id for a in case.assignments}
    assert after(case, "accepted").assignments[0].state is State.ACCEPTED
    assert {a.state for a in after(case, "accepted").assignments} == {State.ACCEPTED}


def test_a_drafted_return_is_decided_by_name() -> None:
    case = opened(diagnoses=icpc("T82"))
    assert case.state is State.DRAFTED_RETURN
    assert "mulige trin" in refusal(case, "accepted").detail
    assert after(case, "review_decided").state is State.ACCEPTED
    assert after(case, "returned").state is State.RETURNED


def test_a_question_after_acceptance_does_not_stop_the_case() -> None:
    asked = after(opened(), "info_requested")
    assert asked.state is State.INFO_REQUESTED
    assert after(asked, "accepted").state is State.ACCEPTED


def test_a_question_of_one_team_does_not_stop_the_other() -> None:
    case = after(opened(diagnoses=(*sks("DE119", "DM545"), *sks("DE109"))), "accepted")
    asked = after(case, ("info_requested", {"team": BACK_TEAM}))
    assert after(asked, "contacted").assignments[1].state is State.CONTACTED
    answered = after(asked, ("accepted", {"team": BACK_TEAM, "event_id": "A"}))
    assert answered.assignments[0].state is State.ACCEPTED


def test_no_team_may_decide_while_the_decision_is_withdrawn() -> None:
    case = after(opened(diagnoses=(*sks("DE119", "DM545"), *sks("DE109"))), ("accepted", {"event_id": "A"}))
    withdrawn = after(case, ("withdrawn", {"withdraws": "A"}))
    assert withdrawn.state is State.FOR_REVIEW
    assert refusal(withdrawn, "accepted", event_id="B", team=BACK_TEAM).detail == f"forløbet venter på {CONSULTANTS}"


# ------------------------------------------------------------------ told twice, told in error
def test_the_same_event_twice_is_handled_once(municipality: Municipality) -> None:
    case = after(opened(), ("contacted", {"event_id": "E"}))
    again = tell(case, "contacted", event_id="E")
    assert again.cases == again.outgoing == again.parked == ()
    assert again.letters[0].case_id == case.case_id
    assert lifecycle.apply(case, team_event("contacted", event_id="E"), municipality) is case


def test_a_withdrawn_step_was_never_taken() -> None:
    case = after(opened(), ("contacted", {"event_id": "A"}), ("talk_booked", {"event_id": "B"}))
    undone = after(case, ("withdrawn", {"withdraws": "B", "event_id": "W"}))
    assert undone.state is State.CONTACTED
    assert the_only(undone).booked_for is None
    assert [e.event_id for e in undone.events] == ["A", "B", "W"]
    assert undone.number == case.number + 1


def test_a_later_step_may_rest_on_the_withdrawn_one() -> None:
    case = after(opened(), ("course_started", {"event_id": "A"}), ("session_held", {"event_id": "B"}))
    assert refusal(case, "withdrawn", withdraws="A").detail.startswith("senere hændelser bygger på den: session_held i")


@pytest.mark.parametrize("withdraws", ["never-told", "A", "W"])
def test_only_what_stands_can_be_withdrawn(withdraws: str) -> None:
    case = after(opened(), ("contacted", {"event_id": "A"}), ("withdrawn", {"withdraws": "A", "event_id": "W"}))
    assert refusal(case, "withdrawn", withdraws=withdraws, event_id="V").id == "GW-162"


def test_a_second_withdrawal_keeps_the_first() -> None:
    case = after(opened(), ("contacted", {"event_id": "A"}), ("talk_booked", {"event_id": "B"}))
    case = after(case, ("withdrawn", {"withdraws": "A", "event_id": "V"}))
    case = after(case, ("withdrawn", {"withdraws": "B", "event_id": "W"}))
    assert case.state is State.ACCEPTED


# ------------------------------------------------------------------ which case
def told(known: Known, **changes: object) -> list[str]:
    return faults(handle(event("contacted", **changes), known, entrance=Entrance.TEAM))


def test_the_case_is_found_by_episode_in_any_spelling_or_by_case_id() -> None:
    case = opened()
    known = Known(cases={case.case_id: case})
    assert told(known) == []
    hyphens = "4B7C1F0A-9D2E-4C6F-8A1B-3C5D7E9F0A1B"
    assert told(known, episode_of_care_id=hyphens) == []
    assert told(known, episode_of_care_id=None, case_id=case.case_id) == []
    assert told(known, episode_of_care_id="another") == ["GW-161"]
    assert told(known, episode_of_care_id="_") == ["GW-161"]
    assert known.of_episode(None) == []
    assert told(known, episode_of_care_id=None, case_id="another") == ["GW-161"]


def test_an_episode_that_two_cases_share_needs_the_case_id() -> None:
    cases = [opened(), opened(letter_id="BRV00000000002", cpr="0107719902")]
    known = Known(cases={case.case_id: case for case in cases})
    outcome = handle(event("contacted"), known, entrance=Entrance.TEAM)
    assert faults(outcome) == ["GW-163"]
    assert outcome.parked[0].fault.detail == "case_id: " + ", ".join(sorted(known.cases))
    assert [c.case_id for c in known.of_episode(EPISODE, citizen="0107719902")] == [cases[1].case_id]
    assert len(known.of_episode(EPISODE, sender=cases[0].referral.sender_gln)) == 2
    assert told(known, case_id=cases[1].case_id) == []


def test_events_of_one_batch_build_on_each_other() -> None:
    known = Known().fold(handle(emessage(xref15())))
    for kind in ("contacted", "talk_held", "course_started"):
        outcome = handle(event(kind), known, entrance=Entrance.TEAM)
        assert faults(outcome) == []
        known = known.fold(outcome)
    (case,) = known.cases.values()
    assert (case.state, case.number) == (State.COURSE_STARTED, 4)
    assert known.running("1203659901").teams == {CONSULTANTS}
    assert known.running("0107719902").teams == frozenset()


def test_a_case_without_open_assignments_stands_where_its_last_one_does() -> None:
    case = opened(diagnoses=icpc("T90", "P17"))
    first, second = case.assignments
    case = after(case, ("declined_by_citizen", {"assignment": first.id}), ("not_reached", {"assignment": second.id}))
    assert case.state is State.NOT_REACHED
    assert case.all_ended
