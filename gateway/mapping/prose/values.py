"""Measured values in prose: HbA1c, BMI and FEV1 in the spellings, units and dates that Danish doctors use.

HbA1c is in mmol/mol (IFCC), rounded half up. A value in per cent, or below 20, is converted,
(% − 2.15) × 10.929, unless a mmol/mol value stands beside it (decision.md §5, general knowledge).
"""

import math
import re
from datetime import date

import msgspec

from gateway.mapping.prose.words import normal

#: each begins with the set of its first letters, which is what makes looking through a long text cheap
_HBA1C = re.compile(
    r"[hHlLgG](?i:(?<=h)[bg]{1,2}[ .-]{0,2}a[ .-]?[1il][ .-]?c(?![a-zæøå]{3})|(?<=h)(?:æ|ae)moglobin[ -]?a1c"
    r"|(?<=l)angtids?[ -]?blodsukk?er\w*|(?<=g)lyk(?:eret|osyleret) h(?:æ|ae)moglobin)"
)
_BMI = re.compile(r"[bB](?i:(?<=\bb)mi\b|ody mass index)")
_FEV1 = re.compile(r"[fF](?i:(?<=\bf)ev[ .-]?1(?![ ]?/[ ]?fvc)\b)")
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan januar", "feb februar", "mar marts", "apr april", "maj", "jun juni", "jul juli", "aug august",
         "sep sept september", "okt oktober", "nov november", "dec december"), start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
#: what may stand between and around values; the order of alternatives matters
_PIECE = re.compile(
    rf"(?P<iso>\d{{4}}-\d\d-\d\d)"
    rf"|(?P<dmy>\d{{1,2}}[./-]\s?\d{{1,2}}[./ -]\s?(?:\d{{4}}|\d\d)(?!\d))"
    rf"|(?P<month>(?:\d{{1,2}}\.? )?\b(?:{_MONTH})\b\.?(?: ?'?(?P<month_year>\d{{4}}|\d\d))?)"
    r"|(?P<dm>(?:\bd\.? ?|\bden )\d{1,2}/\d{1,2}|\(\d{1,2}/\d{1,2}\))"
    r"|(?P<year>\b(?:19|20)\d\d\b)"
    r"|(?P<span>\d+ ?(?:mdr|md|måneder|maaneder|uger|uge|år|aar|dage|gange|x(?! ?\d)|kg(?!/)|mg|timer)\b)"
    r"|(?P<number>\d{1,3}(?:[.,]\d{1,2})?)(?:\s?(?P<unit>mmol|%|procent|pct))?"
    r"|(?P<limit><|>|≤|≥|\bunder\b|\bover\b|\bmål(?:et)?\b|\bmaal(?:et)?\b|\bgrænsen?\b|\bgraensen?\b|\bmax\b|\bhøjst\b)"
    r"|(?P<word>[^\W\d_]+)|(?P<end>[\n;])|(?P<sign>[^\w\s])",
    re.IGNORECASE,
)
#: a compound that ends so is about the measuring («omprøve», «kontrolmåling»)
_LINK_ENDINGS = ("proeve", "proever", "maaling", "maalinger", "kontrol", "kontroller", "vaerdi", "svar", "test")
_DATES = frozenset({"iso", "dmy", "month", "month_year", "dm", "year"})
_SHORT = frozenset({"ca", "tidl", "d", "kl", "hhv", "pr", "sidst"})
_PAST = frozenset({"tidligere", "tidl", "før", "foer"})
_LEAD_WORDS = 8
_PERCENT_BELOW, _LOWEST, _HIGHEST = 20.0, 3.0, 250.0
#: FEV1 in per cent of what is expected, below which KOL is «meget svær» (decision.md §4)
_SEVERE_BELOW = 30
_CENTURY = 100


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A number as written, with its unit and date where they stand beside it."""

    number: float
    percent: bool
    quote: str
    on: date | None = None
    #: said to be an earlier one
    past: bool = False


class Hba1c(msgspec.Struct, frozen=True, kw_only=True):
    """The HbA1c that counts: mmol/mol, rounded."""

    value: int
    converted: bool
    quote: str


def hba1c(texts: list[str], scan: "Scan") -> Hba1c | None:
    """The value that counts: the latest dated, else the last written."""
    found: list[Value] = []
    for text in texts:
        for mention in _HBA1C.finditer(text):
            found += _beside(_values(text, mention, scan))
    return chosen_hba1c([v for v in found if _LOWEST <= v.number <= _HIGHEST])


def chosen_hba1c(found: list[Value]) -> Hba1c | None:
    """One value out of several (§5): the latest dated, else the last written; an earlier one only where no other is."""
    usable = [v for v in found if not v.past] or found
    if not usable:
        return None
    dated = [v for v in usable if v.on is not None]
    value = max(dated, key=lambda v: v.on or date.min) if dated else usable[-1]
    in_percent = value.percent or value.number < _PERCENT_BELOW
    mmol = (value.number - 2.15) * 10.929 if in_percent else value.number
    return Hba1c(value=math.floor(mmol + 0.5), converted=in_percent, quote=value.quote)


def _beside(values: list[Value]) -> list[Value]:
    """Without the per-cent values of a list in which mmol/mol stands too."""
    mmol = [v for v in values if not v.percent and v.number >= _PERCENT_BELOW]
    return mmol or values


def bmi(texts: list[str], scan: "Scan") -> Value | None:
    """The BMI that counts, in kg/m²; None when none between 10 and 90 is stated."""
    found = [v for text in texts for m in _BMI.finditer(text) for v in _values(text, m, scan)]
    usable = [v for v in found if 10 <= v.number <= 90]  # noqa: PLR2004  (what a BMI can be)
    dated = [v for v in usable if v.on is not None]
    return max(dated, key=lambda v: v.on or date.min) if dated else (usable[-1] if usable else None)


def fev1_below_30(texts: list[str], scan: "Scan") -> str | None:
    """The words that say FEV1 is below 30 % of what is expected; None otherwise."""
    for text in texts:
        for mention in _FEV1.finditer(text):
            for value in _values(text, mention, msgspec.structs.replace(scan, limits=True)):
                limited = re.search(r"(?:<|under)\s*$", text[: text.find(value.quote, mention.start())]) is not None
                if value.percent and (value.number < _SEVERE_BELOW or (limited and value.number <= _SEVERE_BELOW)):
                    return f"{mention.group()} {value.quote}"
    return None


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """What reading values needs beside the text."""

    #: dates days that stand without a year
    today: date
    #: words that may stand between two values of one list (``cues.tsv``, kind ``value_link``)
    links: frozenset[str]
    #: a number behind «<» or «under» is read too
    limits: bool = False


class _List:
    """Values being read after a mention, until something ends the list."""

    def __init__(self, on: date | None, scan: "Scan") -> None:
        self.values: list[Value] = []
        self._scan = scan
        self._words = 0
        self._limited = self._past = False
        self._on = on

    def word(self, word: str) -> bool:
        """A word; whether the list goes on after it."""
        self._words += 1
        self._past = self._past or word in _PAST
        linking = word in self._scan.links or word.endswith(_LINK_ENDINGS)
        return linking or not (self.values or self._words > _LEAD_WORDS)

    def limit(self) -> None:
        """«<», «under», «mål»: the number that follows is no value."""
        self._limited = True

    def number(self, piece: re.Match[str]) -> None:
        """A number with its unit."""
        if not self._limited or self._scan.limits:
            self.values.append(_value(piece, self._on, past=self._past))
        self._limited, self._past, self._on = False, False, None

    def dated(self, day: date | None) -> None:
        """A date belongs to the value before it, if that has none; else to the value that follows."""
        if self.values and self.values[-1].on is None and day is not None:
            self.values[-1] = msgspec.structs.replace(self.values[-1], on=day)
            day = None
        self._on = day


def _values(text: str, mention: re.Match[str], scan: Scan) -> list[Value]:
    """The values that belong to a mention, in the order written, each with the date beside it."""
    reading = _List(_date_before(text, mention, scan.today), scan)
    for piece in _PIECE.finditer(text, mention.end()):
        kind = piece.lastgroup
        if kind == "end" or (kind == "sign" and _ends(text, piece)):
            break
        if kind == "word" and not reading.word(normal(piece.group())):
            break
        if kind == "limit":
            reading.limit()
        elif kind in {"number", "unit"}:
            reading.number(piece)
        elif kind in _DATES:
            reading.dated(_date(piece, scan.today))
    return reading.values


def _date_before(text: str, mention: re.Match[str], today: date) -> date | None:
    """The last date before the mention on its line, within its sentence («08.01.2026  HbA1c 45»)."""
    start = max(text.rfind(end, 0, mention.start()) + len(end) for end in ("\n", ". ", "; ", ")", ", "))
    found = None
    for piece in _PIECE.finditer(text, max(start, mention.start() - 60), mention.start()):
        if piece.lastgroup in _DATES:
            found = _date(piece, today)
        elif piece.lastgroup == "number":
            found = None
    return found


def _value(piece: re.Match[str], on: date | None, *, past: bool) -> Value:
    unit = (piece.group("unit") or "").lower()
    number = float(piece.group("number").replace(",", "."))
    return Value(number=number, percent=unit not in {"", "mmol"}, quote=piece.group().strip(), on=on, past=past)


def _ends(text: str, piece: re.Match[str]) -> bool:
    """A full stop that is no abbreviation's: followed by a blank or by nothing."""
    if piece.group() not in ".!?":
        return False
    word = re.search(r"[^\W\d_]+$", text[: piece.start()])
    return text[piece.end() : piece.end() + 1].strip() == "" and not (word and word.group().lower() in _SHORT)


def _date(piece: re.Match[str], today: date) -> date | None:
    """The date a piece tells; a day or month without a year is the latest one that is not in the future."""
    numbers = [int(n) for n in re.findall(r"\d+", piece.group())]
    try:
        if piece.group("iso"):
            return date(*numbers)
        if piece.group("dmy"):
            day, month, year = numbers
            return date(_full_year(year), month, day)
        if piece.group("month"):
            return _month_date(piece, numbers, today)
        if piece.group("dm"):
            return _not_ahead(date(today.year, numbers[1], numbers[0]), today)
        return date(numbers[0], 1, 1)
    except ValueError:
        return None


def _month_date(piece: re.Match[str], numbers: list[int], today: date) -> date:
    name = re.search(rf"{_MONTH}", piece.group(), re.IGNORECASE)
    month = _MONTHS[name.group().lower()] if name else 1
    year = piece.group("month_year")
    day = numbers[0] if numbers and (not year or len(numbers) > 1) else 1
    if year:
        return date(_full_year(int(year)), month, day)
    return _not_ahead(date(today.year, month, day), today)


def _full_year(year: int) -> int:
    """A year of two digits is of this century: nobody's value is older."""
    return year if year >= _CENTURY else 2000 + year


def _not_ahead(day: date, today: date) -> date:
    return day if day <= today else day.replace(year=day.year - 1)
