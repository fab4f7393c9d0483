"""Is this value FHIR R4? Unknown and missing elements, cardinalities, choices, simple values and required codes.

The value is the JSON form of a resource (XML is brought into the same form first). For each type met a check is
compiled from ``elements.tsv``; a Bundle of 10 kB takes a fraction of a millisecond. At least as strict as the models of
``fhir.resources``, which are the oracle in the tests (ADR 0013).
"""

from functools import cache

from gateway.errors import Fault
from gateway.mapping.fhir.elements import PRIMITIVE_EXTENSION, RESOURCE, Element, is_resource, shape
from gateway.mapping.fhir.primitives import (
    MODIFIER,
    PRIMITIVE_CHECKS,
    STRUCTURE,
    TYPE,
    Check,
    WrongStructureError,
    code_of,
)

#: nobody nests deeper; a fixed limit, so that the verdict does not depend on the stack
DEEPEST = 50
#: whoever does not know what it means must not act on it (FHIR R4: modifierExtension, implicitRules); we know none
_MUST_UNDERSTAND = frozenset({"modifierExtension", "implicitRules"})
#: a place deep inside is told by its end
_LONGEST_PLACE = 100


def structure_fault(value: object) -> Fault | None:
    """What is wrong with the structure of a resource; the detail names place and rule, never content."""
    try:
        _any_resource(value, 0)
    except WrongStructureError as wrong:
        return fault_of(wrong)
    return None


def fault_of(wrong: WrongStructureError) -> Fault:
    """The fault, its detail ``(place: rule)``."""
    place = wrong.place if len(wrong.place) <= _LONGEST_PLACE else f"…{wrong.place[-_LONGEST_PLACE:]}"
    return Fault(id=wrong.fault_id, detail=f"({place}: {wrong.rule})" if place else f"({wrong.rule})")


def _any_resource(value: object, depth: int) -> None:
    if type(value) is not dict:
        raise WrongStructureError(STRUCTURE, "ressource ventet")
    kind = value.get("resourceType")
    if not is_resource(kind):
        raise WrongStructureError(TYPE, "resourceType")
    _check_of(kind)(value, depth)


@cache
def _check_of(type_name: str) -> Check:
    if type_name == RESOURCE:
        return _any_resource
    return PRIMITIVE_CHECKS.get(type_name) or _Parts(type_name)


class _Parts:
    """The check of a type that is made of elements; compiled when the type is met first."""

    def __init__(self, type_name: str) -> None:
        self._shape = shape(type_name)
        self._checks: dict[str, Check] = {}
        elements = self._shape.elements.values()
        self._required = frozenset(e.name for e in elements if e.required and e.choice is None)
        self._choice_of = {name: e.choice for e in elements if e.choice for name in (e.name, f"_{e.name}")}
        self._required_choices = {e.choice for e in elements if e.required and e.choice}
        self._lists = tuple(e.name for e in elements if e.repeats and e.is_primitive)

    def __call__(self, value: object, depth: int) -> None:
        if type(value) is not dict or not value:
            raise WrongStructureError(STRUCTURE, "objekt med indhold ventet")
        if depth > DEEPEST:
            raise WrongStructureError(STRUCTURE, "for dybt indlejret")
        checks = self._checks or self._compile()
        for name, item in value.items():
            check = checks.get(name)
            if check is None:
                raise WrongStructureError(STRUCTURE, "ukendt element")
            try:
                check(item, depth + 1)
            except WrongStructureError as wrong:
                raise wrong.inside(name) from None
        self._check_together(value)

    def _check_together(self, value: dict[str, object]) -> None:
        """What no element can tell alone."""
        if not self._required <= value.keys():
            self._check_required(value)
        if self._choice_of:
            self._check_choices(value)
        for name in self._lists:
            if name in value or f"_{name}" in value:
                _check_pairs(value, name)

    def _compile(self) -> dict[str, Check]:
        checks: dict[str, Check] = {}
        for element in self._shape.elements.values():
            checks[element.name] = _element_check(element)
            if element.is_primitive and element.name != "id":
                beside = _check_of(PRIMITIVE_EXTENSION)
                checks[f"_{element.name}"] = _list_of(beside, gaps=True) if element.repeats else beside
        if self._shape.is_resource:
            checks["resourceType"] = _nothing
        self._checks = checks
        return checks

    def _check_required(self, value: dict[str, object]) -> None:
        """A required simple value may be absent where an extension says why."""
        for name in sorted(self._required - value.keys()):
            beside = value.get(f"_{name}")
            told = beside if isinstance(beside, list) else [beside]
            if not any(isinstance(item, dict) and "extension" in item for item in told):
                raise WrongStructureError(STRUCTURE, "mangler").inside(name)

    def _check_choices(self, value: dict[str, object]) -> None:
        chosen: dict[str, str] = {}
        for name in value:
            choice = self._choice_of.get(name)
            if choice is not None and chosen.setdefault(choice, name.lstrip("_")) != name.lstrip("_"):
                raise WrongStructureError(STRUCTURE, "kun én type ad gangen").inside(f"{choice}[x]")
        for choice in self._required_choices - chosen.keys():
            raise WrongStructureError(STRUCTURE, "mangler").inside(f"{choice}[x]")


def _element_check(element: Element) -> Check:
    if element.name in _MUST_UNDERSTAND:
        return _not_understood
    one = code_of(element.codes) if element.codes else _check_of(element.type)
    return _list_of(one, gaps=element.is_primitive) if element.repeats else one


def _list_of(one: Check, *, gaps: bool) -> Check:
    """An array with something in it; ``gaps``: null keeps the place of a value that stands in the other array."""

    def check(value: object, depth: int) -> None:
        if type(value) is not list or not value:
            raise WrongStructureError(STRUCTURE, "liste med indhold ventet")
        for number, item in enumerate(value):
            if item is None and gaps:
                continue
            try:
                one(item, depth)
            except WrongStructureError as wrong:
                raise wrong.inside(f"[{number}]") from None

    return check


def _check_pairs(value: dict[str, object], name: str) -> None:
    """Of a repeating simple element, each place holds a value, an extension, or both."""
    values, beside = value.get(name, []), value.get(f"_{name}", [])
    assert isinstance(values, list)  # noqa: S101  (their checks ran before)
    assert isinstance(beside, list)  # noqa: S101
    if None not in values and not beside:
        return
    if values and beside and len(values) != len(beside):
        raise WrongStructureError(STRUCTURE, "listerne er ikke lige lange").inside(name)
    longest = max(len(values), len(beside))
    pairs = zip(values or [None] * longest, beside or [None] * longest, strict=True)
    if any(a is None and b is None for a, b in pairs):
        raise WrongStructureError(STRUCTURE, "tom plads").inside(name)


def _not_understood(_value: object, _depth: int) -> None:
    raise WrongStructureError(MODIFIER, "kendes ikke her")


def _nothing(_value: object, _depth: int) -> None:
    """What was checked before."""
