"""Damaged copies of every recorded message, by byte and by tree: each ends as receipt or parked, and in time.

20 000 of them with GATEWAY_TEST_LONG=1. Every one is saved in PostgreSQL, which minds lengths and characters, and
rolled back, so that no example depends on an earlier one.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy import Connection, Engine

from gateway.errors import FAULTS
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.simulate.stories import recorded
from gateway.store import inbox
from gateway.store.engine import writing
from gateway.store.store import Store, open_store
from tests.edifact_builders import interchange, ref01
from tests.hostile import LONGEST_S
from tests.inbound.harness import Clock
from tests.reference import ROOT, thorough

BYTES, XML, JSON = thorough(10_000, 150), thorough(6_000, 80), thorough(4_000, 60)
NASTY = (
    "", " ", "\t\n", "æøå" * 40, "a" * 40_000, "0", "-1", "9" * 400, "1e999", "null", "12022-11-16", "0000-00-00",
    "24:00", "<b>", "&amp;", "]]>", "\u202e", "\U0001f600", "e\u0301", "5790009999997", "'; DROP TABLE", "%n",
)  # fmt: skip
SNIPPETS = (
    b"",
    b"\0",
    b"<",
    b">",
    b"&",
    b"'",
    b"+",
    b'"',
    b"{",
    b"[",
    b"\xff\xfe",
    b"\xc3",
    b"<!--",
    b"<![CDATA[",
    b"&#0;",
)
PLACE = st.integers(0, 2**20)


@cache
def originals() -> tuple[bytes, ...]:
    """Recorded messages of every kind: MedCom XML, VANS, EDIFACT, FHIR in XML and JSON."""
    files = sorted(
        path for path in (ROOT / "tests" / "messages").rglob("*.*") if path.suffix in {".xml", ".json", ".edi"}
    )
    found = [path.read_bytes() for path in files if not path.name.endswith(".expected.json")]
    return (*recorded().values(), *found, interchange(ref01()))


@cache
def trees() -> tuple[bytes, ...]:
    return tuple(data for data in originals() if _tree(data) is not None)


@cache
def documents() -> tuple[bytes, ...]:
    return tuple(data for data in originals() if _is_json(data))


def _is_json(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except ValueError:
        return False


def _tree(data: bytes) -> etree._Element | None:
    try:
        return etree.fromstring(data)
    except etree.XMLSyntaxError:
        return None


@contextmanager
def rolled_back(engine: Engine) -> Iterator[Connection]:
    with writing(engine) as connection:
        yield connection
        connection.rollback()


@pytest.fixture(scope="module")
def store(worker_database: str) -> Iterator[Store]:
    with open_store(worker_database) as opened:
        yield opened


@pytest.fixture(scope="module")
def pipeline(store: Store) -> Iterator[Pipeline]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(inbox, "writing", rolled_back)
        yield Pipeline(store, load(), Clock())


def check(pipeline: Pipeline, data: bytes) -> None:
    """It is answered, or parked with a reason that we know; nothing is raised, nothing takes long."""
    started = time.process_time()
    outcome = pipeline.handle_one(Delivery(data=data))
    assert time.process_time() - started < LONGEST_S
    assert {item.fault.id for item in outcome.parked} <= set(FAULTS)
    assert not {"GW-190", "GW-191"} & {item.fault.id for item in outcome.parked}
    assert outcome.parked or outcome.letters, "parked, or its letters are accepted"


def example_settings(count: int) -> Any:  # noqa: ANN401  (hypothesis' own decorator)
    fixtures = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=count, suppress_health_check=fixtures)


@pytest.mark.broker
@example_settings(BYTES)
@given(
    st.sampled_from(range(len(originals()))),
    st.lists(
        st.tuples(st.sampled_from(("cut", "put", "flip", "repeat", "end", "splice")), PLACE, PLACE),
        min_size=1,
        max_size=5,
    ),
)
def test_bytes(pipeline: Pipeline, number: int, damage: list[tuple[str, int, int]]) -> None:
    data = originals()[number]
    for kind, place, more in damage:
        at, length = place % (len(data) + 1), more % 60
        data = {
            "cut": data[:at] + data[at + length :],
            "put": data[:at] + SNIPPETS[more % len(SNIPPETS)] + data[at:],
            "flip": data[:at] + bytes(b ^ (1 << more % 8) for b in data[at : at + 1]) + data[at + 1 :],
            "repeat": data[: at + length] + data[at:],
            "end": data[:at],
            "splice": data[:at] + originals()[more % len(originals())][at:],
        }[kind]
    check(pipeline, data)


@pytest.mark.broker
@example_settings(XML)
@given(
    st.sampled_from(range(len(trees()))),
    st.lists(
        st.tuples(st.sampled_from(("drop", "twice", "text", "move", "rename", "attribute")), PLACE, PLACE),
        min_size=1,
        max_size=4,
    ),
)
def test_xml_trees(pipeline: Pipeline, number: int, damage: list[tuple[str, int, int]]) -> None:
    root = etree.fromstring(trees()[number])
    for kind, place, more in damage:
        nodes = list(root.iter("*"))[1:]
        if nodes:
            _damage_node(kind, nodes[place % len(nodes)], nodes, more)
    check(pipeline, etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def _damage_node(kind: str, node: etree._Element, nodes: list[etree._Element], more: int) -> None:
    parent, other = node.getparent(), nodes[more % len(nodes)]
    assert parent is not None
    if kind == "drop":
        parent.remove(node)
    elif kind == "twice":
        parent.append(etree.fromstring(etree.tostring(node, with_tail=False)))
    elif kind == "text":
        node.text = NASTY[more % len(NASTY)]
    elif kind == "move" and node not in list(other.iterancestors()) and node is not other:
        other.append(node)
    elif kind == "rename":
        node.tag = other.tag
    elif kind == "attribute":
        node.set("x", NASTY[more % len(NASTY)])


@pytest.mark.broker
@example_settings(JSON)
@given(
    st.sampled_from(range(len(documents()))),
    st.lists(
        st.tuples(st.sampled_from(("drop", "value", "copy", "list", "key")), PLACE, PLACE), min_size=1, max_size=4
    ),
)
def test_json_trees(pipeline: Pipeline, number: int, damage: list[tuple[str, int, int]]) -> None:
    document = json.loads(documents()[number])
    for kind, place, more in damage:
        places = list(_places(document))
        if places:
            _damage_place(kind, places[place % len(places)], places[more % len(places)], more)
    check(pipeline, json.dumps(document).encode())


def _places(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401  (JSON)
    for key, held in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(held, dict | list):
            yield from _places(held)


def _damage_place(kind: str, where: tuple[Any, Any], other: tuple[Any, Any], more: int) -> None:
    container, key = where
    values = (*NASTY, None, True, -1, 1e300, [], {}, [[]], [None])
    if kind == "drop":
        del container[key]
    elif kind == "value":
        container[key] = values[more % len(values)]
    elif kind == "copy":
        container[key] = json.loads(json.dumps(other[0][other[1]]))
    elif kind == "list":
        container[key] = [json.loads(json.dumps(container[key]))] * (more % 4)
    elif isinstance(container, dict):
        container[str(NASTY[more % len(NASTY)])] = container.pop(key)


@pytest.mark.broker
def test_no_example_stays(pipeline: Pipeline, store: Store) -> None:
    check(pipeline, originals()[0])
    check(pipeline, originals()[0])
    assert store.overview.numbers(Clock()()).messages == 0
