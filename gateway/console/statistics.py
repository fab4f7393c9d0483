"""Statistics as a page: figures without person data, a plot of the months, and CSV. Counted at most every quarter."""

import threading
import time
from collections.abc import Callable

import msgspec
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.console.access import SeesMetadata
from gateway.console.chart import Chart, bars
from gateway.console.language import translate
from gateway.console.page import language_of, render
from gateway.console.parts import Parts, PartsOf
from gateway.errors import GatewayError
from gateway.mapping.statistics_csv import TITLES, as_csv, group, number
from gateway.municipality.model import Municipality
from gateway.referral.statistics import MEASURES, Figure, statistics
from gateway.referral.workdays import local_date

router = APIRouter(include_in_schema=False)
log = structlog.get_logger()
_FRESH_S = 900.0
#: how long a page waits for the counting before it says that it goes on
_PATIENCE_S = 2.0
_YEAR = 4
Figures = tuple[Figure, ...]


class Counting:
    """Counts on a thread of its own, so that no page waits for all cases to be read. Thread-safe."""

    def __init__(self, count: Callable[[], Figures]) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._last: tuple[float, Figures] | None = None
        self._running: threading.Thread | None = None

    def look(self) -> Figures | None:
        """The figures, some minutes old at most; None while they are counted."""
        with self._lock:
            fresh = self._last is not None and time.monotonic() - self._last[0] < _FRESH_S
            if not fresh and (self._running is None or not self._running.is_alive()):
                self._running = threading.Thread(target=self._run, daemon=True)
                self._running.start()
            running = self._running
        if not fresh and running is not None:
            running.join(_PATIENCE_S)
        return self._last[1] if self._last is not None else None

    def _run(self) -> None:
        try:
            self._last = (time.monotonic(), self._count())
        except GatewayError as error:  # the next look tries again
            log.warning("statistics.failed", error=type(error).__name__)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A measure (and group) with a value per period."""

    name: str
    cells: tuple[str, ...]


@router.get("/statistics")
def page(request: Request, parts: PartsOf, _session: SeesMetadata) -> Response:
    """The chosen year's months and the year, or every year."""
    figures = _figures(request)
    years = sorted({f.period for f in figures or () if len(f.period) == _YEAR}, reverse=True)
    asked = request.query_params.get("year", "")
    year = asked if asked in years else next(iter(years), "")
    mine = [f for f in figures or () if f.period.startswith(year)]
    periods = sorted({f.period for f in mine}, key=lambda period: (len(period) == _YEAR, period))
    return render(
        request,
        "statistics.html",
        counting=figures is None,
        years=years,
        year=year,
        periods=periods,
        lines=_lines(mine, periods, lambda one: _name(one, parts.municipality, language_of(request))),
        charts=_charts(mine, periods),
        small=any(f.small for f in mine),
    )


@router.get("/statistics.csv")
def as_file(request: Request, parts: PartsOf, _session: SeesMetadata) -> Response:
    """Every figure, one per line, as a Danish spreadsheet reads it."""
    figures = _figures(request)
    if figures is None:
        return Response("Tæller endnu; prøv igen om lidt.\n", 503, {"Retry-After": "5"}, "text/plain")
    headers = {"Content-Disposition": 'attachment; filename="statistik.csv"', "Cache-Control": "no-store"}
    return Response(as_csv(figures, parts.municipality), 200, headers, "text/csv")


def _figures(request: Request) -> Figures | None:
    counting: Counting = request.app.state.statistics
    return counting.look()


def counting_of(parts: Parts) -> Counting:
    """Counts the store's cases."""
    store, municipality, clock = parts.store, parts.municipality, parts.clock
    return Counting(lambda: statistics(store.past.cases(), municipality, local_date(clock())))


def _lines(figures: list[Figure], periods: list[str], name: Callable[[Figure], str]) -> list[Line]:
    order = list(MEASURES)
    found: dict[tuple[str, str], dict[str, Figure]] = {}
    for figure in sorted(figures, key=lambda f: (order.index(f.measure), f.group)):
        found.setdefault((figure.measure, figure.group), {})[figure.period] = figure
    lines = []
    for row in found.values():
        cells = tuple(_cell(row.get(period)) for period in periods)
        lines.append(Line(name=name(next(iter(row.values()))), cells=cells))
    return lines


def _name(figure: Figure, municipality: Municipality, language: str) -> str:
    """The measure and its group; teams and codes are called as they are."""
    title = translate(TITLES[figure.measure], language).format(days=municipality.clocks.respond_days)
    return ": ".join(filter(None, (title, translate(group(figure, municipality), language))))


def _cell(figure: Figure | None) -> str:
    return f"{number(figure)}{'*' if figure.small else ''}" if figure else "–"


def _charts(figures: list[Figure], periods: list[str]) -> dict[str, Chart]:
    """Plots over the months; a small figure is drawn like any other, the page is not published."""
    months = [period for period in periods if len(period) > _YEAR]
    out = {}
    for measure in ("received", "wait_median"):
        values = {f.period: f.value for f in figures if f.measure == measure and not f.group}
        out[measure] = bars([values.get(month, 0.0) for month in months], months)
    return out
