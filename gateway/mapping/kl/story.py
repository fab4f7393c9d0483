"""A case as the guide's content on a given day: each step that counts, played onto what was told before.

What events do not carry is left out (docs/howto/report-to-kl.md lists it); nothing is inferred from plans or prose.
"""

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

import msgspec

from fsiii import (
    AFKLARENDE_SAMTALE,
    AFSLUTTENDE_SAMTALE,
    BEHOVSSAMTALE,
    DELIVERY_GROUP,
    DELIVERY_INDIVIDUAL,
    OPFOELGNING,
    STOP_DECLINED,
    STOP_NOT_REACHED,
)
from gateway.mapping.kl.content import CarePlan, Item, PlannedIntervention, Progress
from gateway.mapping.kl.history import Step, Version, versions
from gateway.mapping.kl.requests import Requests
from gateway.mapping.kl.told import Told, day_of
from gateway.municipality.model import Municipality
from gateway.referral.case import WAITING, Case, CaseAssignment, State
from gateway.referral.events import EventType, TeamEvent
from gateway.referral.moments import parse_moment
from gateway.referral.workdays import local_date

#: interventions that stand alone; every other is part of a care plan (invariants intervention-1 and -2, and
#: Nikotin- og tobaksafvænning, which intervention-1 forgets)
TALKS = frozenset({AFKLARENDE_SAMTALE, BEHOVSSAMTALE, AFSLUTTENDE_SAMTALE})
#: a talk is between two unless the assignment says otherwise (so in the guide's examples)
_DELIVERIES = MappingProxyType({None: DELIVERY_INDIVIDUAL, "individual": DELIVERY_INDIVIDUAL, "group": DELIVERY_GROUP})
_replace = msgspec.structs.replace


def content_of(case: Case, municipality: Municipality, day: date) -> tuple[Item, ...]:
    """Everything reportable about a case at the end of a Danish day; nothing while no team has a §119 matter of it."""
    return _Story(case, municipality).until(day)


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work, whichever team has it: an assignment and those it was handed on to. Ids of its content."""

    #: as it is called now
    assignment: str
    team: str
    #: the first intervention; None for a matter of another paragraph
    intervention: str | None
    #: the talk that it begins with
    talk: str | None = None
    plans: tuple[str, ...] = ()
    #: by FSIII code
    interventions: Mapping[str, str] = {}
    #: care plan and intervention
    follow_up: tuple[str, ...] = ()

    @property
    def is_told(self) -> bool:
        """Whether it is a §119 matter."""
        return self.intervention is not None or bool(self.plans)

    @property
    def undertaken(self) -> tuple[str, ...]:
        """Care plans and their interventions."""
        return (*self.plans, *self.interventions.values())


class _Story:
    """Plays a case's history."""

    def __init__(self, case: Case, municipality: Municipality) -> None:
        self._case = case
        self._municipality = municipality
        self._requests = Requests(case.case_id)
        self._told = Told(case.case_id)
        self._lines: dict[str, _Line] = {}
        #: assignment → the line that it belongs to
        self._line_of: dict[str, str] = {}
        self._known: dict[str, CaseAssignment] = {}

    def until(self, day: date) -> tuple[Item, ...]:
        for version in versions(self._case):
            if local_date(version.at) <= day:
                self._begin(version)
                for step in version.steps:
                    if local_date(step.event.occurred) <= day:
                        self._step(step)
        if not any(line.is_told for line in self._lines.values()):
            return ()
        cancelled = self._case.cancelled_at
        is_revoked = cancelled is not None and local_date(cancelled) <= day
        return (*self._requests.items(revoked=is_revoked), *self._told.items())

    # -------------------------------------------------------------- the referral and its assignments
    def _begin(self, version: Version) -> None:
        """What a new referral or its correction changes: the request, who is assigned, who no longer is."""
        self._requests.add(version, reported=bool(self._lines))
        day = local_date(version.at)
        self._known |= {a.id: a for a in version.initial}
        going_on = {a.id for a in version.initial if a.state is not State.CANCELLED_BY_REFERRER}
        for line in self._lines.values():
            if line.assignment not in going_on:
                self._end(line, day, Progress.UNKNOWN)
        for assignment in version.initial:
            if assignment.state not in WAITING and not assignment.has_ended:
                self._take_on(assignment, day, "decision")

    def _take_on(self, assignment: CaseAssignment, day: date, cause: str) -> None:
        """A team has the assignment: a talk that it begins with is planned from then on, a course is not yet told."""
        if assignment.id in self._line_of:
            return
        first = assignment.intervention.code if assignment.intervention else None
        line = _Line(assignment=assignment.id, team=assignment.team, intervention=first)
        if first in TALKS:
            own = self._told.id("talk", cause, assignment.id)
            delivery = _DELIVERIES[assignment.delivery]
            talk = PlannedIntervention(id=own, performer=self._sor(line.team), start=day, code=first, delivery=delivery)
            self._told.begin(talk)
            line = _replace(line, talk=own)
        self._line_of[assignment.id] = assignment.id
        self._lines[assignment.id] = line

    def _sor(self, team: str) -> str:
        return self._municipality.teams[team].sor

    # -------------------------------------------------------------- steps
    def _step(self, step: Step) -> None:
        event = step.event
        self._known |= {a.id: a for a in step.opened}
        told = _STEPS.get(event.type)
        for key in (self._line_of[i] for i in step.about if i in self._line_of):
            if told is not None:
                told(self, key, event)
        if event.type is EventType.REASSIGNED:
            self._hand_on(step)
        else:
            accepted = step.about if event.type is EventType.ACCEPTED else ()
            for assignment in (*(self._known[i] for i in accepted), *step.opened):
                self._take_on(assignment, local_date(event.occurred), event.event_id)

    def _hand_on(self, step: Step) -> None:
        """Another team goes on with the same work: what is not ended gets another performer."""
        for old, new in zip(step.about, step.opened, strict=True):
            key = self._line_of[new.id] = self._line_of[old]
            line = self._lines[key] = _replace(self._lines[key], assignment=new.id, team=new.team)
            own = (*((line.talk,) if line.talk else ()), *line.undertaken)
            self._told.hand_on(own, self._sor(new.team))

    def talk_held(self, key: str, event: TeamEvent) -> None:
        line = self._lines[key]
        if line.is_told:
            self._told.contact(event, line.talk)
            self._end_talk(line, day_of(event), Progress.COMPLETED)
            self._told.found(event)

    def course_started(self, key: str, event: TeamEvent) -> None:
        """A care plan with those interventions that are new; talks stand alone."""
        line, start = self._lines[key], local_date(parse_moment(event.started) or event.occurred)
        codes = [code for code in dict.fromkeys(event.interventions or ()) if code not in line.interventions]
        planned = set(codes) - TALKS
        plan = self._told.id("plan", event.event_id) if planned else None
        if plan is not None:
            follow_up = planned == {OPFOELGNING}
            self._told.begin(CarePlan(id=plan, performer=self._sor(line.team), start=start, follow_up=follow_up))
            line = _replace(line, plans=(*line.plans, plan))
        reasons = self._told.found(event)
        new = {code: self._told.id("intervention", event.event_id, code) for code in codes}
        for code, own in new.items():
            self._told.begin(
                PlannedIntervention(
                    id=own,
                    performer=self._sor(line.team),
                    start=start,
                    code=code,
                    delivery=_DELIVERIES[event.delivery],
                    plan=plan if code in planned else None,
                    reasons=reasons,
                )
            )
        self._lines[key] = _replace(line, interventions={**line.interventions, **new})

    def session_held(self, key: str, event: TeamEvent) -> None:
        """A contact of the course; of which one, nothing tells where several run."""
        running = self._told.active(self._lines[key].plans)
        self._told.contact(event, running[0] if len(running) == 1 else None)

    def course_completed(self, key: str, event: TeamEvent) -> None:
        ended = parse_moment(event.ended) or event.occurred
        self._end(self._lines[key], local_date(ended), Progress.COMPLETED)

    def closing_talk_held(self, key: str, event: TeamEvent) -> None:
        """What is found at the closing talk, where it is told, is what is left."""
        own = self._told.id("talk", event.event_id)
        self._told.begin(self._talk(own, key, event, AFSLUTTENDE_SAMTALE))
        self._told.contact(event, own)
        still = self._told.found(event)
        if event.conditions is not None:
            self._told.only(still)

    def follow_up_held(self, key: str, event: TeamEvent) -> None:
        """A follow-up is told when it is held: no event tells that it is planned. A second one belongs to the first."""
        line, day = self._lines[key], day_of(event)
        if not line.follow_up:
            plan, own = (self._told.id("follow-up", event.event_id, part) for part in ("plan", "talk"))
            whole = CarePlan(
                id=plan,
                performer=self._sor(line.team),
                start=day,
                end=day,
                progress=Progress.COMPLETED,
                follow_up=True,
            )
            self._told.begin(whole, _replace(self._talk(own, key, event, OPFOELGNING), plan=plan))
            line = self._lines[key] = _replace(line, follow_up=(plan, own))
        self._told.prolong(line.follow_up, day)
        self._told.contact(event, line.follow_up[-1])

    def _talk(self, own: str, key: str, event: TeamEvent, code: str) -> PlannedIntervention:
        """A talk that is told when it is held."""
        day = day_of(event)
        return PlannedIntervention(
            id=own,
            performer=self._sor(self._lines[key].team),
            start=day,
            end=day,
            progress=Progress.COMPLETED,
            code=code,
            delivery=DELIVERY_INDIVIDUAL,
        )

    # -------------------------------------------------------------- ends
    def stopped(self, key: str, event: TeamEvent) -> None:
        self._end(self._lines[key], local_date(event.occurred), Progress.STOPPED, event.stop_reason)

    def declined(self, key: str, event: TeamEvent) -> None:
        self._end(self._lines[key], local_date(event.occurred), Progress.STOPPED, STOP_DECLINED)

    def not_reached(self, key: str, event: TeamEvent) -> None:
        self._end(self._lines[key], local_date(event.occurred), Progress.STOPPED, STOP_NOT_REACHED)

    def over(self, key: str, event: TeamEvent) -> None:
        """Decided anew by a person, or closed: nothing tells how what is left ended."""
        self._end(self._lines[key], local_date(event.occurred), Progress.UNKNOWN)

    def _end(self, line: _Line, day: date, progress: Progress, stop_reason: str | None = None) -> None:
        """The end of a line; a talk that was never held is given up (the guide allows it no reason)."""
        self._end_talk(line, day, Progress.CANCELLED)
        self._told.end(line.undertaken, day, progress, stop_reason)

    def _end_talk(self, line: _Line, day: date, progress: Progress) -> None:
        if line.talk is not None:
            self._told.end((line.talk,), day, progress)


_STEPS: Mapping[EventType, Callable[[_Story, str, TeamEvent], None]] = MappingProxyType(
    {
        EventType.REVIEW_DECIDED: _Story.over,
        EventType.TALK_HELD: _Story.talk_held,
        EventType.COURSE_STARTED: _Story.course_started,
        EventType.SESSION_HELD: _Story.session_held,
        EventType.COURSE_COMPLETED: _Story.course_completed,
        EventType.CLOSING_TALK_HELD: _Story.closing_talk_held,
        EventType.FOLLOW_UP_HELD: _Story.follow_up_held,
        EventType.STOPPED: _Story.stopped,
        EventType.DECLINED_BY_CITIZEN: _Story.declined,
        EventType.NOT_REACHED: _Story.not_reached,
        EventType.RETURNED: _Story.over,
        EventType.CLOSED: _Story.over,
    }
)
