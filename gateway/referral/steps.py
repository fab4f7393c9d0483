"""The table of steps: where each may be taken, where it leads, and what must hold beside that. Pure data and guards.

``received → for_review → accepted | info_requested | referral_requested | returned``;
``accepted → contacted → talk_booked → talk_held → course_started → course_completed → closing_talk_held → follow_up →
closed``, with direct starts, early ends and reassignment (design §5). ``docs/lifecycle.md`` shows it as a page.
"""

from collections.abc import Callable, Mapping

import msgspec

from gateway.referral.case import WAITING, CaseAssignment, State
from gateway.referral.events import EventType, TeamEvent
from gateway.referral.moments import parse_moment
from gateway.referral.workdays import local_date

#: whether a step may be taken, as far as the state does not tell: why not, in Danish, or None
Guard = Callable[[CaseAssignment, TeamEvent], str | None]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Where a step may be taken from and where it leads; ``target`` None leaves the state as it is."""

    sources: frozenset[State]
    target: State | None
    guards: tuple[Guard, ...] = ()


def _not_to_itself(assignment: CaseAssignment, event: TeamEvent) -> str | None:
    return f"opgaven er allerede hos {event.to_team}" if event.to_team == assignment.team else None


def _ends_after_start(assignment: CaseAssignment, event: TeamEvent) -> str | None:
    started, ended = parse_moment(assignment.started), parse_moment(event.ended)
    if started is None or ended is None or local_date(started) <= local_date(ended):
        return None
    return "ended ligger før forløbets start"


_BEFORE_TALK = frozenset({State.ACCEPTED, State.CONTACTED, State.TALK_BOOKED})
_UNDER_WAY = _BEFORE_TALK | {State.TALK_HELD, State.COURSE_STARTED}
_AFTER_COURSE = frozenset({State.COURSE_COMPLETED, State.CLOSING_TALK_HELD, State.FOLLOW_UP})
#: a person's word takes these as they stand; a drafted return must be decided by name
UNDECIDED = frozenset({State.FOR_REVIEW, State.INFO_REQUESTED, State.REFERRAL_REQUESTED})
#: the steps by which a person decides a review
DECISIONS = frozenset({EventType.ACCEPTED, EventType.REVIEW_DECIDED})

STEPS: Mapping[EventType, Step] = {
    EventType.ACCEPTED: Step(sources=UNDECIDED | _BEFORE_TALK, target=None),
    EventType.REVIEW_DECIDED: Step(sources=WAITING, target=State.ACCEPTED),
    EventType.RETURNED: Step(sources=WAITING, target=State.RETURNED),
    EventType.INFO_REQUESTED: Step(sources=WAITING | _BEFORE_TALK, target=State.INFO_REQUESTED),
    EventType.INFO_RECEIVED: Step(sources=frozenset({State.INFO_REQUESTED}), target=None),
    EventType.REFERRAL_REQUESTED: Step(sources=WAITING, target=State.REFERRAL_REQUESTED),
    EventType.CONTACTED: Step(sources=_BEFORE_TALK - {State.TALK_BOOKED}, target=State.CONTACTED),
    EventType.NOT_REACHED: Step(sources=_BEFORE_TALK, target=State.NOT_REACHED),
    EventType.TALK_BOOKED: Step(sources=_BEFORE_TALK, target=State.TALK_BOOKED),
    EventType.TALK_HELD: Step(sources=_BEFORE_TALK | {State.TALK_HELD}, target=State.TALK_HELD),
    EventType.COURSE_STARTED: Step(sources=_UNDER_WAY, target=State.COURSE_STARTED),
    EventType.SESSION_HELD: Step(sources=frozenset({State.COURSE_STARTED}), target=None),
    EventType.NO_SHOW: Step(sources=_UNDER_WAY, target=None),
    EventType.REFERRED_ON: Step(
        sources=frozenset({State.TALK_HELD, State.COURSE_STARTED}) | _AFTER_COURSE, target=None
    ),
    EventType.COURSE_COMPLETED: Step(
        sources=frozenset({State.COURSE_STARTED}), target=State.COURSE_COMPLETED, guards=(_ends_after_start,)
    ),
    EventType.CLOSING_TALK_HELD: Step(sources=frozenset({State.COURSE_COMPLETED}), target=State.CLOSING_TALK_HELD),
    EventType.FOLLOW_UP_HELD: Step(sources=_AFTER_COURSE, target=State.FOLLOW_UP),
    EventType.STOPPED: Step(sources=_UNDER_WAY, target=State.STOPPED),
    EventType.DECLINED_BY_CITIZEN: Step(sources=WAITING | _UNDER_WAY, target=State.DECLINED_BY_CITIZEN),
    EventType.REASSIGNED: Step(sources=_UNDER_WAY, target=State.REASSIGNED, guards=(_not_to_itself,)),
    EventType.CLOSED: Step(
        sources=_AFTER_COURSE
        | {State.TALK_HELD, State.NOT_REACHED, State.STOPPED, State.DECLINED_BY_CITIZEN, State.RETURNED},
        target=State.CLOSED,
    ),
}


def allowed(assignment: CaseAssignment) -> tuple[str, ...]:
    """Names of the steps that can be taken where the assignment stands."""
    return tuple(sorted(t.value for t, step in STEPS.items() if assignment.state in step.sources))


def why_not(assignment: CaseAssignment, event: TeamEvent) -> str | None:
    """Why the step cannot be taken, in Danish and with the possible ones; None when it can."""
    step = STEPS[event.type]
    if assignment.state not in step.sources:
        possible = ", ".join(allowed(assignment)) or "ingen"
        return f"{event.type} i tilstanden {assignment.state}; mulige trin: {possible}"
    return next((why for guard in step.guards if (why := guard(assignment, event))), None)
