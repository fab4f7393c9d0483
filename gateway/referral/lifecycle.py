"""The case's steps: a table of what is possible where, and what each step changes. Pure.

``received → for_review → accepted | info_requested | referral_requested | returned``;
``accepted → contacted → talk_booked → talk_held → course_started → course_completed → closing_talk_held → follow_up →
closed``, with direct starts, early ends and reassignment (design §5). Steps belong to an assignment.
"""

from collections.abc import Callable, Mapping

import msgspec

from fsiii import AFKLARENDE_SAMTALE, care_social_codes, intervention
from gateway.errors import Fault
from gateway.municipality.model import Municipality
from gateway.referral.case import ENDED, WAITING, Case, CaseAssignment, State, new_assignment
from gateway.referral.decide import Assignment
from gateway.referral.events import EventType, TeamEvent
from gateway.referral.ids import Cause
from gateway.referral.needs import Coded

_replace = msgspec.structs.replace


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Where a step may be taken from and where it leads; ``target`` None leaves the state as it is."""

    sources: frozenset[State]
    target: State | None


_BEFORE_TALK = frozenset({State.ACCEPTED, State.CONTACTED, State.TALK_BOOKED})
_UNDER_WAY = _BEFORE_TALK | {State.TALK_HELD, State.COURSE_STARTED}
_DECISIONS = frozenset({EventType.ACCEPTED, EventType.REVIEW_DECIDED})
_AFTER_COURSE = frozenset({State.COURSE_COMPLETED, State.CLOSING_TALK_HELD, State.FOLLOW_UP})
_UNDECIDED = frozenset({State.FOR_REVIEW, State.INFO_REQUESTED, State.REFERRAL_REQUESTED})

STEPS: Mapping[EventType, Step] = {
    EventType.ACCEPTED: Step(sources=_UNDECIDED | _BEFORE_TALK, target=None),
    EventType.REVIEW_DECIDED: Step(sources=WAITING, target=State.ACCEPTED),
    EventType.RETURNED: Step(sources=WAITING, target=State.RETURNED),
    EventType.INFO_REQUESTED: Step(sources=WAITING | _BEFORE_TALK, target=State.INFO_REQUESTED),
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
    EventType.COURSE_COMPLETED: Step(sources=frozenset({State.COURSE_STARTED}), target=State.COURSE_COMPLETED),
    EventType.CLOSING_TALK_HELD: Step(sources=frozenset({State.COURSE_COMPLETED}), target=State.CLOSING_TALK_HELD),
    EventType.FOLLOW_UP_HELD: Step(sources=_AFTER_COURSE, target=State.FOLLOW_UP),
    EventType.STOPPED: Step(sources=_UNDER_WAY, target=State.STOPPED),
    EventType.DECLINED_BY_CITIZEN: Step(sources=WAITING | _UNDER_WAY, target=State.DECLINED_BY_CITIZEN),
    EventType.REASSIGNED: Step(sources=_UNDER_WAY, target=State.REASSIGNED),
    EventType.CLOSED: Step(
        sources=_AFTER_COURSE
        | {State.TALK_HELD, State.NOT_REACHED, State.STOPPED, State.DECLINED_BY_CITIZEN, State.RETURNED},
        target=State.CLOSED,
    ),
}


def apply(case: Case, event: TeamEvent, municipality: Municipality) -> Case | Fault:
    """The case after the event, or why the step is impossible (GW-160, GW-162); a known event changes nothing."""
    if any(known.event_id == event.event_id for known in case.events):
        return case
    unknown = [t for t in (event.team, event.to_team, *_teams_decided(event)) if t and t not in municipality.teams]
    if unknown:
        return Fault(id="GW-160", detail=f"ukendt team {unknown[0]}")
    if event.type is EventType.WITHDRAWN:
        return _withdraw(case, event, municipality)
    after = _take_step(case, event)
    if isinstance(after, Fault):
        return after
    return _replace(after, events=(*case.events, event))


def allowed(assignment: CaseAssignment) -> tuple[str, ...]:
    """Names of the steps that can be taken where the assignment stands."""
    return tuple(sorted(t.value for t, step in STEPS.items() if assignment.state in step.sources))


def _take_step(case: Case, event: TeamEvent) -> Case | Fault:
    chosen = _concerned(case, event)
    if isinstance(chosen, Fault):
        return chosen
    step = STEPS[event.type]
    for assignment in chosen:
        if assignment.state not in step.sources:
            possible = ", ".join(allowed(assignment)) or "ingen"
            return Fault(id="GW-162", detail=f"{event.type} i tilstanden {assignment.state}; mulige trin: {possible}")
    changed = {a.id: _advance(a, event, step) for a in chosen}
    kept = tuple(changed.get(a.id, a) for a in case.assignments)
    added = _added(case, event, chosen)
    if event.type is EventType.REVIEW_DECIDED:
        kept = tuple(a for a in kept if a.id not in changed)
    return _replace(case, assignments=(*kept, *added))


def _concerned(case: Case, event: TeamEvent) -> tuple[CaseAssignment, ...] | Fault:
    """The assignments an event speaks of: all that wait for the review team, else the team's only or named one."""
    waiting = tuple(a for a in case.assignments if a.state in WAITING)
    if waiting and not _is_decided(case):
        if event.team != case.decision.review_team:
            return Fault(id="GW-162", detail=f"forløbet venter på {case.decision.review_team}")
        return waiting
    return _of_team(case, event)


def _is_decided(case: Case) -> bool:
    """No person's decision is open; a team that has asked a question since then goes on by itself."""
    gone = withdrawn_ids(case.events)
    taken = any(e.type in _DECISIONS and e.event_id not in gone for e in case.events)
    return case.decision.review_team is None or taken


def _teams_decided(event: TeamEvent) -> tuple[str, ...]:
    return tuple(a.team for a in event.assignments or ())


def _of_team(case: Case, event: TeamEvent) -> tuple[CaseAssignment, ...] | Fault:
    ours = [a for a in case.assignments if a.team == event.team and a.state is not State.REASSIGNED]
    if event.assignment is not None:
        named = tuple(a for a in ours if a.id == event.assignment)
        return named or Fault(id="GW-162", detail=f"{event.team} har ikke opgaven assignment={event.assignment}")
    able = [a for a in ours if a.state in STEPS[event.type].sources]
    candidates = [a for a in ours if not a.has_ended] or able or ours
    if len(candidates) > 1 and len(able) == 1:
        candidates = able
    if len(candidates) == 1:
        return (candidates[0],)
    if not candidates:
        return Fault(id="GW-162", detail=f"{event.team} har ingen opgave i forløbet")
    ids = ", ".join(a.id for a in candidates)
    return Fault(id="GW-162", detail=f"{event.team} har flere opgaver; angiv assignment: {ids}")


def _advance(assignment: CaseAssignment, event: TeamEvent, step: Step) -> CaseAssignment:
    target = step.target or assignment.state
    if event.type is EventType.ACCEPTED and assignment.state in _UNDECIDED:
        target = State.ACCEPTED
    changes = _CHANGES.get(event.type)
    told = changes(assignment, event) if changes else {}
    ends_now = target in ENDED and not assignment.has_ended
    ended = {"ended_at": event.occurred, "note": event.note} if ends_now else {}
    return _replace(assignment, state=target, **ended, **told)


def _accepted(_assignment: CaseAssignment, event: TeamEvent) -> dict[str, object]:
    return {"team_accepted_at": event.occurred}


def _talk_booked(_assignment: CaseAssignment, event: TeamEvent) -> dict[str, object]:
    return {"booked_for": event.booked_for}


def _talk_held(assignment: CaseAssignment, event: TeamEvent) -> dict[str, object]:
    start = event.period.start if event.period else event.occurred
    return {"first_talk_at": assignment.first_talk_at or start}


def _course_started(assignment: CaseAssignment, event: TeamEvent) -> dict[str, object]:
    added = tuple(coded(code) for code in event.interventions or ())
    new = tuple(c for c in added if c not in assignment.interventions)
    return {
        "started": assignment.started or event.started,
        "interventions": (*assignment.interventions, *new),
        "delivery": event.delivery,
    }


def _course_completed(_assignment: CaseAssignment, event: TeamEvent) -> dict[str, object]:
    return {"ended": event.ended}


def _stopped(_assignment: CaseAssignment, event: TeamEvent) -> dict[str, object]:
    reason = care_social_codes("stop_reason")[event.stop_reason or ""]
    return {"stop_reason": Coded(code=reason.code, display=reason.display)}


_CHANGES: Mapping[EventType, Callable[[CaseAssignment, TeamEvent], dict[str, object]]] = {
    EventType.ACCEPTED: _accepted,
    EventType.TALK_BOOKED: _talk_booked,
    EventType.TALK_HELD: _talk_held,
    EventType.COURSE_STARTED: _course_started,
    EventType.COURSE_COMPLETED: _course_completed,
    EventType.STOPPED: _stopped,
}


def _added(case: Case, event: TeamEvent, chosen: tuple[CaseAssignment, ...]) -> tuple[CaseAssignment, ...]:
    """New assignments an event creates; ids derive from the event."""
    cause = Cause(sender=case.case_id, id=event.event_id)
    if event.type is EventType.REVIEW_DECIDED:
        decided = event.assignments or ()
        made = [Assignment(team=a.team, intervention=coded(a.intervention), delivery=a.delivery) for a in decided]
    elif event.type is EventType.REFERRED_ON:
        team = event.to_team or ""
        made = [
            Assignment(team=team, intervention=coded(c), delivery=event.delivery) for c in event.interventions or ()
        ]
    elif event.type is EventType.REASSIGNED:
        made = [_moved(a, event.to_team or "") for a in chosen]
    else:
        return ()
    parent = chosen[0].id
    return tuple(new_assignment(cause, n, a, State.ACCEPTED, parent) for n, a in enumerate(made))


def _moved(assignment: CaseAssignment, team: str) -> Assignment:
    first = assignment.intervention or coded(AFKLARENDE_SAMTALE)
    return Assignment(team=team, intervention=first, delivery=assignment.delivery)


def coded(code: str) -> Coded:
    """An FSIII §119 intervention with its title.

    Raises:
        UnknownCodeError: for a code that is no current §119 intervention.
    """
    return Coded(code=code, display=intervention(code).display)


def _withdraw(case: Case, event: TeamEvent, municipality: Municipality) -> Case | Fault:
    """Play the history again without the withdrawn event; the history itself keeps both."""
    gone = withdrawn_ids(case.events)
    valid = [e for e in case.events if e.event_id not in gone and e.type is not EventType.WITHDRAWN]
    if all(e.event_id != event.withdraws for e in valid):
        return Fault(id="GW-162", detail="hændelsen, der trækkes tilbage, gælder ikke i forløbet")
    replayed = _replace(case, assignments=case.initial, events=())
    for earlier in (e for e in valid if e.event_id != event.withdraws):
        after = apply(replayed, earlier, municipality)
        if isinstance(after, Fault):
            return Fault(id="GW-162", detail=f"senere hændelser bygger på den: {after.detail}")
        replayed = after
    return _replace(replayed, events=(*case.events, event))


def withdrawn_ids(events: tuple[TeamEvent, ...]) -> frozenset[str]:
    """Ids of the events that later events withdrew."""
    return frozenset(e.withdraws for e in events if e.withdraws)
