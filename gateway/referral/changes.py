"""What a step changes: on the assignments it is about, and which new ones it makes. Pure."""

from collections.abc import Callable, Mapping

import msgspec

from fsiii import AFKLARENDE_SAMTALE, care_social_codes, intervention
from gateway.referral.case import ENDED, Case, CaseAssignment, Course, Note, State, new_assignment
from gateway.referral.decide import Assignment
from gateway.referral.events import EventType, TeamEvent
from gateway.referral.ids import Cause
from gateway.referral.needs import Coded
from gateway.referral.steps import STEPS, UNDECIDED

_replace = msgspec.structs.replace
#: their note is a letter of its own and needs no repeating in the discharge note
_NOTE_IS_SENT = frozenset({EventType.RETURNED, EventType.INFO_REQUESTED})


def advance(assignment: CaseAssignment, event: TeamEvent) -> CaseAssignment:
    """The assignment after a step that is possible."""
    target = _target(assignment, event)
    changes = _CHANGES.get(event.type)
    told = changes(assignment, event) if changes else {}
    if target is not assignment.state:
        told["since"] = event.occurred
    if target in ENDED and not assignment.has_ended:
        told["ended_at"] = event.occurred
    if event.note and event.type not in _NOTE_IS_SENT:
        told["notes"] = (*assignment.notes, Note(at=event.occurred, author=event.author, text=event.note))
    return _replace(assignment, state=target, **told)


def _target(assignment: CaseAssignment, event: TeamEvent) -> State:
    if event.type is EventType.ACCEPTED and assignment.state in UNDECIDED:
        return State.ACCEPTED
    if event.type is EventType.INFO_RECEIVED:
        return assignment.asked_in or State.FOR_REVIEW
    if event.type is EventType.CLOSED and assignment.state is State.RETURNED:
        return State.RETURNED  # closed, it would look as if somebody had been taken on
    return STEPS[event.type].target or assignment.state


def _accepted(_assignment: CaseAssignment, event: TeamEvent) -> dict[str, object]:
    return {"team_accepted_at": event.occurred}


def _info_requested(assignment: CaseAssignment, _event: TeamEvent) -> dict[str, object]:
    return {} if assignment.state is State.INFO_REQUESTED else {"asked_in": assignment.state}


def _talk_booked(_assignment: CaseAssignment, event: TeamEvent) -> dict[str, object]:
    return {"booked_for": event.booked_for}


def _talk_held(assignment: CaseAssignment, event: TeamEvent) -> dict[str, object]:
    start = event.period.start if event.period else event.occurred
    return {"first_talk_at": assignment.first_talk_at or start}


def _course_started(assignment: CaseAssignment, event: TeamEvent) -> dict[str, object]:
    codes = [code for code in event.interventions or () if code not in {c.code for c in assignment.interventions}]
    new = (Course(intervention=coded(c), delivery=event.delivery, started=event.started or "") for c in codes)
    return {"courses": (*assignment.courses, *new), "delivery": event.delivery}


def _course_completed(_assignment: CaseAssignment, event: TeamEvent) -> dict[str, object]:
    return {"ended": event.ended}


def _closing_talk_held(_assignment: CaseAssignment, event: TeamEvent) -> dict[str, object]:
    return {"closing_talk_at": event.period.start if event.period else event.occurred}


def _stopped(_assignment: CaseAssignment, event: TeamEvent) -> dict[str, object]:
    reason = care_social_codes("stop_reason")[event.stop_reason or ""]
    return {"stop_reason": Coded(code=reason.code, display=reason.display)}


_CHANGES: Mapping[EventType, Callable[[CaseAssignment, TeamEvent], dict[str, object]]] = {
    EventType.ACCEPTED: _accepted,
    EventType.INFO_REQUESTED: _info_requested,
    EventType.TALK_BOOKED: _talk_booked,
    EventType.TALK_HELD: _talk_held,
    EventType.COURSE_STARTED: _course_started,
    EventType.COURSE_COMPLETED: _course_completed,
    EventType.CLOSING_TALK_HELD: _closing_talk_held,
    EventType.STOPPED: _stopped,
}


def added(case: Case, event: TeamEvent, chosen: tuple[CaseAssignment, ...]) -> tuple[CaseAssignment, ...]:
    """New assignments an event creates; ids derive from the event, so that playing it again makes the same ones."""
    cause = Cause(sender=case.case_id, id=event.event_id)
    if event.type is EventType.REVIEW_DECIDED:
        decided = event.assignments or ()
        made = [Assignment(team=a.team, intervention=coded(a.intervention), delivery=a.delivery) for a in decided]
    elif event.type is EventType.REFERRED_ON:
        team, codes = event.to_team or "", event.interventions or ()
        made = [Assignment(team=team, intervention=coded(code), delivery=event.delivery) for code in codes]
    elif event.type is EventType.REASSIGNED:
        made = [_moved(a, event.to_team or "") for a in chosen]
    else:
        return ()
    new = (new_assignment(cause, n, a, State.ACCEPTED, chosen[0].id) for n, a in enumerate(made))
    opened = event.occurred if event.type is EventType.REFERRED_ON else None
    return tuple(_replace(a, opened_at=opened, since=event.occurred) for a in new)


def _moved(assignment: CaseAssignment, team: str) -> Assignment:
    first = assignment.intervention or coded(AFKLARENDE_SAMTALE)
    return Assignment(team=team, intervention=first, delivery=assignment.delivery)


def coded(code: str) -> Coded:
    """An FSIII §119 intervention with its title.

    Raises:
        UnknownCodeError: for a code that is no current §119 intervention.
    """
    return Coded(code=code, display=intervention(code).display)
