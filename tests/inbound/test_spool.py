"""Names and whole files of the spool folder."""

import os
from pathlib import Path

import pytest

from gateway.errors import SpoolError
from gateway.spool import free_name, short_name, spool_errors, write_whole


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([], "a.event.json"),
        (["a.event.json"], "a~2.event.json"),
        (["a.event.json", "a~2.event.json"], "a~3.event.json"),
    ],
)
def test_a_free_name_keeps_its_endings(tmp_path: Path, taken: list[str], expected: str) -> None:
    for name in taken:
        (tmp_path / name).touch()
    assert free_name(tmp_path / "a.event.json") == tmp_path / expected


def test_a_name_is_free_when_its_companion_is(tmp_path: Path) -> None:
    (tmp_path / "a.xml.why.json").touch()
    assert free_name(tmp_path / "a.xml", ".why.json").name == "a~2.xml"
    assert free_name(tmp_path / "a.xml").name == "a.xml"


@pytest.mark.parametrize("name", ["a.xml", "b" * 196 + ".xml", "no-ending", ".xml"])
def test_names_that_leave_room_are_kept(name: str) -> None:
    assert short_name(name, ".xml") == name


def test_names_that_leave_no_room_lose_their_middle_never_half_a_letter() -> None:
    short = short_name("ø" * 120 + ".event.json", ".event.json")
    assert short == "ø" * 100 + ".event.json"
    assert len(os.fsencode(short)) <= 211


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.xml", b"1")
    write_whole(tmp_path / "a.xml", b"2")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.xml", b"2")]


def test_trouble_with_the_disk_is_told_without_the_path(tmp_path: Path) -> None:
    with pytest.raises(SpoolError) as raised, spool_errors():
        write_whole(tmp_path / "Hansen" / "a.xml", b"1")
    assert str(raised.value) == "the spool folder failed: FileNotFoundError"
