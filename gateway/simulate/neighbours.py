"""The other side of a spool folder: teams that work what they are handed, receivers that receipt what they are sent."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from gateway.municipality.model import Municipality
from gateway.simulate.receivers import receipt_for
from gateway.simulate.teams import Teams
from gateway.spool import free_name, spool_errors, write_whole

_POLL_S = 0.2
#: every event of every course is told at once, whenever it is to happen
_END_OF_TIME = datetime(9000, 1, 1, tzinfo=UTC)


class Neighbours:
    """All of them, around one spool folder; nothing is taken away from it."""

    def __init__(self, folder: Path, municipality: Municipality, seed: str, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._municipality = municipality
        self._clock = clock
        self._teams = Teams(municipality, seed)
        self._seen: set[Path] = set()

    def work(self, quiet_s: float) -> Iterator[int]:
        """Answer what comes out until nothing has moved for so many seconds; how many answers, each time."""
        last, lay = time.monotonic(), self._lying()
        while time.monotonic() - last < quiet_s:
            answers, lies = self.step(), self._lying()
            if answers or lies != lay:
                last, lay = time.monotonic(), lies
            yield answers
            time.sleep(_POLL_S)

    def step(self) -> int:
        """Look once at what has come out; how many answers were put into ``in/``."""
        with spool_errors():
            return sum(1 for _ in self._answers())

    def _answers(self) -> Iterator[Path]:
        for path in self._new("teams/*/*.json"):
            self._teams.take(path.read_bytes())
        for event in self._teams.due(_END_OF_TIME):
            yield self._put(event.name, event.data)
        for path in self._new("medcom/*"):
            for answer in receipt_for(path.read_bytes(), self._municipality, self._clock()):
                yield self._put(answer.name, answer.data)

    def _new(self, pattern: str) -> list[Path]:
        found = [p for p in sorted((self._folder / "out").glob(pattern)) if p not in self._seen and p.suffix != ".part"]
        self._seen.update(found)
        return found

    def _put(self, name: str, data: bytes) -> Path:
        path = free_name(self._folder / "in" / name)
        write_whole(path, data)
        return path

    def _lying(self) -> int:
        """How many files nobody has handled yet."""
        return sum(1 for place in ("in", "work") for _ in (self._folder / place).glob("*"))
