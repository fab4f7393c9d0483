"""FHIR JSON and FHIR XML → one value, the JSON form: dictionaries, lists and simple values (FHIR R4, json and xml).

Strictly, the form is refused where it would be read in two ways (a name twice, NaN, a single element twice). Loosely,
what cannot be understood is left out, to find the sender of a message that is refused.
"""

import json
import re
from functools import cache
from typing import Any

from lxml import etree

from gateway.errors import Fault
from gateway.mapping.bounds import MOST_PARTS, TOO_MANY_PARTS
from gateway.mapping.fhir.elements import PRIMITIVE_EXTENSION, RESOURCE, Element, is_resource, shape
from gateway.mapping.fhir.primitives import STRUCTURE, TYPE, WrongStructureError
from gateway.mapping.fhir.structure import DEEPEST, fault_of

Json = dict[str, Any]

NAMESPACE = "http://hl7.org/fhir"
_XHTML = "{http://www.w3.org/1999/xhtml}div"
_SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,18})").fullmatch
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch
_NUMBERS = frozenset({"integer", "positiveInt", "unsignedInt"})
#: of a JSON text that is cut off: its strings and brackets
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]', re.DOTALL)
#: of a text that is cut off, this much is looked at, in characters
_HEAD = 100_000
#: attributes in XML, not elements: by type
_ATTRIBUTES = {"Extension": frozenset({"id", "url"})}
_NOTHING_ELSE = frozenset({_SCHEMA_LOCATION})
#: beside a simple value its own ``value`` stands as an attribute
_PASSED_OVER = {PRIMITIVE_EXTENSION: frozenset({"value"})}


# ------------------------------------------------------------------ JSON
def from_json(data: bytes) -> object | Fault:
    """The value of a JSON text; GW-102 where it is none, or could be read in two ways, GW-104 with too many parts."""
    if data.count(b"{") + data.count(b"[") > MOST_PARTS:
        return TOO_MANY_PARTS
    try:
        text = data.decode("utf-8-sig")
        value: object = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except RecursionError:
        return Fault(id="GW-102", detail="(for dybt indlejret)")
    except json.JSONDecodeError as error:
        return Fault(id="GW-102", detail=f"(linje {error.lineno})")
    except UnicodeDecodeError:
        return Fault(id="GW-102", detail="(ikke UTF-8)")
    except ValueError as error:
        return Fault(id="GW-102", detail=f"({error})" if isinstance(error, _TwiceError) else "(et tal)")
    return value


class _TwiceError(ValueError):
    """A name that stands twice in one object."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError("samme navn to gange")
    return found


def _no_constant(_name: str) -> float:
    raise ValueError("NaN")


def salvaged_json(data: bytes) -> object:
    """What can be read of a faulty JSON text, for the sender's and the message's ids only; None when nothing can.

    What follows the last whole member is left out: half a GLN is another.
    """
    text = data.decode("utf-8-sig", errors="replace")
    for candidate in (text, _closed(text)):
        try:
            return json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _closed(text: str) -> str:
    """The text up to its last comma or bracket, with the brackets closed that are open there."""
    open_: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text, 0, _HEAD):
        sign = token.group()
        if sign in "{[":
            open_.append("}" if sign == "{" else "]")
        elif sign in "}]":
            del open_[-1:]
        if sign in "{[}],":
            end = token.start() if sign == "," else token.end()
    return text[:end] + "".join(reversed(open_))


# ------------------------------------------------------------------ XML
def from_xml(root: etree._Element) -> Json | Fault:
    """The value of a FHIR XML document; the fault names the place."""
    try:
        return _Reader(strict=True).resource(root, 0)
    except WrongStructureError as wrong:
        return fault_of(wrong)


def salvaged_xml(root: etree._Element) -> Json:
    """The same of a faulty document: what is not understood is left out."""
    return _Reader(strict=False).resource(root, 0)


class _Reader:
    """Elements → values, by the table of elements."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict

    def resource(self, element: etree._Element, depth: int) -> Json:
        name = _local(element)
        if not is_resource(name):
            self._problem(TYPE, "resourceType")
            return {}
        return {"resourceType": name, **self._object(element, name, depth)}

    def _object(self, element: etree._Element, type_name: str, depth: int) -> Json:
        if depth > DEEPEST:
            self._problem(STRUCTURE, "for dybt indlejret")
            return {}
        parts = shape(type_name)
        attributes = frozenset() if parts.is_resource else _ATTRIBUTES.get(type_name, frozenset({"id"}))
        found: Json = {}
        for name, value in element.attrib.items():
            if name in attributes:
                found[str(name)] = str(value)
            elif name not in _PASSED_OVER.get(type_name, _NOTHING_ELSE):
                self._problem(STRUCTURE, "ukendt attribut")
        self._no_text(element.text)
        for child in element:
            name = _local(child)
            part = parts.elements.get(name)
            if part is None or name in attributes:
                self._problem(STRUCTURE, "ukendt element")
                continue
            try:
                self._add(found, child, part, depth)
            except WrongStructureError as wrong:
                raise wrong.inside(name) from None
        return _without_gaps(found)

    def _add(self, found: Json, child: etree._Element, part: Element, depth: int) -> None:
        """One child element into its parent's value; simple values and what stands beside them keep pace."""
        if part.type != "xhtml":
            self._no_text(child.tail)
        value, beside = self._value(child, part, depth)
        if part.repeats:
            found.setdefault(part.name, []).append(value)
            if part.is_primitive:
                found.setdefault(f"_{part.name}", []).append(beside)
            return
        if part.name in found or f"_{part.name}" in found:
            self._problem(STRUCTURE, "kun én ventet")
        found.update({name: item for name, item in ((part.name, value), (f"_{part.name}", beside)) if item is not None})

    def _value(self, child: etree._Element, part: Element, depth: int) -> tuple[object, Json | None]:
        """The value, and of a simple one its id and extensions."""
        if part.type == "xhtml":
            return etree.tostring(child, encoding="unicode", with_tail=False), None
        if part.type == RESOURCE:
            return self._inner(child, depth), None
        if not part.is_primitive:
            return self._object(child, part.type, depth + 1), None
        written = child.get("value")
        is_plain = written is not None and len(child) == 0 and len(child.attrib) == 1 and not child.text
        beside = None if is_plain else self._object(child, PRIMITIVE_EXTENSION, depth + 1)
        return _simple(written, part.type), beside or None

    def _inner(self, child: etree._Element, depth: int) -> Json:
        """The resource in ``contained`` or ``resource``."""
        if len(child) != 1:
            self._problem(STRUCTURE, "én ressource ventet")
            return {}
        self._no_text(child.text)
        self._no_text(child[0].tail)
        return self.resource(child[0], depth + 1)

    def _no_text(self, text: str | None) -> None:
        if text and text.strip():
            self._problem(STRUCTURE, "tekst mellem elementer")

    def _problem(self, fault_id: str, rule: str) -> None:
        if self._strict:
            raise WrongStructureError(fault_id, rule)


@cache
def _local_name(tag: str) -> str:
    """The name of an element of FHIR's; empty for one of another namespace, which no table knows."""
    if tag == _XHTML:
        return "div"
    namespace, _, name = tag.rpartition("}")
    return name if namespace[1:] == NAMESPACE and name != "div" else ""


def _local(element: etree._Element) -> str:
    return _local_name(element.tag)


def _simple(written: str | None, type_name: str) -> object:
    """A simple value as JSON has it; what has not its type's form stays text, which the check of structure refuses."""
    if written is None:
        return None
    if type_name == "boolean":
        return {"true": True, "false": False}.get(written, written)
    if type_name in _NUMBERS and _WHOLE(written):
        return int(written)
    if type_name == "decimal" and _DECIMAL(written):
        return int(written) if _WHOLE(written) else float(written)
    return written


def _without_gaps(found: Json) -> Json:
    """Without the lists in which nothing stands (no extension beside any value, or no value beside any extension)."""
    return {
        name: item for name, item in found.items() if not (isinstance(item, list) and all(one is None for one in item))
    }
