"""The look at all certificates, on a thread of its own: no page waits for a server that does not answer.

What is read lies on this machine, so every process watches its own; the log tells a change once per process.
"""

import threading
from collections.abc import Callable
from datetime import datetime

import structlog

from gateway.certificates.configured import configured
from gateway.certificates.reading import read
from gateway.certificates.state import Reading, Standing, State, Watched, standing, worst_first
from gateway.settings import Settings

log = structlog.get_logger()


class CertificateWatch:
    """Reads the certificates every minute and tells what has changed. Thread-safe."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime], every_s: float = 60.0) -> None:
        self._watched = configured(settings)
        self._clock = clock
        self._every_s = every_s
        self._readings: tuple[tuple[Watched, Reading], ...] | None = None
        self._told: dict[str, State] = {}
        self._stop = threading.Event()

    def look(self) -> list[Standing]:
        """How what was read last stands now, the worst first."""
        readings = self._readings if self._readings is not None else self._read()
        now = self._clock()
        return worst_first([standing(watched, reading, now) for watched, reading in readings])

    def _read(self) -> tuple[tuple[Watched, Reading], ...]:
        self._readings = tuple((watched, read(watched)) for watched in self._watched)
        return self._readings

    def run(self) -> None:
        """Work until ``stop``. An error here is no reason to stop handling messages."""
        while not self._stop.is_set():
            try:
                self.step()
            except Exception:
                log.exception("certificates.failed")
            self._stop.wait(self._every_s)

    def stop(self) -> None:
        """End after the look under way."""
        self._stop.set()

    def step(self) -> list[Standing]:
        """Read everything anew, and tell what came to need someone, or no longer does."""
        self._read()
        found = self.look()
        for one in found:
            before = self._told.get(one.watched.name, State.FINE)
            if one.state not in {before, State.SILENT}:
                self._told[one.watched.name] = one.state
                _tell("certificate.needs_someone" if one.needs_someone else "certificate.fine", one)
        return found


def _tell(event: str, one: Standing) -> None:
    """One line: which, how it stands, when it ends."""
    ends = one.certificate.ends.isoformat() if one.certificate else None
    log.warning(event, certificate=one.watched.name, state=one.state.value, days=one.days, ends=ends)
