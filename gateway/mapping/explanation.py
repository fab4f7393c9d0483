"""A decision in plain Danish (decision.md §8): for the team's message, the page and ``explain``.

It never says that a course is granted, only that the citizen is sent to someone for a talk or a direct start.
"""

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

import msgspec

from gateway.municipality.model import Municipality
from gateway.referral.decide import ACCEPTED, RETURN, Decision
from gateway.referral.needs import Finding


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """What a programme, reason or flag is called, and what it asks of the reader (``wording.tsv``)."""

    kind: str
    title: str
    meaning: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the why: a programme, reason or flag with the evidence and rule behind it."""

    kind: str
    name: str
    text: str
    rule: str
    source: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What happens with the referral, and why."""

    headline: str
    statements: tuple[Statement, ...]

    @property
    def text(self) -> str:
        """All of it as lines, each with its rule and source."""
        lines = [f"- {s.text} [{s.rule}; {s.source}]" for s in self.statements]
        return "\n".join([self.headline, *lines])


@cache
def wordings() -> Mapping[str, Wording]:
    """By name of the programme, reason or flag."""
    text = resources.files("gateway.mapping").joinpath("tables", "wording.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return MappingProxyType(
        {row["name"]: Wording(kind=row["kind"], title=row["title"], meaning=row["meaning"]) for row in rows}
    )


def explanation(decision: Decision, municipality: Municipality) -> Explanation:
    """The decision for people."""
    return Explanation(
        headline=_headline(decision, municipality),
        statements=tuple(_statement(finding) for finding in decision.why),
    )


def _headline(decision: Decision, municipality: Municipality) -> str:
    if decision.outcome == RETURN:
        team = _team(decision.review_team, municipality)
        return f"Udkast til svar til henviser ligger til godkendelse hos {team}, fordi {_because(decision, 'reason')}."
    if decision.outcome == ACCEPTED:
        return f"Sendt til {_destinations(decision, municipality)}, fordi {_because(decision, 'programme')}."
    team = _team(decision.review_team, municipality)
    proposed = f" Foreslået: {_destinations(decision, municipality)}." if decision.assignments else ""
    return f"Til vurdering hos {team}, fordi {_because(decision, 'reason')}.{proposed}"


def _destinations(decision: Decision, municipality: Municipality) -> str:
    """«sundhedskonsulenterne til Afklarende samtale og …»."""
    by_team: dict[str, list[str]] = {}
    for assignment in decision.assignments:
        by_team.setdefault(assignment.team, []).append(assignment.intervention.display)
    return _listed(f"{_team(team, municipality)} til {_listed(names)}" for team, names in by_team.items())


def _because(decision: Decision, kind: str) -> str:
    """The findings of one kind, each once, with what they rest on."""
    found: dict[str, str] = {}
    for finding in decision.why:
        wording = wordings().get(finding.name)
        if wording is not None and wording.kind == kind:
            found.setdefault(finding.name, f"{_lower(wording.title)} ({finding.evidence})")
    told = _listed(found.values())
    return f"henvisningen viser {told}" if kind == "programme" else told


def _statement(finding: Finding) -> Statement:
    wording = wordings().get(finding.name)
    if wording is None:
        return _of(finding, "assignment", f"{_upper(_titled(finding.evidence))}.")
    meaning = f" {wording.meaning}" if wording.meaning else ""
    return _of(finding, wording.kind, f"{_upper(wording.title)}: {_titled(finding.evidence)}.{meaning}")


def _of(finding: Finding, kind: str, text: str) -> Statement:
    return Statement(kind=kind, name=finding.name, text=text, rule=finding.rule, source=finding.source)


def _titled(evidence: str) -> str:
    """A programme's name at the evidence's beginning becomes its Danish title."""
    name, _, rest = evidence.partition(":")
    wording = wordings().get(name)
    if wording is None:
        return evidence
    return f"{_upper(wording.title)}:{rest}" if rest else wording.title


def _team(team: str | None, municipality: Municipality) -> str:
    found = municipality.teams.get(team or "")
    return found.display if found else ""


def _listed(parts: Iterable[str]) -> str:
    items = list(parts)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} og {items[-1]}" if items else ""


def _lower(title: str) -> str:
    """Lower first letter, unless the word is an abbreviation («KOL», «HbA1c»)."""
    return title if title[1:2].isupper() or title[:2] == "Hb" else title[:1].lower() + title[1:]


def _upper(title: str) -> str:
    return title[:1].upper() + title[1:]
