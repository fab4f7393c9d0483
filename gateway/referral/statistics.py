"""Statistics without person data, per month and year: what the municipality publishes and KL asks for. Pure.

A referral counts in the month in which its case was opened, a step in the month in which it happened. **Relevant** are
the referrals that the municipality itself counts (seed 000, «relevante henvisninger»): without those for what is not
offered, and without those for low back alone, which are counted apart because another team runs that programme. Every
referral is one of ``relevant``, ``low_back`` and ``not_offered``. The parts (programme, referrer, team, outcome) are
those of relevant and low_back together; a referral may have several programmes and teams.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from math import ceil
from types import MappingProxyType
from typing import Final

import msgspec

from fsiii import NIKOTIN_OG_TOBAKSAFVAENNING
from gateway.municipality.model import Municipality
from gateway.referral.case import Case, CaseAssignment, State
from gateway.referral.clocks import talked_at
from gateway.referral.decide import referrer_kind
from gateway.referral.model import Referral
from gateway.referral.moments import parse_moment
from gateway.referral.workdays import local_date

#: fewer than so many may point at a person
SMALL: Final = 5
_LOW_BACK = ("low_back",)
_NOT_OFFERED = "NOT_OFFERED"
#: stands for no programme
NONE: Final = "none"
#: every measure and its unit, in the order in which they are told
MEASURES: Final = MappingProxyType(
    {
        "received": "referrals",
        "relevant": "referrals",
        "low_back": "referrals",
        "not_offered": "referrals",
        "programme": "referrals",
        "referrer": "referrals",
        "team": "referrals",
        "outcome": "referrals",
        "waited": "referrals",
        "still_waiting": "referrals",
        "wait_median": "days",
        "wait_p90": "days",
        "wait_in_time": "per cent",
        "nicotine_course": "courses",
        "course_started": "assignments",
        "course_completed": "assignments",
        "stopped": "assignments",
        "stop_reason": "assignments",
    }
)
Key = tuple[str, str, str]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. ``small``: it stands on fewer than five, more than none; think before you publish it."""

    #: ``2026-03`` or ``2026``
    period: str
    #: key of ``MEASURES``
    measure: str
    #: programme, kind of referrer, team, outcome, delivery or reason; empty for a measure without parts
    group: str = ""
    value: float
    small: bool = False


class _Waits(msgspec.Struct, kw_only=True):
    """A period's waiting times: days → referrals; and those that wait beyond the promise still."""

    days: Counter[int]
    overdue: int = 0


def statistics(cases: Iterable[Case], municipality: Municipality, as_of: date) -> tuple[Figure, ...]:
    """All figures of all cases, by period, in the order of ``MEASURES``; the cases are read once, one at a time.

    ``as_of`` is the day on which it is counted: whoever has waited beyond the promise by then counts as not in time.
    """
    by_day: Counter[tuple[date, str, str]] = Counter()
    waits: dict[str, _Waits] = {}
    for case in cases:
        by_day.update(_happened(case, municipality))
        for period in _periods(_opened_on(case)):
            _wait(case, waits.setdefault(period, _Waits(days=Counter())), municipality, as_of)
    counts: Counter[Key] = Counter()
    for (day, measure, group), count in by_day.items():  # far fewer than what happened: years of days, not of cases
        for period in _periods(day):
            counts[period, measure, group] += count
    figures = [_counted(key, count) for key, count in counts.items()]
    for period, wait in waits.items():
        figures += _waiting_times(period, wait, municipality)
    order = list(MEASURES)
    return tuple(sorted(figures, key=lambda f: (f.period, order.index(f.measure), f.group)))


def _periods(day: date) -> tuple[str, str]:
    return f"{day:%Y-%m}", f"{day:%Y}"


def _counted(key: Key, count: int) -> Figure:
    period, measure, group = key
    return Figure(period=period, measure=measure, group=group, value=count, small=count < SMALL)


# ------------------------------------------------------------------ what a case adds
def _happened(case: Case, municipality: Municipality) -> Iterator[tuple[date, str, str]]:
    """Everything about a case that is counted, with the day on which it counts."""
    opened = _opened_on(case)
    kind = _kind(case)
    yield opened, "received", ""
    yield opened, kind, ""
    if kind != "not_offered":
        yield opened, "outcome", case.decision.outcome
        yield opened, "referrer", referrer_kind(_first_referral(case), municipality).value
        for programme in case.programmes or (NONE,):
            yield opened, "programme", programme
        for team in sorted({a.team for a in case.assignments if a.state is not State.REASSIGNED}):
            yield opened, "team", team
        if _talked_on(case) is None and not case.all_ended:
            yield opened, "still_waiting", ""
    for assignment in case.assignments:
        yield from _courses(assignment)


def _opened_on(case: Case) -> date:
    first = case.earlier[0].received_at if case.earlier else case.received_at
    return local_date(first)


def _first_referral(case: Case) -> Referral:
    return case.earlier[0].referral if case.earlier else case.referral


def _kind(case: Case) -> str:
    """A person may have found a programme where the rules found nothing that is offered."""
    if _NOT_OFFERED in case.decision.reasons and not case.programmes:
        return "not_offered"
    return "low_back" if case.programmes == _LOW_BACK else "relevant"


def _courses(assignment: CaseAssignment) -> Iterator[tuple[date, str, str]]:
    """What became of an assignment: courses begun, completed, or stopped by one of KL's reasons."""
    started = parse_moment(assignment.started)
    if started is not None:
        yield local_date(started), "course_started", ""
    for course in assignment.courses:
        begun = parse_moment(course.started)
        if course.intervention.code == NIKOTIN_OG_TOBAKSAFVAENNING and begun is not None:
            yield local_date(begun), "nicotine_course", course.delivery or NONE
    ended = parse_moment(assignment.ended)
    if ended is not None:
        yield local_date(ended), "course_completed", ""
    if assignment.stop_reason is not None and assignment.ended_at is not None:
        yield local_date(assignment.ended_at), "stopped", ""
        yield local_date(assignment.ended_at), "stop_reason", assignment.stop_reason.display


# ------------------------------------------------------------------ waiting time
def _talked_on(case: Case) -> date | None:
    """The first talk, or a course's direct start."""
    talks = [talk for a in case.assignments if (talk := talked_at(a)) is not None]
    return local_date(min(talks)) if talks else None


def _wait(case: Case, waits: _Waits, municipality: Municipality, as_of: date) -> None:
    """Calendar days from receipt (that from which the promise counts) to the first talk."""
    if _kind(case) == "not_offered":
        return
    since, talked = local_date(case.received_at), _talked_on(case)
    if talked is not None:
        waits.days[max(0, (talked - since).days)] += 1
    elif not case.all_ended and (as_of - since).days > municipality.clocks.respond_days:
        waits.overdue += 1


def _waiting_times(period: str, waits: _Waits, municipality: Municipality) -> Iterator[Figure]:
    days = sorted(waits.days.elements())
    total = len(days) + waits.overdue
    small = len(days) < SMALL
    if days:
        yield Figure(period=period, measure="waited", value=len(days), small=small)
        middle = (days[(len(days) - 1) // 2] + days[len(days) // 2]) / 2
        yield Figure(period=period, measure="wait_median", value=middle, small=small)
        ninetieth = days[ceil(len(days) * 0.9) - 1]
        yield Figure(period=period, measure="wait_p90", value=ninetieth, small=small)
    if total:
        in_time = sum(wait <= municipality.clocks.respond_days for wait in days)
        share = round(100 * in_time / total, 1)
        yield Figure(period=period, measure="wait_in_time", value=share, small=total < SMALL)
