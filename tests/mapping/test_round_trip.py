"""What we write is read as it was meant: encode and decode undo each other, and all that is written is valid."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.mapping.medcom import xdis15, xref01, xref15
from gateway.mapping.medcom.parsing import parse
from gateway.receive import read
from gateway.referral.model import Referral
from tests.builders import NAMESPACES, emessage
from tests.mapping import fitting
from tests.mapping.values import DISCHARGE_NOTES, REFERRALS
from tests.reference import check_with_medcom, own_violations, thorough
from tests.referral_builders import XREF01_NAMESPACES

EXAMPLES = thorough(500, 60)
NAMESPACE_OF = {**NAMESPACES, **XREF01_NAMESPACES, "XD1530L": NAMESPACES["XH1530R"], "XD1531L": NAMESPACES["XH1531R"]}


class Kind(NamedTuple):
    version: str
    values: st.SearchStrategy[Any]
    encode: Callable[[Any], str]
    decode: Callable[[etree._Element], Any]


def note(version: str) -> Callable[[Any], str]:
    return lambda value: xdis15.encode(value, "UDBREV00000001", version)


KINDS = [
    Kind("XH1530R", fitting.XREF15_XH1530R, xref15.encode, xref15.decode),
    Kind("XH1531R", fitting.XREF15_XH1531R, xref15.encode, xref15.decode),
    Kind("XH0130R", fitting.XREF01_XH0130R, xref01.encode, xref01.decode),
    Kind("XH0131R", fitting.XREF01_XH0131R, xref01.encode, xref01.decode),
    Kind("XD1530L", fitting.XDIS15_XD1530L, note("XD1530L"), xdis15.decode),
    Kind("XD1531L", fitting.XDIS15_XD1531L, note("XD1531L"), xdis15.decode),
]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.version for kind in KINDS])


def message(kind: Kind, value: object) -> bytes:
    return emessage(kind.encode(value), namespace=NAMESPACE_OF[kind.version])


def read_again(kind: Kind, document: bytes) -> object:
    root = parse(document)
    assert isinstance(root, etree._Element)
    return kind.decode(root[1])


@every_kind
def test_what_fits_is_read_as_it_was_written(kind: Kind, shared: Path, tmp_path: Path) -> None:
    documents: list[bytes] = []

    @settings(max_examples=EXAMPLES)
    @given(kind.values)
    def run(value: object) -> None:
        document = message(kind, value)
        documents.append(document)
        assert own_violations(document) == []
        assert read_again(kind, document) == value

    run()
    assert len(documents) >= EXAMPLES
    check_with_medcom(shared, tmp_path, islice(documents, EXAMPLES))


@pytest.mark.parametrize("kind", KINDS, ids=[kind.version for kind in KINDS])
def test_what_does_not_fit_is_cut_once_and_then_stays(kind: Kind) -> None:
    """Values beyond the limits: valid when written, and the same again when what was read is written again."""
    values = DISCHARGE_NOTES if kind.version.startswith("XD") else REFERRALS

    @settings(max_examples=150)
    @given(values.map(lambda value: of_version(value, kind.version)))
    def run(value: object) -> None:
        document = message(kind, value)
        assert own_violations(document) == []
        first = read_again(kind, document)
        assert read_again(kind, message(kind, first)) == first

    run()


def of_version(value: Any, version: str) -> Any:  # noqa: ANN401 (a referral or a note)
    if not isinstance(value, Referral):
        return value
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    kind = "XREF01" if version.startswith("XH01") else "XREF15"
    return Referral(**(fields | {"version": version, "message_type": kind}))


@pytest.mark.parametrize("kind", KINDS[:4], ids=[kind.version for kind in KINDS[:4]])
def test_a_whole_message_reads_the_same(kind: Kind) -> None:
    @settings(max_examples=30)
    @given(kind.values)
    def run(value: object) -> None:
        (letter,) = read(message(kind, value)).letters
        assert (letter.fault, letter.content) == (None, value)

    run()
