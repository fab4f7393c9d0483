"""FTX ⇄ text: lines, lines that go on, empty lines; no word is lost and none is cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mapping.edifact.segments import segment
from gateway.mapping.edifact.texts import (
    CUT_SHORT,
    LENGTH,
    cut_lines,
    read_text,
    texts_by_qualifier,
    write_lines,
    write_text,
)

PRINTABLE = "".join(chr(n) for n in (*range(0x20, 0x7F), *range(0xA0, 0x100)))


def ftx(*components: str, form: str = "P00", qualifier: str = "NC") -> object:
    return segment("FTX", qualifier, form, "", components)


@pytest.mark.parametrize(
    ("segments", "text"),
    [
        ([ftx("en", "to")], "en\nto\n"),
        ([ftx("en \\", "to")], "en to\n"),
        ([ftx("en", ".", "to")], "en\n\nto\n"),
        ([ftx("en \\"), ftx("to")], "en to\n"),
        ([ftx("en", form="F00"), ftx("to", form="PF0")], "en\nto\n"),
        ([ftx("en \\"), ftx("midt\\", form="P0M"), ftx("to")], "en \nmidt\nto\n"),
        ([ftx("højre", form="F0H")], "højre\n"),
        ([ftx("en", "", "to")], "en\n\nto\n"),
        ([], ""),
    ],
)
def test_reading(segments: list, text: str) -> None:
    assert read_text(segments) == text


def test_neighbours_of_one_qualifier_are_one_text() -> None:
    found = [ftx("a\\", qualifier="US"), ftx("b", qualifier="US"), ftx("c", qualifier="EL"), ftx("d", qualifier="US")]
    assert texts_by_qualifier([*found, segment("PTY", "PRI")]) == [("US", "ab\n"), ("EL", "c\n"), ("US", "d\n")]


LINES = st.lists(st.text(PRINTABLE, max_size=200), min_size=1, max_size=8).map("\n".join)


@settings(max_examples=300)
@given(LINES)
def test_written_and_read_again(text: str) -> None:
    lines = write_lines(text)
    assert all(0 < len(line) <= LENGTH for line in lines)
    again = read_text(write_text("NC", lines)).split("\n")
    told = [line + " " if line == "." or line.endswith("\\") else line for line in text.rstrip("\n").split("\n")]
    assert again[:-1] == told or [a.rstrip() for a in again[:-1]] == [t.rstrip() for t in told]


def test_words_are_whole() -> None:
    lines = write_lines("ord " * 60)
    assert all(line.removesuffix("\\").endswith("ord ") for line in lines)
    assert write_lines("x" * 100) == ["x" * 69 + "\\", "x" * 31]


def test_line_ends_and_signs() -> None:
    assert write_lines("a\r\nb\rc\x07\td – €\n\n") == ["a", "b", "c  d - EUR"]


def test_a_text_that_is_cut_says_so() -> None:
    lines = [f"linje {n}" for n in range(10)]
    assert cut_lines(lines, 10) == lines
    assert cut_lines(lines, 3) == ["linje 0", "linje 1", CUT_SHORT]
    assert cut_lines(["en \\", "to", "tre"], 2) == ["en ", CUT_SHORT]
    assert len(CUT_SHORT) <= LENGTH
