"""Messages from a spool folder: VANS clients deliver files by rename, and the embedded default needs no broker.

``in/`` → claimed by rename into ``work/`` → ``done/<date>/`` or ``parked/``. No name is ever built from what a sender
wrote, the claimed file's own base name apart. A file in ``work/`` at the start was not finished and goes back.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from gateway.errors import FAULTS
from gateway.inbound.source import Delivery, Done
from gateway.receive import Entrance
from gateway.referral.workdays import local_date
from gateway.spool import free_name, spool_errors, write_whole

_SUFFIXES = (".xml", ".json", ".edi")
_EVENT_SUFFIX = ".event.json"
_RETRY_SUFFIX = ".retry"
RETRY_AFTER = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=10))
_POLL_S = 0.1


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A file that waits in ``work/`` for its next attempt; kept beside it as ``<name>.retry``."""

    attempt: int
    due: datetime


class FolderSource:
    """The inbound side of one spool folder."""

    def __init__(self, folder: Path, clock: Callable[[], datetime], limit: int) -> None:
        self._folder = folder
        self._clock = clock
        self._limit = limit
        self._retries: dict[Path, Waiting] = {}
        with spool_errors():
            for name in ("in", "work", "done", "parked"):
                (folder / name).mkdir(parents=True, exist_ok=True)
            self._sweep()

    def take(self, limit: int, wait_s: float) -> list[Delivery]:
        """Files whose retry is due, then new ones in the order of their names."""
        deadline = time.monotonic() + wait_s
        while True:
            with spool_errors():
                taken = [*self._due(limit), *self._new(limit)][:limit]
            if taken or time.monotonic() >= deadline:
                return taken
            time.sleep(_POLL_S)

    def done(self, settled: Sequence[Done]) -> None:
        """Move each file to ``done/<date>/`` or, with its reasons beside it, to ``parked/``."""
        with spool_errors():
            for one in settled:
                path: Path = one.delivery.handle
                self._retries.pop(path, None)
                if one.parked:
                    self._park(path, one)
                else:
                    target = self._folder / "done" / local_date(self._clock()).isoformat()
                    target.mkdir(exist_ok=True)
                    path.rename(free_name(target / path.name))
                path.with_name(path.name + _RETRY_SUFFIX).unlink(missing_ok=True)

    def retry(self, delivery: Delivery, attempt: int) -> None:
        """Leave the file in ``work/`` until its next attempt is due."""
        path: Path = delivery.handle
        waiting = Waiting(attempt=attempt, due=self._clock() + RETRY_AFTER[attempt - 1])
        with spool_errors():
            write_whole(path.with_name(path.name + _RETRY_SUFFIX), msgspec.json.encode(waiting))
        self._retries[path] = waiting

    def close(self) -> None:
        """Nothing is held open; what lies in ``work/`` is swept at the next start."""

    def _sweep(self) -> None:
        for path in sorted((self._folder / "work").iterdir()):
            if path.name.endswith(_RETRY_SUFFIX):
                continue
            note = path.with_name(path.name + _RETRY_SUFFIX)
            if note.exists():
                self._retries[path] = msgspec.json.decode(note.read_bytes(), type=Waiting)
            else:
                path.rename(free_name(self._folder / "in" / path.name))

    def _due(self, limit: int) -> list[Delivery]:
        now = self._clock()
        due = [path for path, waiting in self._retries.items() if waiting.due <= now][:limit]
        return [self._delivery(path, self._retries.pop(path).attempt) for path in due]

    def _new(self, limit: int) -> list[Delivery]:
        found = sorted(p for p in (self._folder / "in").iterdir() if p.name.endswith(_SUFFIXES))
        taken = []
        for path in found[:limit]:
            claimed = free_name(self._folder / "work" / path.name)
            try:
                path.rename(claimed)
            except FileNotFoundError:  # taken away between our look and our claim: not ours
                continue
            taken.append(self._delivery(claimed, 0))
        return taken

    def _delivery(self, path: Path, attempt: int) -> Delivery:
        """Read one byte more than allowed, so that an oversized file is refused without being held whole."""
        with path.open("rb") as file:
            data = file.read(self._limit + 1)
        entrance = Entrance.TEAM if path.name.endswith(_EVENT_SUFFIX) else Entrance.MEDCOM
        return Delivery(data=data, entrance=entrance, attempt=attempt, handle=path)

    def _park(self, path: Path, one: Done) -> None:
        target = free_name(self._folder / "parked" / path.name)
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
        write_whole(target.with_name(target.name + ".why.json"), msgspec.json.format(msgspec.json.encode(why)) + b"\n")
        path.rename(target)
