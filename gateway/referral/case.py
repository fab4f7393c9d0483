"""The case (forløb): one referral's life with us, its assignments and its history."""

from datetime import datetime
from enum import StrEnum

import msgspec

from gateway.referral.attachments import named_objects
from gateway.referral.correspondence import CaseLetter
from gateway.referral.decide import RETURN, REVIEW, Assignment, Decision
from gateway.referral.events import Author, TeamEvent
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.letters import Arrival
from gateway.referral.model import Referral
from gateway.referral.needs import Coded


class State(StrEnum):
    """Where an assignment stands; the case's state is derived from its assignments."""

    #: a person must decide first
    FOR_REVIEW = "for_review"
    #: a drafted answer waits for approval
    DRAFTED_RETURN = "drafted_return"
    INFO_REQUESTED = "info_requested"
    REFERRAL_REQUESTED = "referral_requested"
    ACCEPTED = "accepted"
    CONTACTED = "contacted"
    TALK_BOOKED = "talk_booked"
    TALK_HELD = "talk_held"
    COURSE_STARTED = "course_started"
    COURSE_COMPLETED = "course_completed"
    CLOSING_TALK_HELD = "closing_talk_held"
    FOLLOW_UP = "follow_up"
    CLOSED = "closed"
    NOT_REACHED = "not_reached"
    DECLINED_BY_CITIZEN = "declined_by_citizen"
    STOPPED = "stopped"
    CANCELLED_BY_REFERRER = "cancelled_by_referrer"
    REASSIGNED = "reassigned"
    RETURNED = "returned"


#: nothing more is owed on the assignment as far as the discharge note goes
ENDED = frozenset(
    {
        State.COURSE_COMPLETED,
        State.CLOSING_TALK_HELD,
        State.FOLLOW_UP,
        State.CLOSED,
        State.NOT_REACHED,
        State.DECLINED_BY_CITIZEN,
        State.STOPPED,
        State.CANCELLED_BY_REFERRER,
        State.REASSIGNED,
        State.RETURNED,
    }
)
#: waits for a person's decision
WAITING = frozenset({State.FOR_REVIEW, State.DRAFTED_RETURN, State.INFO_REQUESTED, State.REFERRAL_REQUESTED})
#: ended without the municipality having taken the citizen on: no discharge note
_NEVER_TAKEN_ON = frozenset({State.RETURNED, State.REASSIGNED, State.CANCELLED_BY_REFERRER})


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Words for the referrer that a team gave with a step."""

    at: datetime
    author: Author
    text: str


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """An intervention that was started."""

    intervention: Coded
    #: ``individual`` or ``group``
    delivery: str | None
    #: date or date-time, as the team told it
    started: str


class CaseAssignment(msgspec.Struct, frozen=True, kw_only=True):
    """A first intervention at a team, as it goes along."""

    id: str
    team: str
    #: None for a review without proposal
    intervention: Coded | None
    delivery: str | None = None
    state: State
    #: the assignment this one came from (referred on, reassigned)
    parent: str | None = None
    #: when an event created it; None for what the decision itself assigned
    opened_at: datetime | None = None
    #: when it came to stand where it does; None before any step
    since: datetime | None = None
    #: where it stood when the referrer was asked
    asked_in: State | None = None
    team_accepted_at: datetime | None = None
    booked_for: datetime | None = None
    first_talk_at: datetime | None = None
    closing_talk_at: datetime | None = None
    #: in the order in which they started; an intervention stands once
    courses: tuple[Course, ...] = ()
    #: date or date-time of the end, as the team told it
    ended: str | None = None
    ended_at: datetime | None = None
    stop_reason: Coded | None = None
    notes: tuple[Note, ...] = ()

    @property
    def interventions(self) -> tuple[Coded, ...]:
        """What was started."""
        return tuple(course.intervention for course in self.courses)

    @property
    def started(self) -> str | None:
        """Date or date-time of the first course's start."""
        return self.courses[0].started if self.courses else None

    @property
    def was_handed_over(self) -> bool:
        """Whether its team has it as decided, a question to the referrer since then or not."""
        decided = self.asked_in if self.state is State.INFO_REQUESTED else self.state
        return decided is not None and decided not in WAITING

    @property
    def has_ended(self) -> bool:
        """Whether the assignment counts as ended for the discharge note."""
        return self.state in ENDED


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """An event that counts, the assignments it was about when it was told, and those it opened."""

    event_id: str
    assignments: tuple[str, ...]
    #: as they were then; a reassignment opens one for each it was about, in the same order
    opened: tuple[CaseAssignment, ...] = ()


class EarlierVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The case as it stood when the referrer corrected the referral or took it back: history, never rewritten."""

    number: int
    received_at: datetime
    referral: Referral
    arrival: Arrival
    decision: Decision
    #: as decided or corrected, and as they stood in the end
    initial: tuple[CaseAssignment, ...] = ()
    assignments: tuple[CaseAssignment, ...]
    #: what counted while this version stood
    timeline: tuple[Counted, ...] = ()
    #: when what replaced it reached us
    replaced_at: datetime


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything we hold about one case. Persons' data; stored behind the codec."""

    case_id: str
    #: grows by one with every change; a save on top of another number is refused
    number: int = 1
    received_at: datetime
    referral: Referral
    arrival: Arrival
    decision: Decision
    #: as decided or corrected, before any event that came since
    initial: tuple[CaseAssignment, ...]
    assignments: tuple[CaseAssignment, ...]
    #: everything that was told, in the order in which it reached us; history is never rewritten
    events: tuple[TeamEvent, ...] = ()
    #: what of it counts since ``initial``, in the order in which it happened: late ones in their place, withdrawn gone
    timeline: tuple[Counted, ...] = ()
    #: oldest first; empty until the referrer corrects the referral or takes it back
    earlier: tuple[EarlierVersion, ...] = ()
    #: ``number`` at which the decision was made
    decided_as: int = 1
    #: when the referrer took the referral back
    cancelled_at: datetime | None = None
    #: when the discharge note was written; there is never a second
    discharged_at: datetime | None = None
    #: correspondence that came to the case, in the order received
    letters: tuple[CaseLetter, ...] = ()
    #: ids of files that an older referral named, which came after the correction that the case follows
    also_named: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """The least advanced open assignment's state; with none open, the last assignment's."""
        order = list(State)
        open_states = [a.state for a in self.assignments if not a.has_ended]
        if open_states:
            return min(open_states, key=order.index)
        return self.assignments[-1].state

    @property
    def all_ended(self) -> bool:
        """Whether every assignment has ended."""
        return all(a.has_ended for a in self.assignments)

    @property
    def owes_discharge_note(self) -> bool:
        """All assignments ended, the municipality had taken the citizen on, and no note was written yet."""
        taken_on = any(a.state not in _NEVER_TAKEN_ON for a in self.assignments)
        return self.all_ended and taken_on and self.discharged_at is None

    @property
    def programmes(self) -> tuple[str, ...]:
        """The programmes as a person decided them, else as the rules found them."""
        counting = {counted.event_id for counted in self.timeline}
        decided = [e.programmes for e in self.events if e.event_id in counting and e.programmes is not None]
        return decided[-1] if decided else self.decision.programmes

    @property
    def owners(self) -> list[str]:
        """Teams with an open assignment; what waits for a decision is the review team's; of an ended case all teams."""
        held = [a for a in self.assignments if not a.has_ended] or list(self.assignments)
        review = self.decision.review_team
        return sorted({review if review and a.state in WAITING and not a.was_handed_over else a.team for a in held})

    @property
    def named_objects(self) -> frozenset[str]:
        """Ids of every file that a letter of the case names, whether it has come or not."""
        referrals = (self.referral, *(version.referral for version in self.earlier))
        named = (key for referral in referrals for key in named_objects(referral.attachments))
        return frozenset((*named, *self.also_named, *(key for letter in self.letters for key in letter.objects)))

    def running_teams(self) -> frozenset[str]:
        """Teams with a course that is started and not ended."""
        return frozenset(a.team for a in self.assignments if a.state is State.COURSE_STARTED)


def open_case(referral: Referral, arrival: Arrival, decision: Decision, received_at: datetime) -> Case:
    """A new case with its first assignments, all ids derived from the letter."""
    cause = Cause(sender=referral.sender_gln, id=referral.letter_id)
    case_id = fhir_id(cause, "case", "")
    initial = first_assignments(case_id, decision)
    return Case(
        case_id=case_id,
        received_at=received_at,
        referral=referral,
        arrival=arrival,
        decision=decision,
        initial=initial,
        assignments=initial,
    )


def first_assignments(case_id: str, decision: Decision, correction: str = "") -> tuple[CaseAssignment, ...]:
    """The decision's assignments as the case holds them; a review or return is held by ``review_team``.

    ``correction`` is the letter id of the corrected referral that led to the decision.
    """
    state = {REVIEW: State.FOR_REVIEW, RETURN: State.DRAFTED_RETURN}.get(decision.outcome, State.ACCEPTED)
    cause = Cause(sender=case_id, id=f"decision|{correction}" if correction else "decision")
    if not decision.assignments:
        team = decision.review_team or ""
        return (CaseAssignment(id=fhir_id(cause, "assignment", team), team=team, intervention=None, state=state),)
    return tuple(new_assignment(cause, n, made, state) for n, made in enumerate(decision.assignments))


def new_assignment(
    cause: Cause, ordinal: int, made: Assignment, state: State, parent: str | None = None
) -> CaseAssignment:
    """An assignment whose id is derived from what caused it."""
    return CaseAssignment(
        id=fhir_id(cause, "assignment", made.team, ordinal),
        team=made.team,
        intervention=made.intervention,
        delivery=made.delivery,
        state=state,
        parent=parent,
    )
