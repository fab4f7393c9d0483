"""Ways to damage a FHIR resource: one thing at a time, at a place of seeded chance."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any

from tests.fhir_messages import Json

Place = tuple[Any, Any]
VALUES: tuple[Any, ...] = (
    *(
        "",
        " ",
        "\t",
        "\u00a0",
        "x",
        "a b",
        "a  b",
        " a",
        "a ",
        "active",
        "order",
        "hest",
        "https://a.example/x",
        "#x",
        "æ",
    ),
    *(
        "2026",
        "2026-02",
        "2026-02-29",
        "2024-02-29",
        "2026-11-16",
        "2026-11-16T09:15:00",
        "2026-11-16T09:15:00Z",
        "0000",
    ),
    *("2026-11-16T24:00:00Z", "2026-11-16T09:15:00.123456789+01:00", "2016-12-31T23:59:60Z", "2026-11-16T09:15+01:00"),
    *("2026-13-01", "2026-11-16 09:15:00Z", "09:15:00", "9:15", "24:00:00", "2026-11-31T09:15:00-14:00", "16.11.2026"),
    *(0, 1, -1, 7, 1.5, 45.0, 1e30, 2**31, 2**31 - 1, -(2**31), 10**30, True, False, None, "true", "5", "1.5", "1e400"),
    *(
        [],
        {},
        [None],
        [[]],
        [{}],
        ["a"],
        [1],
        {"a": "b"},
        {"value": "a"},
        "YQ==",
        "YQ=",
        "urn:oid:1.2.3",
        "urn:oid:9.x",
    ),
    *("urn:uuid:5b1f6c1e-7a55-4d0e-9a4e-000000000001", "A" * 64, "A" * 65, "male", "official", "final", "generated"),
)
NAMES = (
    *("id", "extension", "modifierExtension", "implicitRules", "language", "text", "status", "value", "valueString"),
    *("valueQuantity", "valueBoolean", "_status", "_given", "_birthDate", "birthDate", "contained", "resourceType"),
    *("multipleBirthInteger", "deceasedBoolean", "active", "total", "fhir_comments", "identifier", "hest", "_hest"),
    *("occurrenceDateTime", "occurrencePeriod", "photo", "valueInteger", "reference", "code", "family", "class", "for"),
)
BESIDE: tuple[Any, ...] = (
    *({"id": "a"}, {"extension": [{"url": "urn:x", "valueCode": "a"}]}, {}, [None], [{"id": "a"}], [None, {"id": "b"}]),
    *({"extension": []}, {"hest": 1}, [{"id": "a"}, None]),
)


def _places(value: object) -> Iterator[Place]:
    """Every (container, key) of a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(inside):
        yield value, key
        yield from _places(item)


def _pick(rng: Random, value: Json) -> Place:
    return rng.choice(list(_places(value)))


def _object(rng: Random, value: Json) -> Json:
    found = [c[k] for c, k in _places(value) if isinstance(c[k], dict)]
    picked: Json = rng.choice(found)
    return picked


def drop(rng: Random, value: Json) -> None:
    container, key = _pick(rng, value)
    del container[key]


def rewrite(rng: Random, value: Json) -> None:
    container, key = _pick(rng, value)
    container[key] = deepcopy(rng.choice(VALUES))


def rename(rng: Random, value: Json) -> None:
    target = _object(rng, value)
    if target:
        target[rng.choice(NAMES)] = target.pop(rng.choice(list(target)))


def add(rng: Random, value: Json) -> None:
    _object(rng, value)[rng.choice(NAMES)] = deepcopy(rng.choice(VALUES))


def wrap(rng: Random, value: Json) -> None:
    container, key = _pick(rng, value)
    container[key] = [container[key]]


def unwrap(rng: Random, value: Json) -> None:
    lists = [(c, k) for c, k in _places(value) if isinstance(c[k], list) and c[k]]
    container, key = rng.choice(lists)
    container[key] = container[key][0]


def transplant(rng: Random, value: Json) -> None:
    source, key = _pick(rng, value)
    taken = deepcopy(source[key])
    container, at = _pick(rng, value)
    container[at] = taken


def move(rng: Random, value: Json) -> None:
    """An element into another object, under its own name."""
    source = _object(rng, value)
    if source:
        name = rng.choice(list(source))
        _object(rng, value)[name] = deepcopy(source[name])


def beside(rng: Random, value: Json) -> None:
    target = _object(rng, value)
    if target:
        target[f"_{rng.choice(list(target))}"] = deepcopy(rng.choice(BESIDE))


def instead(rng: Random, value: Json) -> None:
    """Only what stands beside a simple value is left of it."""
    target = _object(rng, value)
    if target:
        name = rng.choice(list(target))
        del target[name]
        target[f"_{name}"] = deepcopy(rng.choice(BESIDE))


def retype(rng: Random, value: Json) -> None:
    found = [c[k] for c, k in _places(value) if isinstance(c[k], dict) and "resourceType" in c[k]]
    kinds = ("Patient", "Condition", "Organization", "ServiceRequest", "Hest", "Address", "Resource", 7, None)
    rng.choice(found)["resourceType"] = rng.choice(kinds)


WAYS: tuple[Callable[[Random, Json], None], ...] = (
    *(drop, drop, rewrite, rewrite, rewrite, rename, add, add, wrap, unwrap, transplant, move, beside, instead, retype),
)


def mutant(seed: int, value: Json) -> Json:
    """The value with one damage, rarely two; the same for the same seed."""
    rng = Random(seed)
    damaged = deepcopy(value)
    for _ in range(1 if rng.random() < 0.9 else 2):
        rng.choice(WAYS)(rng, damaged)
    return damaged
