"""The municipality file: what one municipality is, offers and writes. Loaded once, checked by ``gateway check``.

Everything a municipality decides is data here; no code asks which municipality it serves.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from importlib import resources
from pathlib import Path

import msgspec

from gateway.errors import ConfigurationError
from gateway.municipality.texts import LetterText, Record, letter_problems, offer_problems, return_problems


class Letterhead(Record, frozen=True, kw_only=True):
    """How the municipality signs its letters (MedCom Sender; every part at most 35 characters)."""

    gln: str
    #: municipality number without leading zero, as MedCom's ``kommunenummer`` (Ishøj ``183``)
    identifier: str
    identifier_code: str
    organisation: str
    department: str | None = None
    district: str | None = None
    postcode: str | None = None
    phone: str | None = None
    #: mandatory in XDIS15 although its code is not
    speciality_name: str = "Kommunal forebyggelse"
    #: SOR id of the municipality's unit, for FHIR
    sor: str = ""


class Team(Record, frozen=True, kw_only=True):
    """A municipal team: its key is its queue and its folder."""

    #: how a text names the team, e.g. «sundhedskonsulenterne»
    display: str
    #: SOR id, performer in KL's report
    sor: str = ""


class Route(Record, frozen=True, kw_only=True):
    """Where a programme goes, and the flags the municipality wants on it."""

    team: str
    flags: tuple[str, ...] = ()


class Review(Record, frozen=True, kw_only=True):
    """Who looks at what the rules could not decide."""

    team: str
    section_140_team: str


class Waiver(Record, frozen=True, kw_only=True):
    """Neighbours whose citizens may take part in a programme here."""

    municipality_codes: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()


class Clocks(Record, frozen=True, kw_only=True):
    """Days; calendar days unless the name says otherwise (decision.md §7)."""

    respond_days: int = 14
    section_140_days: int = 7
    warn_day: int = 7
    alarm_day: int = 12
    review_workdays: int = 2
    receipt_minutes: int = 30
    #: how long a file may be on its way after the letter that names it
    attachment_hours: int = 24
    #: the follow-up talk by telephone, in months after the closing talk: from when, and until when at the latest
    follow_up_from_months: int = 2
    follow_up_until_months: int = 3


class Receipts(Record, frozen=True, kw_only=True):
    """Receipt policy where the standard leaves a choice."""

    #: to a message in a VANSEnvelope: ``vans`` (the VANS Receipt alone) or ``both`` (an XCTL beside it when asked for)
    vans: str = "vans"


class Attachments(Record, frozen=True, kw_only=True):
    """Limits for files that come apart from their letter. Programs are refused whatever stands here."""

    #: bytes of one file, unpacked
    max_bytes: int = 10_000_000


class Versions(Record, frozen=True, kw_only=True):
    """Which version of our letters a receiver gets, by GLN; others get the one that is in use everywhere."""

    #: the default follows the referral's own version
    xdis15: Mapping[str, str] = {}
    #: XD9134L, or XD9135L where the receiver is registered for it
    xdis91: Mapping[str, str] = {}


#: MedCom's IdentifierCode
_IDENTIFIER_CODES = frozenset({"ydernummer", "sygehusafdelingsnummer", "kommunenummer", "lokationsnummer", "sorkode"})
#: what a receiver can choose: ``gateway.referral.letters.Payload``
_FORMATS = frozenset({"medcom-xml", "edifact", "fhir-json", "fhir-xml"})


class FhirEvent(StrEnum):
    """What a FHIR message does with a referral."""

    NEW = "new"
    #: replaces an earlier letter of the same episode
    UPDATE = "update"
    #: the referrer takes it back
    CANCEL = "cancel"


class Municipality(Record, frozen=True, kw_only=True):
    """The whole file. ``code`` is dk-core's four digits (Ishøj ``0183``)."""

    code: str
    name: str
    #: date or number of this edition of the file; stored with every decision
    version: str
    #: GLNs this installation answers to; the letterhead's GLN is one of them
    glns: tuple[str, ...]
    postcodes: tuple[str, ...]
    letterhead: Letterhead
    teams: Mapping[str, Team]
    routes: Mapping[str, Route]
    not_offered: tuple[str, ...]
    review: Review
    waivers: Mapping[str, Waiver] = {}
    clocks: Clocks = Clocks()
    receipts: Receipts = Receipts()
    versions: Versions = Versions()
    attachments: Attachments = Attachments()
    #: a type that the gateway knows and does not read (``XREF22`` …) → the team that gets it unread; others are refused
    forwards: Mapping[str, str] = {}
    #: ``MM-DD`` days on which the municipality is closed beside the public holidays
    closing_days: tuple[str, ...] = ()
    #: sender GLN, SOR or provider number → practice, hospital, municipal, self, unknown
    senders: Mapping[str, str] = {}
    #: identifier of a copy receiver → its GLN
    addresses: Mapping[str, str] = {}
    #: GLN of a receiver → its SOR id, for FHIR letters to receivers whose own messages do not tell it
    sors: Mapping[str, str] = {}
    #: GLN of a receiver → the standard its letters are written in; others get the one their referral came in
    formats: Mapping[str, str] = {}
    #: FHIR: event code of a MessageHeader → what the message does with the referral (no standard yet)
    fhir_events: Mapping[str, FhirEvent] = {}
    letters: Mapping[str, LetterText]
    #: programme → what it holds, for the referrer; stands in the letters as ``{offers}``
    offers: Mapping[str, str]
    #: return reason → drafted answer
    returns: Mapping[str, str]

    @property
    def version_label(self) -> str:
        """Name and version, as stored with a decision."""
        return f"{self.name} {self.version}"

    @property
    def offered(self) -> frozenset[str]:
        """The programmes this municipality routes to a team."""
        return frozenset(self.routes)

    def waives(self, programme: str, code: str | None, postcode: str | None) -> bool:
        """Whether a citizen from that municipality code (or, without one, that postcode) may join the programme."""
        waiver = self.waivers.get(programme)
        if waiver is None:
            return False
        return code in waiver.municipality_codes if code else postcode in waiver.postcodes


def load(path: Path | None = None) -> Municipality:
    """Read a municipality file; without a path the built-in Ishøj file.

    Raises:
        ConfigurationError: GW-302 when the file cannot be read or its content is wrong; the text names the place.
    """
    source = path or resources.files("gateway.municipality").joinpath("ishoej.toml")
    try:
        municipality = msgspec.convert(tomllib.loads(source.read_text(encoding="utf-8")), Municipality)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError("GW-302", f"the municipality file {path or 'ishoej.toml'}: {error}") from error
    problems = inconsistencies(municipality)
    if problems:
        raise ConfigurationError("GW-302", f"the municipality file {path or 'ishoej.toml'}: " + "; ".join(problems))
    return municipality


def inconsistencies(municipality: Municipality) -> list[str]:
    """What in the file contradicts itself; empty when all is well. Codes are proved by ``gateway.proof``."""
    return [
        *_broken_references(municipality),
        *letter_problems(municipality.letters),
        *return_problems(municipality.returns),
        *offer_problems(municipality.offers, municipality.offered),
    ]


def _broken_references(municipality: Municipality) -> list[str]:
    teams = set(municipality.teams)
    used = {f"routes.{name}": route.team for name, route in municipality.routes.items()}
    used |= {"review.team": municipality.review.team, "review.section_140_team": municipality.review.section_140_team}
    used |= {f"forwards.{name}": team for name, team in municipality.forwards.items()}
    problems = [f"{place} names the unknown team {team!r}" for place, team in used.items() if team not in teams]
    if municipality.letterhead.gln not in municipality.glns:
        problems.append("letterhead.gln is not among glns")
    both = set(municipality.routes) & set(municipality.not_offered)
    problems += [f"{name} is both routed and not offered" for name in sorted(both)]
    if municipality.receipts.vans not in {"vans", "both"}:
        problems.append("receipts.vans must be 'vans' or 'both'")
    for gln, name in municipality.formats.items():
        if name not in _FORMATS:
            problems.append(f"formats.{gln} must be one of {', '.join(sorted(_FORMATS))}")
    if municipality.letterhead.identifier_code not in _IDENTIFIER_CODES:
        problems.append(f"letterhead.identifier_code must be one of {', '.join(sorted(_IDENTIFIER_CODES))}")
    problems += [f"closing_days: {day!r} is no MM-DD" for day in municipality.closing_days if not _is_month_day(day)]
    return problems


def _is_month_day(text: str) -> bool:
    try:
        date.fromisoformat(f"2024-{text}")
    except ValueError:
        return False
    return True
