"""Messages from a spool folder: VANS clients deliver files by rename, and the embedded default needs no broker.

``in/`` → claimed by rename into ``work/`` → ``done/<date>/`` or ``parked/``. No name is ever built from what a sender
wrote, the claimed file's own base name apart. A file in ``work/`` at the start was not finished and goes back.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import msgspec
import structlog

from gateway.errors import FAULTS
from gateway.inbound.source import Delivery, Done
from gateway.receive import Entrance
from gateway.referral.workdays import local_date
from gateway.spool import free_name, short_name, spool_errors, write_whole

log = structlog.get_logger()
_SUFFIXES = (".xml", ".json", ".edi")
_EVENT_SUFFIX = ".event.json"
_RETRY_SUFFIX, _DRAFT_SUFFIX, _WHY_SUFFIX = ".retry", ".part", ".why.json"
RETRY_AFTER = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=10))
_POLL_S = 0.1


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed file in ``work/`` that is to be handed over; after a failure kept beside it as ``<name>.retry``."""

    attempt: int
    due: datetime


class FolderSource:
    """The inbound side of one spool folder."""

    def __init__(self, folder: Path, clock: Callable[[], datetime], limit: int) -> None:
        self._folder = folder
        self._clock = clock
        self._limit = limit
        self._waiting: dict[Path, Waiting] = {}
        with spool_errors():
            for name in ("in", "work", "done", "parked"):
                (folder / name).mkdir(parents=True, exist_ok=True)
            self._sweep()

    def take(self, limit: int, wait_s: float) -> list[Delivery]:
        """Files whose retry is due, then new ones in the order of their names."""
        deadline = time.monotonic() + wait_s
        while True:
            with spool_errors():
                taken = self._due(limit)
                self._claim(limit - len(taken))
                taken += self._due(limit - len(taken))
            if taken or time.monotonic() >= deadline:
                return taken
            time.sleep(_POLL_S)

    def done(self, settled: Sequence[Done]) -> None:
        """Move each file to ``done/<date>/`` or, with its reasons beside it, to ``parked/``."""
        with spool_errors():
            for one in settled:
                self._settle(one)

    def retry(self, delivery: Delivery, attempt: int) -> None:
        """Leave the file in ``work/`` until its next attempt is due."""
        path: Path = delivery.handle
        waiting = Waiting(attempt=attempt, due=self._clock() + RETRY_AFTER[attempt - 1])
        with spool_errors():
            write_whole(_note_of(path), msgspec.json.encode(waiting))
        self._waiting[path] = waiting

    def close(self) -> None:
        """Nothing is held open; what lies in ``work/`` is swept at the next start."""

    def _sweep(self) -> None:
        """What an earlier process left in ``work/``: files with a note wait on, others go back to ``in/``."""
        left = set((self._folder / "work").iterdir())
        for path in sorted(left):
            if path.name.endswith(_DRAFT_SUFFIX) or (_is_note(path) and path.with_suffix("") not in left):
                path.unlink()
            elif not _is_note(path):
                self._take_up(path)

    def _take_up(self, path: Path) -> None:
        try:
            self._waiting[path] = msgspec.json.decode(_note_of(path).read_bytes(), type=Waiting)
        except (FileNotFoundError, msgspec.DecodeError):
            _note_of(path).unlink(missing_ok=True)
            path.rename(free_name(self._folder / "in" / path.name))

    def _claim(self, limit: int) -> None:
        """New files, made ours by rename; from then on they wait to be handed over."""
        now = self._clock()
        found = (p for p in sorted((self._folder / "in").iterdir()) if p.name.endswith(_SUFFIXES) and p.is_file())
        for path in islice(found, limit):
            ending = _EVENT_SUFFIX if path.name.endswith(_EVENT_SUFFIX) else path.suffix
            claimed = free_name(self._folder / "work" / short_name(path.name, ending), _RETRY_SUFFIX)
            try:
                path.rename(claimed)
            except FileNotFoundError:  # taken away between our look and our claim: not ours
                continue
            self._waiting[claimed] = Waiting(attempt=0, due=now)

    def _due(self, limit: int) -> list[Delivery]:
        """What is due; also what lies further ahead than any wait, because the clock has been set back since."""
        now = self._clock()
        longest = now + RETRY_AFTER[-1]
        due = [path for path, waiting in self._waiting.items() if waiting.due <= now or waiting.due > longest]
        return [d for d in map(self._hand_over, due[:limit]) if d is not None]

    def _hand_over(self, path: Path) -> Delivery | None:
        """A due file; one that cannot be read waits a while and must not hold up the others."""
        waiting = self._waiting.pop(path)
        try:
            return self._delivery(path, waiting.attempt)
        except FileNotFoundError:
            log.warning("spool.file_gone")
        except OSError as error:
            log.warning("spool.file_unreadable", reason=type(error).__name__)
            self._waiting[path] = Waiting(attempt=waiting.attempt, due=self._clock() + RETRY_AFTER[1])
        return None

    def _delivery(self, path: Path, attempt: int) -> Delivery:
        """Read one byte more than allowed, so that an oversized file is refused without being held whole."""
        with path.open("rb") as file:
            data = file.read(self._limit + 1)
        entrance = Entrance.TEAM if path.name.endswith(_EVENT_SUFFIX) else Entrance.MEDCOM
        return Delivery(data=data, entrance=entrance, attempt=attempt, handle=path)

    def _settle(self, one: Done) -> None:
        """Move one file; it is gone already where an error cut an earlier try short."""
        path: Path = one.delivery.handle
        if path.exists() and one.parked:
            self._park(path, one)
        elif path.exists():
            target = self._folder / "done" / local_date(self._clock()).isoformat()
            target.mkdir(parents=True, exist_ok=True)
            path.rename(free_name(target / path.name))
        _note_of(path).unlink(missing_ok=True)

    def _park(self, path: Path, one: Done) -> None:
        target = free_name(self._folder / "parked" / path.name, _WHY_SUFFIX)
        why = [
            {
                "id": item.id,
                "fault": item.fault.id,
                "text": item.fault.text,
                "advice": FAULTS[item.fault.id].advice,
                "letter_id": item.letter_id,
                "case_id": item.case_id,
            }
            for item in one.parked
        ]
        write_whole(target.with_name(target.name + _WHY_SUFFIX), msgspec.json.format(msgspec.json.encode(why)) + b"\n")
        path.rename(target)


def _note_of(path: Path) -> Path:
    return path.with_name(path.name + _RETRY_SUFFIX)


def _is_note(path: Path) -> bool:
    return path.suffix == _RETRY_SUFFIX
