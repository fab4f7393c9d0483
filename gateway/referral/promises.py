"""What a case owes: who is waited for, since when, and until when (decision.md §7). Pure; the board shows it."""

from datetime import datetime
from enum import StrEnum

import msgspec

from gateway.municipality.model import Municipality
from gateway.referral.case import WAITING, Case, CaseAssignment, State
from gateway.referral.clocks import Clock, ClockKind, clocks, talked_at
from gateway.referral.decide import ACCEPTED
from gateway.referral.events import EventType, TeamEvent

_DECIDES = frozenset({EventType.ACCEPTED, EventType.REVIEW_DECIDED, EventType.RETURNED, EventType.DECLINED_BY_CITIZEN})
_ASKED = frozenset({State.INFO_REQUESTED, State.REFERRAL_REQUESTED})
#: what a team says before it has taken the assignment, or instead of taking it
_NO_TAKING = _DECIDES | {EventType.INFO_REQUESTED, EventType.REFERRAL_REQUESTED}


class Waits(StrEnum):
    """Who or what a case waits for."""

    #: a person's decision, or approval of a drafted answer
    DECISION = "decision"
    #: the referrer's answer, or a referral
    REFERRER = "referrer"
    #: the team takes the assignment
    TEAM = "team"
    #: the first talk, or a direct start
    TALK = "talk"
    #: the course runs
    COURSE = "course"
    #: the discharge note
    DISCHARGE = "discharge"
    NOTHING = "nothing"


class Promises(msgspec.Struct, frozen=True, kw_only=True):
    """Where the case's promises stand."""

    waits_for: Waits
    #: None where nobody is kept waiting
    due_at: datetime | None
    decided_at: datetime | None
    team_accepted_at: datetime | None
    talked_at: datetime | None
    #: what runs on the case; the earliest of a promise's clocks gives ``due_at``
    clocks: tuple[Clock, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether anything is still owed."""
        return self.waits_for is not Waits.NOTHING


def promises(case: Case, municipality: Municipality) -> Promises:
    """The promises of one case."""
    running = clocks(case, municipality)
    return Promises(
        waits_for=_waits_for(case),
        due_at=min((c.due_at for c in running if c.kind is not ClockKind.FOLLOW_UP), default=None),
        clocks=running,
        decided_at=_decided_at(case),
        team_accepted_at=_team_accepted_at(case),
        talked_at=min(filter(None, (talked_at(a) for a in case.assignments)), default=None),
    )


def _waits_for(case: Case) -> Waits:
    if case.all_ended:
        return Waits.DISCHARGE if case.owes_discharge_note else Waits.NOTHING
    pending = [a for a in case.assignments if not a.has_ended]
    states = {a.state for a in pending}
    if states & (WAITING - _ASKED):
        return Waits.DECISION
    if states & _ASKED:
        return Waits.REFERRER
    if any(a.state is State.ACCEPTED and not a.team_accepted_at for a in pending):
        return Waits.TEAM
    return Waits.TALK if any(talked_at(a) is None for a in pending) else Waits.COURSE


def _decided_at(case: Case) -> datetime | None:
    if case.decision.outcome == ACCEPTED:
        return case.received_at
    return _first(case, _DECIDES)


def _team_accepted_at(case: Case) -> datetime | None:
    """When the last of the teams took its assignment; a team that went on without saying so took it then."""
    if any(a.state in WAITING for a in case.assignments):
        return None
    taken = [a.team_accepted_at or _first_of_team(case, a) for a in case.assignments if a.state is not State.RETURNED]
    return None if None in taken else max(filter(None, taken), default=None)


def _first_of_team(case: Case, assignment: CaseAssignment) -> datetime | None:
    told = (e for e in _valid(case) if e.team == assignment.team and e.type not in _NO_TAKING)
    return min((e.occurred for e in told), default=None)


def _first(case: Case, types: frozenset[EventType]) -> datetime | None:
    return min((e.occurred for e in _valid(case) if e.type in types), default=None)


def _valid(case: Case) -> list[TeamEvent]:
    counting = {counted.event_id for counted in case.timeline}
    return [e for e in case.events if e.event_id in counting]
