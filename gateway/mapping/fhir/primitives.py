"""The simple values of FHIR, each checked by its own rule (FHIR R4, data types). Never coerced: ``"5"`` is no integer.

Stricter than the specification's regular expressions in two points: no control characters (no database holds U+0000,
no XML the others), no empty uri.
"""

import base64
import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

#: a value as it stands in JSON, and how deep it stands
Check = Callable[[object, int], None]

#: fault ids of what can be wrong (``gateway.errors``)
STRUCTURE, DATATYPE, CODE, TIME, TYPE, MODIFIER = "GW-125", "GW-126", "GW-127", "GW-128", "GW-129", "GW-149"


class WrongStructureError(Exception):
    """A value breaks a rule of FHIR's structure; never carries the value, only the place and the rule."""

    def __init__(self, fault_id: str, rule: str) -> None:
        super().__init__(rule)
        self.fault_id = fault_id
        self.rule = rule
        self.place = ""

    def inside(self, name: str) -> "WrongStructureError":
        """The same, told from one level further out."""
        dot = "." if self.place and not self.place.startswith("[") else ""
        self.place = f"{name}{dot}{self.place}"
        return self


_TEXT = re.compile("[\t\n\r\x20-\ud7ff\ue000-\U0010ffff]+").fullmatch
_YEAR = r"(?:[0-9](?:[0-9](?:[0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_DAY = r"(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_PARTIAL = rf"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?"
_WHOLE_DATE = 10


def _string(value: object, _depth: int) -> None:
    if type(value) is not str or _TEXT(value) is None or value.isspace():
        raise WrongStructureError(DATATYPE, "string")


def _matching(name: str, pattern: str) -> Check:
    matches = re.compile(pattern).fullmatch

    def check(value: object, _depth: int) -> None:
        if type(value) is not str or matches(value) is None:
            raise WrongStructureError(DATATYPE, name)

    return check


def _timed(name: str, pattern: str) -> Check:
    """A point in time: the form, and that its day is in the calendar. The form demands a zone where a time stands."""
    matches = re.compile(pattern).fullmatch

    def check(value: object, _depth: int) -> None:
        if type(value) is not str or matches(value) is None:
            raise WrongStructureError(TIME, name)
        if len(value) >= _WHOLE_DATE and value[4] == "-":
            try:
                date.fromisoformat(value[:_WHOLE_DATE])
            except ValueError:
                raise WrongStructureError(TIME, name) from None

    return check


def _boolean(value: object, _depth: int) -> None:
    if type(value) is not bool:
        raise WrongStructureError(DATATYPE, "boolean")


def _whole(name: str, lowest: int) -> Check:
    def check(value: object, _depth: int) -> None:
        if type(value) is not int or not lowest <= value < 2**31:
            raise WrongStructureError(DATATYPE, name)

    return check


def _decimal(value: object, _depth: int) -> None:
    if type(value) not in {int, float} or not math.isfinite(value):  # type: ignore[arg-type]  # the set says: a number
        raise WrongStructureError(DATATYPE, "decimal")


def _base64(value: object, _depth: int) -> None:
    try:
        base64.b64decode("".join(value.split()) if isinstance(value, str) else "*", validate=True)
    except ValueError:
        raise WrongStructureError(DATATYPE, "base64Binary") from None
    _string(value, 0)


def code_of(codes: frozenset[str]) -> Check:
    """A code with a required binding."""
    any_code = PRIMITIVE_CHECKS["code"]

    def check(value: object, depth: int) -> None:
        any_code(value, depth)
        if value not in codes:
            raise WrongStructureError(CODE, "code")

    return check


_URI = r"[^\s\x00-\x1f\ud800-\udfff]+"
PRIMITIVE_CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "base64Binary": _base64,
        "boolean": _boolean,
        "canonical": _matching("canonical", _URI),
        "code": _matching("code", rf"{_URI}(?: {_URI})*"),
        "date": _timed("date", rf"{_PARTIAL}|{_YEAR}-{_DAY}"),
        "dateTime": _timed("dateTime", rf"{_PARTIAL}|{_YEAR}-{_DAY}(?:T{_CLOCK}{_ZONE})?"),
        "decimal": _decimal,
        "id": _matching("id", r"[A-Za-z0-9.-]{1,64}"),
        "instant": _timed("instant", rf"{_YEAR}-{_DAY}T{_CLOCK}{_ZONE}"),
        "integer": _whole("integer", -(2**31)),
        "markdown": _string,
        "oid": _matching("oid", r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"),
        "positiveInt": _whole("positiveInt", 1),
        "string": _string,
        "time": _timed("time", _CLOCK),
        "unsignedInt": _whole("unsignedInt", 0),
        "uri": _matching("uri", _URI),
        "url": _matching("url", _URI),
        "uuid": _matching("uuid", r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        "xhtml": _string,
    }
)
