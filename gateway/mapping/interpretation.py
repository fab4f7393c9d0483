"""Our interpretations as tables: which code means which group, which group is which programme, what starts first.

A table holds values and references, never expressions; each row has an id and a source. The tables carry a version,
the hash of their bytes, which is stored with every decision.
"""

import csv
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType

import msgspec

from fsiii import condition, intervention
from gateway.errors import ConfigurationError
from gateway.mapping.prose.lexicon import Lexicon, Phrase
from gateway.mapping.prose.prose import WordTables
from gateway.mapping.prose.search import SmallWords
from gateway.referral.model import CodeSystem
from gateway.referral.needs import Coded, Plan

TABLES = (
    "abbreviations.tsv",
    "conditions.tsv",
    "cues.tsv",
    "diagnoses.tsv",
    "headings.tsv",
    "programmes.tsv",
    "suggestions.tsv",
    "tails.tsv",
    "terms.tsv",
)
_SMALL = frozenset({"filler", "boundary", "join", "value_link", "real_word"})
ROLES = frozenset({"primary", "offer", "conditional", "review", "risk_factor", "dependence", "not_offered", "none"})


class DiagnosisRow(msgspec.Struct, frozen=True, kw_only=True):
    """A code prefix and what we take it to mean (``diagnoses.tsv``)."""

    id: str
    system: CodeSystem
    prefix: str
    group: str
    #: one of ``ROLES``
    role: str
    source: str


class ProgrammeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A programme, the diagnosis group that leads to it, and its plan (``programmes.tsv``)."""

    name: str
    group: str
    plan: Plan
    source: str


class Interpretation(msgspec.Struct, frozen=True, kw_only=True):
    """All tables, ready for look-ups."""

    #: first twelve hex digits of the SHA-256 over the tables' bytes
    version: str
    diagnoses: Mapping[tuple[str, str], DiagnosisRow]
    #: by diagnosis group
    programmes: Mapping[str, ProgrammeRow]
    #: the words that prose is read with
    words: WordTables

    def diagnosis(self, system: CodeSystem, code: str) -> DiagnosisRow | None:
        """The row with the longest prefix of the code in that code system; None when no table knows it."""
        key = code.replace(".", "").replace(" ", "").upper()
        for length in range(len(key), 0, -1):
            row = self.diagnoses.get((system, key[:length]))
            if row is not None:
                return row
        return None


@cache
def interpretation() -> Interpretation:
    """The tables that come with the program."""
    return _load(resources.files("gateway.mapping").joinpath("tables"))


def load_interpretation(folder: Path) -> Interpretation:
    """Tables from a folder, to compare decisions before a change.

    Raises:
        ConfigurationError: GW-303 when a table is missing or a row is wrong.
    """
    return _load(folder)


def _load(folder: Traversable) -> Interpretation:
    try:
        texts = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in TABLES}
    except OSError as error:
        raise ConfigurationError("GW-303", f"table missing: {error}") from error
    digest = hashlib.sha256("".join(f"{name}\n{texts[name]}" for name in TABLES).encode()).hexdigest()
    diagnoses = {(row.system.value, row.prefix): row for row in _diagnosis_rows(texts["diagnoses.tsv"])}
    programmes = {row.group: row for row in _programme_rows(texts)}
    return Interpretation(
        version=digest[:12],
        diagnoses=MappingProxyType(diagnoses),
        programmes=MappingProxyType(programmes),
        words=_word_tables(texts),
    )


def _word_tables(texts: Mapping[str, str]) -> WordTables:
    terms, cues = ([_phrase(row) for row in _rows(texts[name])] for name in ("terms.tsv", "cues.tsv"))
    tails = list(_rows(texts["tails.tsv"]))
    free = [row["tail"] for row in tails if row["first_part"] == "any"]
    return WordTables(
        lexicon=Lexicon(
            terms,
            [c for c in cues if c.kind not in _SMALL],
            [row["tail"] for row in tails],
            free,
            _words(cues, "real_word"),
        ),
        concepts=frozenset(p.kind for p in terms),
        headings=MappingProxyType({row["heading"]: row["scope"] for row in _rows(texts["headings.tsv"])}),
        abbreviations=frozenset(row["abbreviation"] for row in _rows(texts["abbreviations.tsv"])),
        small=SmallWords(
            fillers=_words(cues, "filler"),
            boundaries=_words(cues, "boundary"),
            joins=_words(cues, "join"),
            value_links=_words(cues, "value_link"),
        ),
    )


def _words(cues: list[Phrase], kind: str) -> frozenset[str]:
    return frozenset(phrase.words[0] for phrase in cues if phrase.kind == kind)


def _phrase(row: dict[str, str]) -> Phrase:
    return Phrase(id=row["id"], kind=row["kind"], words=tuple(row["phrase"].split()), source=row["source"])


def _rows(text: str) -> Iterator[dict[str, str]]:
    return csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)


def _diagnosis_rows(text: str) -> Iterator[DiagnosisRow]:
    for row in _rows(text):
        if row["role"] not in ROLES:
            raise ConfigurationError("GW-303", f"diagnoses.tsv {row['id']}: unknown role {row['role']!r}")
        yield DiagnosisRow(
            id=row["id"],
            system=CodeSystem(row["system"]),
            prefix=row["prefix"],
            group=row["group"],
            role=row["role"],
            source=row["source"],
        )


def _programme_rows(texts: Mapping[str, str]) -> Iterator[ProgrammeRow]:
    suggested = _by_programme(texts["suggestions.tsv"], "intervention")
    conditions = _by_programme(texts["conditions.tsv"], "condition")
    for row in _rows(texts["programmes.tsv"]):
        name = row["programme"]
        plan = Plan(
            first=_intervention(row["first_intervention"]),
            delivery=row["delivery"] or None,
            direct=row["direct"] == "yes",
            open_access=row["open_access"] == "yes",
            suggested=tuple(_intervention(code) for code in suggested.get(name, ())),
            conditions=tuple(_condition(code) for code in conditions.get(name, ())),
        )
        yield ProgrammeRow(name=name, group=row["group"], plan=plan, source=row["source"])


def _by_programme(text: str, column: str) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for row in _rows(text):
        out.setdefault(row["programme"], []).append(row[column])
    return out


def _intervention(code: str) -> Coded:
    return Coded(code=code, display=intervention(code).display)


def _condition(code: str) -> Coded:
    return Coded(code=code, display=condition(code).display)
