"""The first page: what is there, how old, what waits for a person, what is in danger. Counts and ages only."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.certificates.watch import CertificateWatch
from gateway.console.access import SeesMetadata
from gateway.console.chart import Chart, bars
from gateway.console.page import render
from gateway.console.parts import Parts, PartsOf
from gateway.console.queues import QueueWatch
from gateway.console.wording import STATES, programme_name
from gateway.municipality.model import Route
from gateway.referral.case import State
from gateway.referral.clocks import ClockKind, alarm_from, warn_from
from gateway.referral.promises import Waits
from gateway.referral.workdays import COPENHAGEN, local_date
from gateway.store.alarms import LEVELS, AlarmCount
from gateway.store.board import Filter
from gateway.store.overview import Numbers
from gateway.store.rows import Names
from gateway.store.trends import Hour

router = APIRouter(include_in_schema=False)
_HOURS = 48
_ROUTED_DAYS = 30
#: alarms that are named
_LOUDEST = 10


class Promised(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines: passed, and soon to pass."""

    late: int
    alarm: int
    warn: int
    decisions: int
    #: of the decisions, drafted answers that wait for approval
    drafts: int
    decisions_oldest: datetime | None


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What changes slowly and costs most: worked out once in a while for all who watch."""

    charts: dict[str, Chart]
    routed: list[tuple[str, dict[str, int]]]


def _past(parts: Parts, now: datetime) -> Past:
    hours = parts.store.trends.hours(now - timedelta(hours=_HOURS))
    return Past(charts=_charts(hours, now), routed=_routed(parts, now))


@router.get("/")
def overview(request: Request, parts: PartsOf, _session: SeesMetadata) -> Response:
    """The whole page."""
    return _render(request, parts, "overview.html")


@router.get("/overview/now")
def overview_now(request: Request, parts: PartsOf, _session: SeesMetadata) -> Response:
    """The part that changes, for the page that stays open."""
    return _render(request, parts, "overview_now.html")


@router.get("/overview/queues")
def queues(request: Request, _session: SeesMetadata) -> Response:
    """The queues, asked for every few seconds."""
    watch: QueueWatch = request.app.state.queues
    return render(request, "queues.html", queues=watch.look())


def _render(request: Request, parts: Parts, template: str) -> Response:
    now = parts.clock()
    numbers = numbers_of(parts, now)
    watch: QueueWatch = request.app.state.queues
    certificates: CertificateWatch = request.app.state.certificates
    past: Past = request.app.state.past.get(lambda: _past(parts, now))
    midnight = datetime.combine(local_date(now), time(), COPENHAGEN)
    return render(
        request,
        template,
        numbers=numbers,
        promised=_promised(parts, now, numbers),
        alarms_loudest_first=sorted(numbers.alarms, key=_loudness),
        states=_by_progress(numbers.cases_by_state),
        today=parts.store.trends.since(midnight),
        alarmed=[alarm for alarm in parts.store.alarms.open(limit=_LOUDEST) if alarm.case_id],
        certificates=[one for one in certificates.look() if one.needs_someone],
        down=parts.down(),
        queues=watch.look(),
        charts=past.charts,
        routed=past.routed,
    )


def numbers_of(parts: Parts, now: datetime) -> Numbers:
    """The store at a glance; a letter is without receipt once the municipality's limit is over."""
    return parts.store.overview.numbers(now - timedelta(minutes=parts.municipality.clocks.receipt_minutes))


def _loudness(alarms: AlarmCount) -> tuple[bool, int]:
    """Danger first, whatever its level; then what is overdue."""
    return alarms.kind != ClockKind.URGENT, -LEVELS.index(alarms.level)


def _by_progress(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """States in the order in which a case goes through them."""
    order = list(STATES)
    return sorted(counts.items(), key=lambda item: order.index(item[0]))


def _promised(parts: Parts, now: datetime, numbers: Numbers) -> Promised:
    board, clocks = parts.store.board, parts.municipality.clocks
    late, alarm, warn = (
        board.count(Filter(due_before=now + ahead)) for ahead in (timedelta(), alarm_from(clocks), warn_from(clocks))
    )
    decisions, oldest = board.waiting(Waits.DECISION)
    drafts = numbers.cases_by_state.get(State.DRAFTED_RETURN, 0)
    return Promised(
        late=late,
        alarm=alarm - late,
        warn=warn - alarm,
        decisions=decisions,
        drafts=drafts,
        decisions_oldest=oldest,
    )


def _charts(hours: Mapping[str, Hour], now: datetime) -> dict[str, Chart]:
    moments = [now - timedelta(hours=_HOURS - 1 - n) for n in range(_HOURS)]
    found = [hours.get(f"{moment:%Y-%m-%dT%H}") for moment in moments]
    labels = [f"{moment.astimezone(COPENHAGEN):%d.%m. %H}" for moment in moments]
    return {
        "messages": bars([hour.messages if hour else 0 for hour in found], labels),
        "latency": bars([(hour.longest_s or 0.0) if hour else 0.0 for hour in found], labels),
    }


def _routed(parts: Parts, now: datetime) -> list[tuple[str, dict[str, int]]]:
    """Programme by team, the most frequent first; a referral counts once for each of its programmes."""
    table: dict[str, dict[str, int]] = {}
    for (programmes, teams), count in parts.store.trends.routed(now - timedelta(days=_ROUTED_DAYS)).items():
        for programme in programmes or ("",):
            row = table.setdefault(programme_name(programme), {})
            team = team_for(programme, programmes, teams, parts.municipality.routes)
            row[team] = row.get(team, 0) + count
    return sorted(table.items(), key=lambda row: (-sum(row[1].values()), row[0]))


def team_for(programme: str, programmes: Names, teams: Names, routes: Mapping[str, Route]) -> str:
    """Which of a case's teams a programme went to: the one it is routed to, else one that no other is routed to."""
    if programme in routes and routes[programme].team in teams:
        return routes[programme].team
    others = {routes[name].team for name in programmes if name != programme and name in routes}
    return next((team for team in teams if team not in others), teams[0] if teams else "")
