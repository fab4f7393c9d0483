"""EDIFACT's grammar: what is written is read as it was, and nothing but a fault comes out of anything else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Fault
from gateway.mapping.edifact import segments as grammar
from gateway.mapping.edifact.segments import Segment, read_segments, render, salvage, segment

PRINTABLE = "".join(chr(n) for n in (*range(0x20, 0x7F), *range(0xA0, 0x100)))
PARTS = st.text(PRINTABLE, max_size=12)
TAGS = st.from_regex(r"[A-Z][A-Z0-9]{2}", fullmatch=True).filter(lambda tag: tag != "UNA")


def full(parts: list[str]) -> tuple[str, ...]:
    """Without empty ends: they are not written."""
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return tuple(parts)


ELEMENTS = st.lists(PARTS, min_size=1, max_size=4).map(full)
SEGMENTS = st.builds(
    lambda tag, elements, last: Segment(tag=tag, elements=(*elements, (last,))),
    TAGS,
    st.lists(ELEMENTS, max_size=4),
    st.text(PRINTABLE, min_size=1, max_size=5),
)


@settings(max_examples=300)
@given(st.lists(SEGMENTS, max_size=6))
def test_written_and_read_again(written: list[Segment]) -> None:
    assert read_segments(render(written).encode("iso-8859-1")) == tuple(written)


@settings(max_examples=300)
@given(st.text("UNABH?+:'. \n\r\tZ0é\x00\x80", max_size=60).map(lambda text: text.encode("iso-8859-1")) | st.binary())
def test_anything_else_is_a_fault(data: bytes) -> None:
    found = read_segments(data)
    saved = salvage(data)
    assert isinstance(found, Fault) == (isinstance(found, Fault) and found.id == "GW-123")
    if not isinstance(found, Fault):
        assert saved == found


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"UNA", "UNA"),
        (b"UNA:+.? ", "UNA"),
        (b"UNA::.? 'UNB:1'", "UNA"),
        (b"UNAB+.? 'UNB+1'", "UNA"),
        (b"UNB+1'UNZ+1", "(sidste segment er ikke afsluttet)"),
        (b"UNB+1?'", "(sidste segment er ikke afsluttet)"),
        (b"UNB+1'unz+1'", "(segment 2)"),
        (b"UNB+1'''", "(segment 2)"),
        (b"UNB'" * (grammar.MAX_SEGMENTS + 1), f"(højst {grammar.MAX_SEGMENTS} segmenter)"),
        (b"UNB" + b"+" * (grammar.MAX_PARTS + 1) + b"'", f"(højst {grammar.MAX_SEGMENTS} segmenter)"),
    ],
)
def test_broken_grammar(data: bytes, detail: str) -> None:
    assert read_segments(data) == Fault(id="GW-123", detail=detail)


@pytest.mark.parametrize(
    "data",
    [
        b"UNB+a:b'FTX+?+?:?'??'",
        b"UNA:+.? 'UNB+a:b'FTX+?+?:?'??'",
        b"\r\n UNA:+.? '\r\nUNB+a:b'\r\n\r\nFTX+?+?:?'??'\r\n",
        b"UNA;*.! ~UNB*a;b~FTX*+:'?~",
        b"UNA;*.  ~UNB*a;b~FTX*+:'?~",
    ],
    ids=["no UNA", "UNA", "line ends", "other separators", "no release"],
)
def test_separators(data: bytes) -> None:
    assert read_segments(data) == (segment("UNB", ("a", "b")), segment("FTX", "+:'?"))


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"\xe6\xf8\xe5", "æøå"), (b"5 \x80 \x96 \xe6", "5 € – æ"), (b"\x81\x80", "\x81\x80"), (b"?\x80", "€")],
    ids=["iso-8859-1", "windows-1252", "neither", "a released sign of windows-1252"],
)
def test_characters(data: bytes, text: str) -> None:
    assert read_segments(b"FTX+" + data + b"'") == (segment("FTX", text),)


def test_what_cannot_be_written_is_replaced() -> None:
    assert render([segment("FTX", "a\tb\nc\x07\x85 – € ł")]) == "FTX+a b c - EUR l'\n"


def test_places_beyond_the_end_are_empty() -> None:
    one = segment("NAD", ("PO", "x"))
    assert (one.part(1), one.part(1, 2), one.part(1, 3), one.part(2), one.element(2)) == ("PO", "x", "", "", ())


def test_what_is_saved_of_a_broken_message() -> None:
    assert salvage(b"UNB+1'unh+2'UNH+3'UNT+57900") == (segment("UNB", "1"), segment("UNH", "3"))
    assert salvage(b"UNA") == ()


def test_a_long_message_is_read_in_a_moment() -> None:
    released = b"FTX+" + b"?+" * 2_000_000 + b"'"
    (one,) = read_segments(released)
    assert one.part(1) == "+" * 2_000_000


@pytest.mark.parametrize("nul", [b"\0", b"?\0"])
def test_a_nul_is_refused_and_no_id_is_read_beside_it(nul: bytes) -> None:
    data = b"UNA:+.? 'UNB+UNOC:3+5790009992011:14+5790009999997:14+261116:0915+KUV%s'UNZ+0+KUV'" % nul
    fault = read_segments(data)
    assert isinstance(fault, Fault)
    assert (fault.id, fault.detail) == ("GW-123", "(tegnet NUL)")
    assert [segment.tag for segment in salvage(data)] == ["UNZ"]
