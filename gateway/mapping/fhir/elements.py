"""What each FHIR type is made of: elements in the order of the specification, with type, cardinality and codes.

``elements.tsv`` is made from the models of ``fhir.resources`` by ``scripts/regenerate-fhir``; a test holds it against
them. So the models themselves (1 s and 40 MB to import) are no part of the running gateway (ADR 0013).
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

import msgspec

from gateway.mapping.fhir.primitives import PRIMITIVE_CHECKS

#: the type of an element that holds any resource (``contained``, ``Bundle.entry.resource``)
RESOURCE = "Resource"
#: what may stand beside a simple value, in ``_name``
PRIMITIVE_EXTENSION = "Element"
_ABSTRACT = frozenset({RESOURCE, "DomainResource"})
_CELL = re.compile(
    r"(?P<name>\w+):(?P<type>\w+)(?:\[(?P<codes>[^]]+)\])?:(?P<min>\d)\.\.(?P<max>[1*])(?::(?P<of>\w+))?"
)


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """One element of a type."""

    name: str
    #: name of the FHIR type; ``Resource`` for any resource
    type: str
    required: bool
    repeats: bool
    #: one of a choice: its name without the type (``value`` of ``valueString``)
    choice: str | None
    #: the codes of a required binding; empty where any code will do
    codes: frozenset[str]

    @property
    def is_primitive(self) -> bool:
        """A simple value, beside which ``_name`` may stand."""
        return self.type in PRIMITIVE_CHECKS


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A type's elements by name, in the order in which XML has them."""

    type: str
    elements: Mapping[str, Element]

    @property
    def is_resource(self) -> bool:
        """A resource, which carries its ``resourceType``; else a data type or a part of a resource."""
        return "implicitRules" in self.elements and self.type not in _ABSTRACT


def shape(type_name: str) -> Shape:
    """The shape of a type.

    Raises:
        KeyError: there is no such type.

    >>> [element.name for element in shape("Narrative").elements.values()]
    ['id', 'extension', 'status', 'div']
    """
    return _shape(_lines()[type_name])


def is_resource(type_name: object) -> bool:
    """Whether that is the name of a resource type.

    >>> is_resource("Patient"), is_resource("Address"), is_resource("Hest"), is_resource(7)
    (True, False, False, False)
    """
    return isinstance(type_name, str) and type_name in _lines() and shape(type_name).is_resource


@cache
def _lines() -> Mapping[str, str]:
    """The table's lines by type name; a line is taken apart only when its type is met."""
    text = resources.files("gateway.mapping.fhir").joinpath("elements.tsv").read_text(encoding="utf-8")
    return MappingProxyType({line[: line.index("\t")]: line for line in text.splitlines()})


@cache
def _shape(line: str) -> Shape:
    name, *cells = line.split("\t")
    found = [_element(match) for cell in cells if (match := _CELL.fullmatch(cell))]
    return Shape(type=name, elements=MappingProxyType({element.name: element for element in found}))


def _element(cell: re.Match[str]) -> Element:
    return Element(
        name=cell["name"],
        type=cell["type"],
        required=cell["min"] != "0",
        repeats=cell["max"] == "*",
        choice=cell["of"],
        codes=frozenset((cell["codes"] or "").split("|")) - {""},
    )
