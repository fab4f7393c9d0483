"""The spool folder's inbound side: what is left alone, how names are made, and what a crash or a full disk leaves."""

import json
import os
from pathlib import Path

import pytest

from gateway.errors import Fault, SpoolError
from gateway.inbound import folder as folder_module
from gateway.inbound.folder import FolderSource
from gateway.inbound.source import Delivery, Done
from gateway.receive import Entrance
from gateway.referral.inbox import Parked
from tests.inbound.harness import FolderInbound, done, take

LIMIT = 20_000


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def parked(delivery: Delivery, *faults: str) -> Done:
    items = tuple(
        Parked(id=f"id-{fault}", fault=Fault(id=fault, detail="(linje 3)"), digest="d", letter_id="L", case_id="C")
        for fault in faults
    )
    return Done(delivery=delivery, parked=items)


def deliver(folder: FolderInbound, name: str, data: bytes = b"<x/>") -> None:
    (folder.folder / "in" / name).write_bytes(data)


def test_only_finished_messages_are_taken(folder: FolderInbound) -> None:
    left_alone = ["a.xml.part", "a.tmp", "README", "b.xml.filepart", "c.XML~", ".d.xml.Xy12"]
    for name in [*left_alone, "1.xml", "2.json", "3.event.json", "4.edi"]:
        deliver(folder, name)
    (folder.folder / "in" / "folder.xml").mkdir()
    (folder.folder / "in" / "dangling.xml").symlink_to(folder.folder / "nowhere")

    taken = take(folder.source, 4)
    assert [d.handle.name for d in taken] == ["1.xml", "2.json", "3.event.json", "4.edi"]
    assert [d.entrance for d in taken] == [Entrance.MEDCOM, Entrance.MEDCOM, Entrance.TEAM, Entrance.MEDCOM]
    folder.source.done(done(*taken))
    assert folder.source.take(10, 0) == []
    assert names(folder.folder / "in") == sorted([*left_alone, "folder.xml", "dangling.xml"])


def test_a_handled_file_lies_under_its_date_in_denmark(folder: FolderInbound) -> None:
    folder.clock.now = folder.clock.now.replace(hour=23, minute=30)  # half past midnight in Copenhagen
    deliver(folder, "a.xml", b"1")
    folder.source.done(done(*take(folder.source, 1)))
    assert (folder.folder / "done" / "2026-11-24" / "a.xml").read_bytes() == b"1"


def test_a_name_that_is_taken_gets_a_number(folder: FolderInbound) -> None:
    for number in range(3):
        deliver(folder, "a.event.json", str(number).encode())
        folder.source.done(done(*take(folder.source, 1)))
    there = folder.folder / "done" / "2026-11-23"
    assert names(there) == ["a.event.json", "a~2.event.json", "a~3.event.json"]
    assert (there / "a~3.event.json").read_bytes() == b"2"


def test_two_files_of_one_name_at_a_time_stay_apart(folder: FolderInbound) -> None:
    deliver(folder, "a.xml", b"1")
    first = take(folder.source, 1)
    deliver(folder, "a.xml", b"2")
    second = take(folder.source, 1)
    assert [d.data for d in (*first, *second)] == [b"1", b"2"]
    folder.source.done(done(*first, *second))
    assert names(folder.folder / "done" / "2026-11-23") == ["a.xml", "a~2.xml"]


def test_a_parked_file_has_its_reasons_beside_it(folder: FolderInbound) -> None:
    deliver(folder, "a.xml", b"bad")
    (delivery,) = take(folder.source, 1)
    folder.source.done([parked(delivery, "GW-102", "GW-171")])

    assert (folder.folder / "parked" / "a.xml").read_bytes() == b"bad"
    why = json.loads((folder.folder / "parked" / "a.xml.why.json").read_bytes())
    assert [reason["fault"] for reason in why] == ["GW-102", "GW-171"]
    assert set(why[0]) == {"id", "fault", "text", "advice", "letter_id", "case_id"}
    assert why[0]["text"].endswith("(linje 3)")
    assert folder.left() == 0


def test_reasons_never_overwrite_a_parked_message(folder: FolderInbound) -> None:
    """A sender may name a file like our own companion files."""
    for name in ("a.xml.why.json", "a.xml"):
        deliver(folder, name, name.encode())
        folder.source.done([parked(*take(folder.source, 1), "GW-102")])
    there = folder.folder / "parked"
    assert (there / "a.xml.why.json").read_bytes() == b"a.xml.why.json"
    assert (there / "a~2.xml").read_bytes() == b"a.xml"
    assert (there / "a~2.xml.why.json").exists()


@pytest.mark.parametrize("ending", [".xml", ".event.json"])
def test_a_name_as_long_as_the_file_system_allows_can_be_retried_and_parked(folder: FolderInbound, ending: str) -> None:
    deliver(folder, "ø" * ((255 - len(ending)) // 2) + ending, b"x")
    (delivery,) = take(folder.source, 1)
    folder.source.retry(delivery, 1)
    folder.clock.forward(seconds=10)
    (delivery,) = take(folder.source, 1)
    assert delivery.entrance is (Entrance.TEAM if ending == ".event.json" else Entrance.MEDCOM)
    folder.source.done([parked(delivery, "GW-190")])
    assert len(names(folder.folder / "parked")) == 2
    assert folder.left() == 0


def test_the_start_sweeps_what_a_crash_left(folder: FolderInbound) -> None:
    deliver(folder, "a.xml", b"1")
    deliver(folder, "broken.xml", b"3")
    take(folder.source, 2)
    deliver(folder, "a.xml", b"2")
    work = folder.folder / "work"
    for name in (".b.xml.retry.part", "gone.xml.retry"):
        (work / name).write_bytes(b"{}")
    (work / "broken.xml.retry").write_bytes(b"not json")

    folder.restart()
    assert sorted((d.handle.name, d.data) for d in take(folder.source, 3)) == [
        ("a.xml", b"2"),
        ("a~2.xml", b"1"),
        ("broken.xml", b"3"),
    ]


def test_the_note_of_a_retry_goes_with_its_file(folder: FolderInbound) -> None:
    deliver(folder, "a.xml")
    folder.source.retry(*take(folder.source, 1), 1)
    assert names(folder.folder / "work") == ["a.xml", "a.xml.retry"]
    folder.clock.forward(seconds=10)
    folder.source.done(done(*take(folder.source, 1)))
    assert names(folder.folder / "work") == []


def test_due_retries_and_new_files_beyond_the_limit_are_kept_for_the_next_take(folder: FolderInbound) -> None:
    for number in range(5):
        deliver(folder, f"old-{number}.xml")
    for delivery in take(folder.source, 5):
        folder.source.retry(delivery, 1)
    for number in range(5):
        deliver(folder, f"new-{number}.xml")
    folder.clock.forward(seconds=10)
    batches = [folder.source.take(4, 0) for _ in range(4)]
    assert [len(batch) for batch in batches] == [4, 4, 2, 0]
    assert len({d.handle for batch in batches for d in batch}) == 10


def test_a_clock_that_is_set_back_makes_no_retry_wait_for_days(folder: FolderInbound) -> None:
    folder.put(b"a")
    (delivery,) = take(folder.source, 1)
    folder.source.retry(delivery, 1)
    folder.clock.forward(days=-3)
    assert [d.data for d in take(folder.source, 1)] == [b"a"]


def test_a_file_that_cannot_be_read_waits_and_holds_up_nobody(
    folder: FolderInbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.xml", "b.xml", "c.xml"):
        deliver(folder, name)
    original = FolderSource._delivery

    def fail(self: FolderSource, path: Path, attempt: int) -> Delivery:
        if path.name == "b.xml":
            raise PermissionError
        return original(self, path, attempt)

    with monkeypatch.context() as patched:
        patched.setattr(FolderSource, "_delivery", fail)
        assert [d.handle.name for d in folder.source.take(10, 0)] == ["a.xml", "c.xml"]
        assert folder.source.take(10, 0) == []
    folder.clock.forward(minutes=1)
    assert [(d.handle.name, d.attempt) for d in take(folder.source, 1)] == [("b.xml", 0)]


def test_a_file_that_someone_takes_away_is_forgotten(folder: FolderInbound, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.xml", "b.xml"):
        deliver(folder, name)
    (first, second) = take(folder.source, 2)
    folder.source.retry(first, 1)
    first.handle.unlink()
    folder.clock.forward(seconds=10)
    assert folder.source.take(10, 0) == []
    second.handle.unlink()
    folder.source.done(done(second))

    sorted_names = sorted
    monkeypatch.setattr(folder_module, "sorted", lambda paths: [*sorted_names(paths), Path("x.xml")], raising=False)
    monkeypatch.setattr(Path, "is_file", lambda _path: True)
    assert folder.source.take(10, 0) == [], "taken away between our look and our claim"


def test_a_move_that_failed_half_way_is_finished_at_the_next_try(
    folder: FolderInbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.xml", "b.xml", "c.xml"):
        deliver(folder, name)
    deliveries = take(folder.source, 3)
    rename, moved = Path.rename, []

    def fail_second(self: Path, target: Path) -> Path:
        moved.append(self)
        if len(moved) == 2:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", fail_second)
        with pytest.raises(SpoolError, match="OSError"):
            folder.source.done(done(*deliveries))
    folder.source.done(done(*deliveries))
    assert names(folder.folder / "done" / "2026-11-23") == ["a.xml", "b.xml", "c.xml"]


def test_a_parking_that_failed_half_way_is_finished_at_the_next_try(
    folder: FolderInbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(folder, "a.xml", b"bad")
    (delivery,) = take(folder.source, 1)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.name == "a.xml":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", fail)
        with pytest.raises(SpoolError):
            folder.source.done([parked(delivery, "GW-102")])
    folder.source.done([parked(delivery, "GW-102")])
    there = folder.folder / "parked"
    assert sum(name.endswith(".xml") for name in names(there)) == 1
    assert all((there / f"{name}.why.json").exists() for name in names(there) if name.endswith(".xml"))
    assert folder.left() == 0


def test_folders_that_are_missing_are_made_again(folder: FolderInbound) -> None:
    (folder.folder / "done").rmdir()
    deliver(folder, "a.xml")
    folder.source.done(done(*take(folder.source, 1)))
    assert names(folder.folder / "done" / "2026-11-23") == ["a.xml"]


def test_a_spool_that_is_gone_is_a_neighbour_that_is_down(folder: FolderInbound) -> None:
    away = folder.folder.with_name("away")
    folder.folder.rename(away)
    with pytest.raises(SpoolError) as raised:
        folder.source.take(10, 0)
    assert raised.value.id == "GW-203"
    away.rename(folder.folder)
    assert folder.source.take(10, 0) == []


def test_a_spool_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SpoolError, match="NotADirectoryError"):
        FolderInbound(tmp_path / "file" / "spool")


def test_an_oversized_file_is_not_read_whole(folder: FolderInbound) -> None:
    path = folder.folder / "in" / "large.xml"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 10**12)
    (delivery,) = take(folder.source, 1)
    assert len(delivery.data) == LIMIT + 1
