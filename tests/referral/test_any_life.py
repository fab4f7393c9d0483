"""Whatever is told, in whatever order, twice, late, withdrawn, corrected or taken back: the history stays whole."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.municipality.model import load
from gateway.receive import Entrance
from gateway.referral.case import WAITING, Case, State
from gateway.referral.clocks import ClockKind, clocks
from gateway.referral.events import EventType, TeamEvent
from gateway.referral.inbox import Known, Outcome
from gateway.referral.lifecycle import apply
from gateway.referral.promises import promises
from gateway.referral.steps import allowed
from tests import fhir_messages
from tests.builders import BACK_TEAM, CONSULTANTS, RECEIVED, emessage, event, handle, icpc, sks, team_event, xref15
from tests.referral.test_lifecycle import ALLOWED

MUNICIPALITY = load()
#: what a referral says: accepted, at two teams, two at one team, for review, to be returned
DIAGNOSES = (sks("DE119"), (*sks("DE119"), *icpc("L86")), icpc("T90", "P17"), icpc("A97"), icpc("T82"))
KINDS = sorted(set(EventType) - {EventType.WITHDRAWN})
TEAMS = st.sampled_from([CONSULTANTS, BACK_TEAM])
#: kinds of our letters that say how it ended
NOTES = frozenset({"XDIS15", "DIS15"})
STRAIGHT_ON = ("course_completed", "course_started", "closing_talk_held", "follow_up_held", "talk_held", "closed")


class Life(RuleBasedStateMachine):
    """Cases of one citizen and episode with us, and everything that may reach us about them."""

    def __init__(self) -> None:
        super().__init__()
        self.known = Known()
        self.now = RECEIVED
        self.number = 0
        #: (message, event id, case id) of every event that counted
        self.told: list[tuple[bytes, str, str]] = []
        self.notes: dict[str, int] = {}
        self.last_occurred: dict[str, datetime] = {}

    # -------------------------------------------------------------- what comes
    @initialize(diagnoses=st.sampled_from(DIAGNOSES))
    def referred(self, diagnoses: Any) -> None:  # noqa: ANN401  (the builder's own form)
        outcome = self._comes(emessage(xref15(diagnoses=diagnoses, text="Færdigudredt.")))
        assert len(outcome.cases) == 1

    @rule(kind=st.sampled_from(KINDS), team=TEAMS, which=st.integers(0, 5), names=st.booleans(), late=st.integers(0, 9))
    def tells(self, kind: str, team: str, which: int, names: bool, late: int) -> None:  # noqa: FBT001  (drawn)
        case = self._some_case(which)
        occurred = self.now - timedelta(hours=7 * max(late - 5, 0))
        changes: dict[str, object] = {"team": team, "occurred": occurred.isoformat()}
        if names:
            changes["assignment"] = case.assignments[which % len(case.assignments)].id
        self._is_told(case, kind, occurred, changes)

    @rule(which=st.integers(0, 5), how=st.integers(0, 20), late=st.integers(0, 9))
    def goes_on(self, which: int, how: int, late: int) -> None:
        """A step that is possible where an assignment stands, told in time or some hours late."""
        case = self._some_case(which)
        assignments = [a for a in case.assignments if allowed(a) and not a.has_ended] or case.assignments
        chosen = assignments[how % len(assignments)]
        steps = allowed(chosen)
        if steps:
            team = (case.decision.review_team if chosen.state in WAITING else None) or chosen.team
            occurred = self.now - timedelta(hours=7 * max(late - 7, 0))
            given = {"team": team, "occurred": occurred.isoformat()}
            named = {} if chosen.state in WAITING else {"assignment": chosen.id}
            self._is_told(case, steps[how % len(steps)], occurred, given | named)

    @rule(which=st.integers(0, 5), names=st.booleans())
    def ends(self, which: int, names: bool) -> None:  # noqa: FBT001  (drawn)
        """Whatever is open goes the straight way on."""
        case = self._some_case(which)
        for assignment in case.assignments:
            step = next((step for step in STRAIGHT_ON if step in allowed(assignment)), None)
            if step and assignment.state not in WAITING:
                named = {"assignment": assignment.id} if names else {}
                self._is_told(self.known.cases[case.case_id], step, self.now, {"team": assignment.team} | named)

    @precondition(lambda self: self.told)
    @rule(which=st.integers(0, 20))
    def takes_back(self, which: int) -> None:
        _, event_id, case_id = self.told[which % len(self.told)]
        self._is_told(self.known.cases[case_id], "withdrawn", self.now, {"withdraws": event_id})

    @precondition(lambda self: self.told)
    @rule(which=st.integers(0, 20), same_bytes=st.booleans())
    def says_it_again(self, which: int, same_bytes: bool) -> None:  # noqa: FBT001  (drawn)
        data, _, case_id = self.told[which % len(self.told)]
        outcome = handle(data if same_bytes else data + b" ", self.known, at=self.now, entrance=Entrance.TEAM)
        assert outcome.cases == outcome.outgoing == ()
        assert outcome.duplicate or [letter.case_id for letter in outcome.letters] == [case_id]

    @precondition(lambda self: len(self.told) % 3 == 1)
    @rule(diagnoses=st.sampled_from(DIAGNOSES))
    def corrects(self, diagnoses: Any) -> None:  # noqa: ANN401  (the builder's own form)
        self.number += 1
        letter_id = f"RETTET{self.number:08}"
        letter = xref15(letter_id=letter_id, status="rettetbrev", diagnoses=diagnoses, text="Færdigudredt.")
        outcome = self._comes(emessage(letter, envelope_id=letter_id))
        assert len(outcome.cases) == 1

    @precondition(lambda self: len(self.told) % 7 == 6)
    @rule()
    def cancels(self) -> None:
        self.number += 1
        message = fhir_messages.referral(head=fhir_messages.header("cancel-referral"))
        data = fhir_messages.as_json(message)
        for own in (fhir_messages.HEADER_ID, fhir_messages.BUNDLE_ID):
            data = data.replace(own.encode(), str(UUID(int=UUID(own).int + 1000 * self.number)).encode())
        open_before = [c for c in self.known.cases.values() if c.discharged_at is None and c.cancelled_at is None]
        outcome = self._comes(data, Entrance.FHIR)
        assert len(outcome.cases) == bool(open_before)
        assert all(case.all_ended and case.cancelled_at for case in outcome.cases)

    # -------------------------------------------------------------- what must hold for each
    def _some_case(self, which: int) -> Case:
        return list(self.known.cases.values())[which % len(self.known.cases)]

    def _is_told(self, case: Case, kind: str, occurred: datetime, changes: dict[str, object]) -> None:
        self.number += 1
        given = {"event_id": f"E{self.number}", "case_id": case.case_id, "occurred": occurred.isoformat(), **changes}
        data = event(kind, **given)
        outcome = self._comes(data, Entrance.TEAM)
        if not outcome.cases:
            (refused,) = outcome.parked
            assert refused.fault.id == "GW-162"
            assert refused.fault.detail
            assert outcome.outgoing == ()
            return
        after = self.known.cases[case.case_id]
        assert after.events[:-1] == case.events
        assert after.events[-1].event_id == f"E{self.number}"
        if kind == "withdrawn":
            assert changes["withdraws"] not in {counted.event_id for counted in after.timeline}
        elif occurred >= self.last_occurred.get(case.case_id, occurred):
            assert_step_of_the_table(case, after, kind)
        self.last_occurred[case.case_id] = max(occurred, self.last_occurred.get(case.case_id, occurred))
        self.told.append((data, f"E{self.number}", case.case_id))

    def _comes(self, data: bytes, entrance: Entrance = Entrance.MEDCOM) -> Outcome:
        self.now += timedelta(hours=5)
        outcome = handle(data, self.known, at=self.now, entrance=entrance)
        for case in outcome.cases:
            before = self.known.cases.get(case.case_id)
            assert case.number == (before.number + 1 if before else 1)
            if before is not None:
                assert case.events[: len(before.events)] == before.events
                assert case.earlier[: len(before.earlier)] == before.earlier
                assert before.discharged_at is None or case.discharged_at == before.discharged_at
        for letter in outcome.outgoing:
            # taking back comes in FHIR, and what it ends is told in FHIR; no other letter follows from it
            if letter.kind in NOTES or (entrance is Entrance.FHIR and letter.kind == "CareCommunication"):
                assert letter.case_id is not None
                self.notes[letter.case_id] = self.notes.get(letter.case_id, 0) + 1
        self.known = self.known.fold(outcome)
        return outcome

    # -------------------------------------------------------------- what must hold always
    @invariant()
    def no_case_has_two_discharge_notes(self) -> None:
        for case in self.known.cases.values():
            assert self.notes.get(case.case_id, 0) == (case.discharged_at is not None)

    @invariant()
    def every_case_is_sound(self) -> None:
        for case in self.known.cases.values():
            assert_sound(case)

    @invariant()
    def the_clocks_fit_the_states(self) -> None:
        for case in self.known.cases.values():
            found = clocks(case, MUNICIPALITY)
            kinds = {clock.kind for clock in found}
            assert len({(clock.kind, clock.subject) for clock in found}) == len(found)
            assert not case.all_ended or kinds <= {ClockKind.FOLLOW_UP}
            waits = {State.FOR_REVIEW, State.DRAFTED_RETURN} & {a.state for a in case.assignments}
            assert bool(kinds & {ClockKind.DECISION, ClockKind.URGENT, ClockKind.DRAFTED_RETURN}) == bool(waits)
            assert promises(case, MUNICIPALITY).clocks == found


def assert_step_of_the_table(before: Case, after: Case, kind: str) -> None:
    """What was told last changed only assignments that the table lets it change."""
    stood = {a.id: a for a in before.assignments}
    for assignment in after.assignments:
        earlier = stood.get(assignment.id)
        if earlier is not None and earlier != assignment:
            assert earlier.state in ALLOWED[kind].split(), (kind, earlier.state)
    gone = set(stood) - {a.id for a in after.assignments}
    assert not gone or kind == "review_decided"
    assert all(stood[i].state in WAITING for i in gone)


def assert_sound(case: Case) -> None:
    assert case.assignments
    assert case.state in State
    ids = [a.id for a in case.assignments]
    assert len(set(ids)) == len(ids)
    told: dict[str, TeamEvent] = {e.event_id: e for e in case.events}
    assert len(told) == len(case.events)
    counting = [counted.event_id for counted in case.timeline]
    assert len(set(counting)) == len(counting)
    assert set(counting) <= set(told)
    assert not {told[i].type for i in counting} & {EventType.WITHDRAWN}
    assert not {e.withdraws for e in case.events if e.withdraws} & set(counting)
    assert msgspec.json.decode(msgspec.json.encode(case), type=Case) == case
    assert not case.owes_discharge_note


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30)


def test_an_event_told_twice_changes_nothing_even_past_the_inbox() -> None:
    """The core itself knows an event, should the inbox ever forget it."""
    (case,) = handle(emessage(xref15())).cases
    once = apply(case, team_event("contacted", event_id="E1"), MUNICIPALITY)
    assert isinstance(once, Case)
    assert apply(once, team_event("contacted", event_id="E1"), MUNICIPALITY) is once
