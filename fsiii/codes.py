"""FSIII, the classification of Danish municipal health care, as frozen records: codes and titles.

FSIII (Fælles Sprog III) is the common language of municipal health care, owned by KL (Local Government Denmark) and
kept in FK-klassifikation. An *intervention* (indsats) is what the municipality does, a *condition* (tilstand) is what
a professional finds at the first talk; both exist once per paragraph of Sundhedsloven: §119 is prevention and health
promotion, §140 rehabilitation after hospital. "Fysisk træning" of §119 and of §140 are two codes.

**The code is the UUID**, in lower case; there is no shorter key:

>>> intervention("6eddbaf7-2a73-49d4-91e7-6138d419f58c").display
'Afklarende samtale'
>>> condition("c0ee1cf6-47a9-4523-8fda-a80a13e28e30").area_display
'Kroppen'
>>> [len([row for row in rows.values() if not row.retired]) for rows in (interventions_119(), conditions_119())]
[14, 20]

**Simplified in 2024** (kl-term 2.0.0): KL replaced some codes and still publishes the old ones beside the new. Old
codes stay in the tables, marked retired with their successor, so that old data can be read; the KL gateway refuses
them, and so do the look-ups of a single code:

>>> intervention("c203c6b5-3be0-40a8-8204-e93751deabf5")  # doctest: +NORMALIZE_WHITESPACE
Traceback (most recent call last):
    ...
fsiii.codes.UnknownCodeError: FSIII §119 intervention c203c6b5-3be0-40a8-8204-e93751deabf5 (Tobaksafvænning) is
    retired; use 6d24992e-e0a2-43e7-bc27-0234622a8655 (Nikotin- og tobaksafvænning)

**Legacy keys** (brugervendt nøgle): kl-term also lists every concept under its key from before the UUIDs. For §119
that is the same UUID with underscores, or a word; after KL's transition only the UUID may be sent, so keys are unknown:

>>> intervention("6eddbaf7_2a73_49d4_91e7_6138d419f58c")
Traceback (most recent call last):
    ...
fsiii.codes.UnknownCodeError: unknown FSIII §119 intervention '6eddbaf7_2a73_49d4_91e7_6138d419f58c'

Only "henvendelse/henvisning fra" has keys that people still use, A1 to A15, kept as a column:

>>> sorted(row.display for row in referred_from().values() if row.key in {"A1", "A9"})
['Borger', 'Egen læge/vagtlæge']

Delivery type, contact class, plan category, stop reason and service type are KL's administrative codes
(CareSocialCodes), of which the §119 reports allow these:

>>> [row.display for row in care_social_codes("service_type").values()]
['Kommunal Sundhedsfremme og forebyggelse']

Nothing is read at import: each table is read from ``data/`` at its first look-up, then kept. Origin, version and
SHA-256 of every table stand in ``SOURCES.toml``; ``scripts/regenerate-fsiii`` rebuilds the tables from KL's JSON.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal, TypeVar

#: FSIII's code system in FHIR (kl-term, ``CodeSystem.url``)
FSIII_SYSTEM: Final = "urn:oid:1.2.208.176.2.21"
#: KL's administrative codes in FHIR (kl-term, ``CodeSystem.url``)
CARE_SOCIAL_SYSTEM: Final = "http://fhir.kl.dk/term/CodeSystem/CareSocialCodes"
#: HL7's code system that the v3 ActEncounterCode value set draws on
ACT_ENCOUNTER_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

# The codes that rules refer to, named as KL's title names them; all are current.
AFKLARENDE_SAMTALE: Final = "6eddbaf7-2a73-49d4-91e7-6138d419f58c"
BEHOVSSAMTALE: Final = "ee5606ac-1bed-487e-aa3c-72dcc30ec037"
AFSLUTTENDE_SAMTALE: Final = "03a3ebdb-9e2d-4be1-b32b-42f0bd2a3362"
OPFOELGNING: Final = "d1e016b5-150a-4ac4-97ba-d3e19e28471e"
NIKOTIN_OG_TOBAKSAFVAENNING: Final = "6d24992e-e0a2-43e7-bc27-0234622a8655"
SAMTALE_OM_ALKOHOL: Final = "924e9828-84cf-4689-9551-0ebb6dc71b98"
FYSISK_TRAENING: Final = "ab87c0b5-40be-4e0a-b749-d9f833bfed2d"
VEJLEDNING_OG_INTRODUKTION: Final = "abe847e0-1ce0-44dc-a675-ce05b66f47e6"
SYGDOMSHAANDTERING: Final = "e71b7d85-5c78-49c2-8624-8499d162317b"
MENTAL_HAANDTERING: Final = "f30cab6d-2a42-4358-99d7-811127fb6e05"
FAERDIGHEDSTRAENING: Final = "61692d91-69b8-4830-9453-3d58454e49d3"
KOSTVEJLEDNING: Final = "c9a99304-1788-43b7-b7be-e187b092ae9c"
DIAETBEHANDLING: Final = "cf7a55c2-7061-47ed-b7c5-e29620fe93bf"
MADLAVNING_I_PRAKSIS: Final = "01a500f6-c221-4fd0-b518-cd361218b60d"

SERVICE_TYPE_119: Final = "a71921ea-fe83-441d-933b-cc21d0b3c8c3"
DELIVERY_INDIVIDUAL: Final = "8d12d74c-17da-47a7-a4fe-e69dbaec0a8c"
DELIVERY_GROUP: Final = "2865f123-15a7-4a36-a514-32ea37c400ca"
PLAN_INTERVENTION_119: Final = "5c160c02-e858-4c1f-925a-71ed64844749"
PLAN_FOLLOW_UP_119: Final = "9791e55a-656f-47eb-8fd5-c4a06b0a4662"
CONTACT_PHONE: Final = "1b55a4b0-1156-4f58-b2df-b5c6014d9048"
CONTACT_SCREEN: Final = "124be95d-6924-4609-9d2a-e7c73ae3ab3d"
CONTACT_AT_MUNICIPALITY: Final = "AMB"
CONTACT_AT_HOME: Final = "HH"
STOP_NO_FURTHER_NEED_CITIZEN: Final = "4bbf6d6a-a1c6-41c2-b8c1-7352b7378adf"
STOP_NO_FURTHER_NEED_PROFESSIONAL: Final = "a63b6aa6-7d56-4e67-a5b3-d73f6d262af5"
STOP_DECLINED: Final = "3a5a72b7-addf-4857-b80c-04e4246e3072"
STOP_EVENT: Final = "82e99421-31da-4915-96ed-168ccfa1d20c"
STOP_NOT_REACHED: Final = "ef491570-7884-4acd-bcf7-43d6b2c64762"

#: paragraph of Sundhedsloven
Paragraph = Literal["119", "140"]
#: the groups of CareSocialCodes that the §119 reports use
CareSocialGroup = Literal["contact_class", "delivery_type", "plan_category", "service_type", "stop_reason"]

_INTERVENTIONS_119: Final = "interventions_119.tsv"
_INTERVENTIONS_140: Final = "interventions_140.tsv"
# The title "Kropspfattelse" (43ad3091) is spelt so by KL since 2024. The gateway accepts current titles only
# (kl-gateway, index.md), so the typo is mended by KL and a regeneration, never by hand.
_CONDITIONS_119: Final = "conditions_119.tsv"
_CONDITIONS_140: Final = "conditions_140.tsv"
_REFERRED_FROM: Final = "referred_from.tsv"
_CARE_SOCIAL: Final = "care_social_codes.tsv"


class UnknownCodeError(KeyError):
    """No current code: it was never in the table, or it is retired; the text says which and names the successor."""

    def __init__(self, code: str, text: str, successor: str | None = None) -> None:
        super().__init__(code, text, successor)
        #: the code that was asked for
        self.code = code
        #: what to say to a person, English
        self.text = text
        #: the current code to use instead, where KL has one
        self.successor = successor

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """An FSIII intervention (indsats), level 2: the level that is reported to KL."""

    #: UUID, lower case
    code: str
    #: KL's title, Danish, verbatim
    display: str
    #: paragraph of Sundhedsloven
    paragraph: Paragraph
    #: still published by KL, no longer accepted in reports
    retired: bool
    #: code that replaces a retired one, where there is one
    successor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """An FSIII condition (tilstand), level 2; never read out of a referral, a professional sets it."""

    #: UUID, lower case
    code: str
    #: KL's title, Danish, verbatim
    display: str
    #: paragraph of Sundhedsloven
    paragraph: Paragraph
    #: UUID of the area (område) that the condition belongs to; an area is no condition
    area: str
    #: KL's title of the area
    area_display: str
    #: still published by KL, no longer accepted in reports
    retired: bool
    #: code that replaces a retired one, where there is one
    successor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferredFrom:
    """Who sent the citizen: FSIII "Henvendelse/henvisning fra". Not part of the §119 report; statistics only."""

    #: UUID, lower case
    code: str
    #: KL's key, A1 to A15
    key: str
    #: KL's title, Danish, verbatim
    display: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CareSocialCode:
    """An administrative code that a value set of KL's prevention guide allows in the §119 report."""

    #: code system: ``CARE_SOCIAL_SYSTEM``, or ``ACT_ENCOUNTER_SYSTEM`` for HL7's contact classes
    system: str
    #: UUID in lower case; HL7's contact classes are short words such as ``AMB``
    code: str
    #: the code system's title, verbatim (Danish; HL7's are English)
    display: str
    #: what the code is used for
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where one table comes from: an entry of ``SOURCES.toml``."""

    #: file name in ``data/``
    table: str
    #: ``owner/repository@commit`` that published the code system
    origin: str
    #: FHIR package id and version
    package: str
    #: canonical URLs of the code systems in the table
    systems: tuple[str, ...]
    #: ``CodeSystem.version`` of the first of them
    version: str
    #: day of that commit
    date: date
    #: canonical URLs, ``|version``, of the value sets whose members are the current rows
    value_sets: tuple[str, ...]
    #: ``owner/repository@commit`` that published KL's value sets
    value_sets_origin: str
    #: what is known of the licence
    licence: str
    #: SHA-256 of the table file, hexadecimal
    sha256: str


_Concept = TypeVar("_Concept", Intervention, Condition)


def tables() -> tuple[str, ...]:
    """File names of the tables in ``data/``, sorted."""
    return (
        _CARE_SOCIAL,
        _CONDITIONS_119,
        _CONDITIONS_140,
        _INTERVENTIONS_119,
        _INTERVENTIONS_140,
        _REFERRED_FROM,
    )


@cache
def sources() -> tuple[Source, ...]:
    """Origin, version, date and SHA-256 of each table, in the order of ``tables()``."""
    entries = tomllib.loads(files("fsiii").joinpath("SOURCES.toml").read_text(encoding="utf-8"))
    return tuple(
        Source(**{**entry, "table": table, **{name: tuple(entry[name]) for name in ("systems", "value_sets")}})
        for table, entry in entries.items()
    )


@cache
def interventions_119() -> Mapping[str, Intervention]:
    """All §119 interventions by code, retired ones too; read-only."""
    return _concepts(Intervention, _INTERVENTIONS_119, "119")


@cache
def interventions_140() -> Mapping[str, Intervention]:
    """All §140 interventions by code; read-only. For contrast: a §140 code has no place in a §119 report."""
    return _concepts(Intervention, _INTERVENTIONS_140, "140")


@cache
def conditions_119() -> Mapping[str, Condition]:
    """All §119 conditions by code, retired ones too; read-only."""
    return _concepts(Condition, _CONDITIONS_119, "119")


@cache
def conditions_140() -> Mapping[str, Condition]:
    """All §140 conditions by code, retired ones too; read-only. For contrast, as ``interventions_140``."""
    return _concepts(Condition, _CONDITIONS_140, "140")


@cache
def referred_from() -> Mapping[str, ReferredFrom]:
    """The 15 kinds of referrer by code; read-only."""
    return MappingProxyType({row["code"]: ReferredFrom(**row) for row in _rows(_REFERRED_FROM)})


def care_social_codes(group: CareSocialGroup) -> Mapping[str, CareSocialCode]:
    """The administrative codes of one group by code; read-only.

    Raises:
        UnknownCodeError: there is no such group.
    """
    groups = _care_social_groups()
    if group not in groups:
        raise UnknownCodeError(group, f"unknown group {group!r} of KL codes; the groups are {', '.join(groups)}")
    return groups[group]


def intervention(code: str) -> Intervention:
    """The current §119 intervention with this code (a UUID, lower case).

    Raises:
        UnknownCodeError: the code is unknown, or retired; the error then names the successor.
    """
    return _current(interventions_119(), code, "intervention")


def condition(code: str) -> Condition:
    """The current §119 condition with this code (a UUID, lower case).

    Raises:
        UnknownCodeError: the code is unknown, or retired; the error then names the successor.
    """
    return _current(conditions_119(), code, "condition")


def _current(table: Mapping[str, _Concept], code: str, kind: str) -> _Concept:
    found = table.get(code)
    if found is None:
        raise UnknownCodeError(code, f"unknown FSIII §119 {kind} {code!r}")
    if not found.retired:
        return found
    text = f"FSIII §119 {kind} {code} ({found.display}) is retired"
    if found.successor is None:
        raise UnknownCodeError(code, f"{text}; it has no successor")
    raise UnknownCodeError(
        code, f"{text}; use {found.successor} ({table[found.successor].display})", successor=found.successor
    )


def _concepts(record: Callable[..., _Concept], table: str, paragraph: Paragraph) -> Mapping[str, _Concept]:
    found: dict[str, _Concept] = {}
    for row in _rows(table):
        status, successor = row.pop("status"), row.pop("successor")
        found[row["code"]] = record(
            **row, paragraph=paragraph, retired=status == "retired", successor=successor or None
        )
    return MappingProxyType(found)


@cache
def _care_social_groups() -> Mapping[str, Mapping[str, CareSocialCode]]:
    groups: dict[str, dict[str, CareSocialCode]] = {}
    for row in _rows(_CARE_SOCIAL):
        groups.setdefault(row["group"], {})[row["code"]] = CareSocialCode(**row)
    return MappingProxyType({group: MappingProxyType(codes) for group, codes in groups.items()})


def _rows(table: str) -> Iterator[dict[str, str]]:
    header, *lines = files("fsiii").joinpath("data", table).read_text(encoding="utf-8").splitlines()
    names = header.split("\t")
    return (dict(zip(names, line.split("\t"), strict=True)) for line in lines)
