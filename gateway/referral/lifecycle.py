"""The case's life: an event told → the case after it, or why it is impossible. Pure; the table is in ``steps``.

What is told is kept in the order in which it reached us (``Case.events``). What counts is kept in the order in which it
happened (``Case.timeline``): a late event takes its place by ``occurred`` and what came after it is played again. Where
it does not fit there (clocks differ, a time was entered wrongly) it counts as told last, as long as that is possible.
A withdrawn event leaves the timeline, never the history.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from gateway.errors import Fault
from gateway.municipality.model import Municipality
from gateway.referral.case import WAITING, Case, CaseAssignment, Counted, State
from gateway.referral.changes import added, advance
from gateway.referral.events import Author, EventType, TeamEvent
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.steps import DECISIONS, STEPS, why_not

_replace = msgspec.structs.replace
_IMPOSSIBLE = "GW-162"


def apply(case: Case, event: TeamEvent, municipality: Municipality) -> Case | Fault:
    """The case after the event, or why the step is impossible (GW-160, GW-162); a known event changes nothing."""
    if any(known.event_id == event.event_id for known in case.events):
        return case
    unknown = _unknown_name(event, municipality)
    if unknown is not None:
        return Fault(id="GW-160", detail=unknown)
    told = _replace(case, events=(*case.events, event))
    if event.type is EventType.WITHDRAWN:
        return _withdraw(told, event)
    return _in_its_place(told, event)


def information_arrived(case: Case, cause: Cause, at: datetime, municipality: Municipality) -> Case:
    """The case after the referrer's answer came as a letter (``cause``), received ``at``.

    What waited for it stands where it stood before the question; a case that asked nothing is left as it is.
    """
    asked = [a.team for a in case.assignments if a.state is State.INFO_REQUESTED]
    if not asked:
        return case
    answer = TeamEvent(
        event_id=fhir_id(cause, "info_received", case.case_id),
        type=EventType.INFO_RECEIVED,
        team=asked[0],
        occurred=at,
        author=Author(name="henviser"),
        case_id=case.case_id,
    )
    after = apply(case, answer, municipality)
    return case if isinstance(after, Fault) else after


def _unknown_name(event: TeamEvent, municipality: Municipality) -> str | None:
    teams = (event.team, event.to_team, *(a.team for a in event.assignments or ()))
    unknown = [f"ukendt team {team}" for team in teams if team and team not in municipality.teams]
    unknown += [f"ukendt program {name}" for name in event.programmes or () if name not in municipality.offered]
    return unknown[0] if unknown else None


# ------------------------------------------------------------------ where an event counts
def _in_its_place(told: Case, event: TeamEvent) -> Case | Fault:
    """The event where it happened, else, where it cannot have happened then, after all that was told before."""
    occurred = {e.event_id: e.occurred for e in told.events}
    before = [n for n, c in enumerate(told.timeline, start=1) if occurred[c.event_id] <= event.occurred]
    place = max(before, default=0)
    if place < len(told.timeline):
        new = Counted(event_id=event.event_id, assignments=())
        in_place = _played(told, (*told.timeline[:place], new, *told.timeline[place:]))
        if isinstance(in_place, Case):
            return in_place
    return _take_step(told, event)


def _played(case: Case, timeline: Iterable[Counted]) -> Case | Fault:
    """The case as these events make it, from the decision on."""
    told = {e.event_id: e for e in case.events}
    played = _replace(case, assignments=case.initial, timeline=())
    for counted in timeline:
        after = _take_step(played, told[counted.event_id], counted.assignments)
        if isinstance(after, Fault):
            return after
        played = after
    return played


def _withdraw(told: Case, event: TeamEvent) -> Case | Fault:
    """Play the timeline again without the withdrawn event; the history keeps both."""
    left = tuple(c for c in told.timeline if c.event_id != event.withdraws)
    if len(left) == len(told.timeline):
        return Fault(id=_IMPOSSIBLE, detail="hændelsen, der trækkes tilbage, gælder ikke i forløbet")
    after = _played(told, left)
    if isinstance(after, Fault):
        return Fault(id=_IMPOSSIBLE, detail=f"senere hændelser bygger på den: {after.detail}")
    return after


# ------------------------------------------------------------------ one step
def _take_step(case: Case, event: TeamEvent, named: tuple[str, ...] = ()) -> Case | Fault:
    """One step; ``named`` are the assignments it was about when it was told, where it is played again."""
    chosen = _same_as_told(case, named) if named else _concerned(case, event)
    if isinstance(chosen, Fault):
        return chosen
    impossible = next((why for a in chosen if (why := why_not(a, event))), None)
    if impossible is not None:
        return Fault(id=_IMPOSSIBLE, detail=impossible)
    changed = {a.id: advance(a, event) for a in chosen}
    kept = tuple(changed.get(a.id, a) for a in case.assignments)
    if event.type is EventType.REVIEW_DECIDED:
        kept = tuple(a for a in kept if a.id not in changed)
    new = added(case, event, chosen)
    counted = Counted(event_id=event.event_id, assignments=tuple(changed), opened=new)
    return _replace(case, assignments=(*kept, *new), timeline=(*case.timeline, counted))


def _same_as_told(case: Case, named: tuple[str, ...]) -> tuple[CaseAssignment, ...] | Fault:
    chosen = tuple(a for a in case.assignments if a.id in named)
    if len(chosen) == len(named):
        return chosen
    return Fault(id=_IMPOSSIBLE, detail="opgaven, den handler om, findes ikke uden den")


def _concerned(case: Case, event: TeamEvent) -> tuple[CaseAssignment, ...] | Fault:
    """The assignments an event speaks of: all that wait for the review team, else the team's only or named one.

    The referrer's answer is an answer to the case: all that wait for it go on.
    """
    asked = tuple(a for a in case.assignments if a.state is State.INFO_REQUESTED)
    if event.type is EventType.INFO_RECEIVED and asked:
        return asked
    waiting = tuple(a for a in case.assignments if a.state in WAITING)
    if not waiting or _is_decided(case) or _goes_on(case, event, waiting):
        return _of_team(case, event)
    if event.team != case.decision.review_team:
        return Fault(id=_IMPOSSIBLE, detail=f"forløbet venter på {case.decision.review_team}")
    return waiting


def _goes_on(case: Case, event: TeamEvent, waiting: tuple[CaseAssignment, ...]) -> bool:
    """A team's own work goes on while a corrected referral is decided anew; the review team decides first."""
    own = [a for a in case.assignments if a.team == event.team and a not in waiting and not a.has_ended]
    if event.team == case.decision.review_team and event.assignment not in {a.id for a in own}:
        own = [] if all(a.state in STEPS[event.type].sources for a in waiting) else own
    return bool(own)


def _is_decided(case: Case) -> bool:
    """No person's decision is open; a team that has asked a question since then goes on by itself."""
    counting = {counted.event_id for counted in case.timeline}
    taken = any(e.type in DECISIONS and e.event_id in counting for e in case.events)
    return case.decision.review_team is None or taken


def _of_team(case: Case, event: TeamEvent) -> tuple[CaseAssignment, ...] | Fault:
    ours = [a for a in case.assignments if a.team == event.team and a.state is not State.REASSIGNED]
    if event.assignment is not None:
        named = tuple(a for a in ours if a.id == event.assignment)
        return named or Fault(id=_IMPOSSIBLE, detail=f"{event.team} har ikke opgaven assignment={event.assignment}")
    able = [a for a in ours if a.state in STEPS[event.type].sources]
    candidates = [a for a in ours if not a.has_ended] or able or ours
    if len(candidates) > 1 and len(able) == 1:
        candidates = able
    if len(candidates) == 1:
        return (candidates[0],)
    if not candidates:
        return Fault(id=_IMPOSSIBLE, detail=f"{event.team} har ingen opgave i forløbet")
    ids = ", ".join(a.id for a in candidates)
    return Fault(id=_IMPOSSIBLE, detail=f"{event.team} har flere opgaver; angiv assignment: {ids}")
