"""``gateway statistics``: figures without person data, by year, or by the months of one year."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gateway.clocks import system_now
from gateway.mapping.statistics_csv import as_csv, group, number, title
from gateway.municipality.model import Municipality
from gateway.proof import proved_municipality
from gateway.referral.statistics import MEASURES, Figure, statistics
from gateway.referral.workdays import local_date
from gateway.store.store import open_store

NAME = "statistics"
_FIRST_YEAR, _LAST_YEAR = 2000, 2199
_WIDTH_OF_A_YEAR = 4
_ORDER = list(MEASURES)


def command(
    context: typer.Context,
    year: Annotated[
        int | None, typer.Option(min=_FIRST_YEAR, max=_LAST_YEAR, help="its months; default every year as a whole")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="one figure per line, for a spreadsheet")] = False,
) -> None:
    """Count referrals, waiting times and courses; no person data, figures below five are marked."""
    settings = context.obj()
    municipality = proved_municipality(settings.municipality)
    console = Console(stderr=True)
    with open_store(settings.store_url) as store, console.status("Tæller"):
        figures = statistics(store.past.cases(), municipality, local_date(system_now()))
    wanted = [f for f in figures if _is_wanted(f, year)]
    if csv:
        print(as_csv(wanted, municipality), end="")
        return
    Console().print(_table(wanted, municipality))
    print("* færre end 5: kan pege på en person; offentliggør ikke uden at tænke over det")


def _is_wanted(figure: Figure, year: int | None) -> bool:
    if year is None:
        return len(figure.period) == _WIDTH_OF_A_YEAR
    return figure.period.startswith(str(year))


def _table(figures: list[Figure], municipality: Municipality) -> Table:
    """A line per measure and group, a column per period; an empty field where nothing was counted."""
    table = Table(title=municipality.name, title_justify="left")
    table.add_column("opgørelse")
    periods = sorted({f.period for f in figures}, key=lambda period: (len(period) == _WIDTH_OF_A_YEAR, period))
    for period in periods:
        table.add_column(period, justify="right")
    found: dict[tuple[str, str], dict[str, Figure]] = {}
    for figure in sorted(figures, key=lambda f: (_ORDER.index(f.measure), f.group)):
        found.setdefault((figure.measure, figure.group), {})[figure.period] = figure
    for line in found.values():
        first = next(iter(line.values()))
        named = ": ".join(filter(None, (title(first, municipality), group(first, municipality))))
        table.add_row(named, *(_cell(line.get(period)) for period in periods))
    return table


def _cell(figure: Figure | None) -> str:
    return f"{number(figure)}{'*' if figure.small else ''}" if figure else ""
