"""Statistics in Danish: what every figure is called, and the figures as CSV. Pure."""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from types import MappingProxyType

from gateway.mapping.explanation import wordings
from gateway.municipality.model import Municipality
from gateway.referral.statistics import NONE, Figure

#: measure → title; ``{days}`` is the promise of the municipality file
TITLES: Mapping[str, str] = MappingProxyType(
    {
        "received": "Henvisninger modtaget",
        "relevant": "Relevante henvisninger (uden lænderyg og uden det, der ikke tilbydes)",
        "low_back": "Henvisninger til lænderyg alene",
        "not_offered": "Henvisninger til det, der ikke tilbydes",
        "programme": "Program",
        "referrer": "Henvist fra",
        "team": "Team",
        "outcome": "Udfald",
        "waited": "Har haft første samtale eller direkte start",
        "still_waiting": "Venter stadig på første samtale",
        "wait_median": "Ventetid til første samtale, median i dage",
        "wait_p90": "Ventetid til første samtale, 90 % inden for dage",
        "wait_in_time": "Første samtale inden for {days} dage, procent",
        "nicotine_course": "Rygestopforløb begyndt",
        "course_started": "Forløb begyndt",
        "course_completed": "Forløb gennemført",
        "stopped": "Stoppet før tid",
        "stop_reason": "Årsag til stop",
    }
)
_GROUPS: Mapping[str, str] = MappingProxyType(
    {
        NONE: "intet",
        "practice": "praksis",
        "hospital": "sygehus",
        "municipal": "kommunen selv",
        "self": "borgeren selv",
        "unknown": "andre",
        "accepted": "visiteret af reglerne",
        "review": "vurderet af en medarbejder",
        "return": "udkast til svar",
        "group": "hold",
        "individual": "individuelt",
    }
)
_SMALL = "færre end 5: kan pege på en person"
HEADER = ("periode", "opgørelse", "gruppe", "antal", "bemærkning")


def title(figure: Figure, municipality: Municipality) -> str:
    """What the measure is called."""
    return TITLES[figure.measure].format(days=municipality.clocks.respond_days)


def group(figure: Figure, municipality: Municipality) -> str:
    """What the group is called; empty where the measure has none."""
    if figure.group in _GROUPS:
        return _GROUPS[figure.group]
    if figure.measure == "programme":
        return wordings()[figure.group].title
    team = municipality.teams.get(figure.group)
    return team.display if team else figure.group


def number(figure: Figure) -> str:
    """The value as Danes write it.

    >>> number(Figure(period="2026", measure="wait_median", value=9.5))
    '9,5'
    """
    return f"{figure.value:g}".replace(".", ",")


def as_csv(figures: Iterable[Figure], municipality: Municipality) -> str:
    """One figure per line, between semicolons, decimal comma: as a Danish spreadsheet reads it."""
    text = StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(HEADER)
    for figure in figures:
        named = (title(figure, municipality), group(figure, municipality))
        writer.writerow((figure.period, *named, number(figure), _SMALL if figure.small else ""))
    return text.getvalue()
