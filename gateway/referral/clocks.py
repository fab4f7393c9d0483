"""The clocks that run on a case: what must have happened by when, and when to say so (decision.md §7). Pure.

Days are Danish civil days, months the calendar's; a clock that ends by a day ends with that day, whatever the season.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum

import msgspec

from gateway.municipality.model import Clocks, Municipality
from gateway.referral.case import Case, CaseAssignment, State
from gateway.referral.workdays import COPENHAGEN, add_workdays, local_date

_END_OF_DAY = time(23, 59, 59)
_URGENT = "URGENT"
_MONTHS = 12


class ClockKind(StrEnum):
    """What is waited for."""

    #: the first talk, or a course started directly, by ``respond_by``
    FIRST_TALK = "first_talk"
    #: a person's decision of a review
    DECISION = "decision"
    #: the same where the referral speaks of danger
    URGENT = "urgent"
    #: approval of a drafted answer
    DRAFTED_RETURN = "drafted_return"
    #: the talk by telephone some months after the closing talk
    FOLLOW_UP = "follow_up"
    #: the receipt for a letter of ours
    RECEIPT = "receipt"
    #: a file that a letter of the case names and that was not sent
    ATTACHMENT = "attachment"


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """One clock; it rings up to three times, louder each time, and stops when what is waited for has happened."""

    kind: ClockKind
    #: case id, assignment id (``follow_up``), our letter id (``receipt``) or the file's id (``attachment``)
    subject: str
    case_id: str | None
    started_at: datetime
    #: when it is time to look; None where nobody is told before
    warn_at: datetime | None = None
    #: when it is high time; None where nobody is told before
    alarm_at: datetime | None = None
    due_at: datetime


def clocks(case: Case, municipality: Municipality) -> tuple[Clock, ...]:
    """The clocks that run on the case as it stands."""
    found = (*_first_talk(case, municipality), *_decisions(case, municipality), *_follow_ups(case, municipality))
    return tuple(found)


def receipt_clock(letter_id: str, case_id: str | None, sent_at: datetime, rules: Clocks) -> Clock:
    """The clock of a letter that went out and waits for its receipt."""
    due = sent_at + timedelta(minutes=rules.receipt_minutes)
    return Clock(kind=ClockKind.RECEIPT, subject=letter_id, case_id=case_id, started_at=sent_at, due_at=due)


def attachment_clock(object_id: str, case_id: str, named_at: datetime, rules: Clocks) -> Clock:
    """The clock of a file that a letter names and that has not come."""
    due = named_at + timedelta(hours=rules.attachment_hours)
    return Clock(kind=ClockKind.ATTACHMENT, subject=object_id, case_id=case_id, started_at=named_at, due_at=due)


# ------------------------------------------------------------------ the first talk
def _first_talk(case: Case, municipality: Municipality) -> Iterator[Clock]:
    if not any(_owes_talk(case, a) for a in case.assignments):
        return
    due = _end_of(case.decision.respond_by)
    yield Clock(
        kind=ClockKind.FIRST_TALK,
        subject=case.case_id,
        case_id=case.case_id,
        started_at=case.received_at,
        warn_at=max(due - warn_from(municipality.clocks), case.received_at),
        alarm_at=max(due - alarm_from(municipality.clocks), case.received_at),
        due_at=due,
    )


def _owes_talk(case: Case, assignment: CaseAssignment) -> bool:
    """What a team refers on or hands over after the first talk owes no other first talk."""
    if assignment.has_ended or assignment.state is State.DRAFTED_RETURN:
        return False
    return all(talked_at(a) is None for a in _lineage(case, assignment))


def _lineage(case: Case, assignment: CaseAssignment) -> Iterator[CaseAssignment]:
    by_id = {a.id: a for a in case.assignments}
    found: CaseAssignment | None = assignment
    while found is not None:
        yield found
        found = by_id.get(found.parent or "")


def talked_at(assignment: CaseAssignment) -> datetime | None:
    """The first talk, or the course's direct start."""
    if assignment.first_talk_at is not None or assignment.started is None:
        return assignment.first_talk_at
    started = datetime.fromisoformat(assignment.started)
    return started if started.tzinfo else started.replace(tzinfo=COPENHAGEN)


def warn_from(rules: Clocks) -> timedelta:
    """How long before the deadline it is time to look (day 7 of 14)."""
    return timedelta(days=rules.respond_days - rules.warn_day)


def alarm_from(rules: Clocks) -> timedelta:
    """How long before the deadline it is high time (day 12 of 14)."""
    return timedelta(days=rules.respond_days - rules.alarm_day)


# ------------------------------------------------------------------ a person's decision
def _decisions(case: Case, municipality: Municipality) -> Iterator[Clock]:
    """A review is urgent from the moment it comes; another may take its working days."""
    days = municipality.clocks.review_workdays
    waiting = {state: _since(case, state) for state in (State.FOR_REVIEW, State.DRAFTED_RETURN)}
    for state, since in waiting.items():
        if since is None:
            continue
        urgent = state is State.FOR_REVIEW and _URGENT in case.decision.reasons
        day = add_workdays(local_date(since), 0 if urgent else days, municipality.closing_days)
        yield Clock(
            kind=ClockKind.URGENT if urgent else _DECISIONS[state],
            subject=case.case_id,
            case_id=case.case_id,
            started_at=since,
            alarm_at=since if urgent else None,
            due_at=_end_of(day),
        )


_DECISIONS = {State.FOR_REVIEW: ClockKind.DECISION, State.DRAFTED_RETURN: ClockKind.DRAFTED_RETURN}


def _since(case: Case, state: State) -> datetime | None:
    """Since when something stands there: from the receipt, or from the referrer's answer to a question."""
    moments = (a.since or case.received_at for a in case.assignments if a.state is state)
    return min(moments, default=None)


# ------------------------------------------------------------------ the follow-up by telephone
def _follow_ups(case: Case, municipality: Municipality) -> Iterable[Clock]:
    rules = municipality.clocks
    for assignment in case.assignments:
        talk = assignment.closing_talk_at
        if assignment.state is not State.CLOSING_TALK_HELD or talk is None:
            continue
        day = local_date(talk)
        yield Clock(
            kind=ClockKind.FOLLOW_UP,
            subject=assignment.id,
            case_id=case.case_id,
            started_at=talk,
            warn_at=_start_of(add_months(day, rules.follow_up_from_months)),
            due_at=_end_of(add_months(day, rules.follow_up_until_months)),
        )


def add_months(day: date, count: int) -> date:
    """The same day so many months later; the month's last day where it has no such day.

    >>> add_months(date(2026, 11, 30), 3)
    datetime.date(2027, 2, 28)
    """
    months = day.year * _MONTHS + day.month - 1 + count
    year, month = divmod(months, _MONTHS)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), COPENHAGEN)


def _end_of(day: date) -> datetime:
    return datetime.combine(day, _END_OF_DAY, COPENHAGEN)
