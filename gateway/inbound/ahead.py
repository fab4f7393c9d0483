"""Messages are read while the batch before them waits for the database.

Reading and weighing a message needs nothing but its bytes, so a thread of its own does it as messages come in; whoever
takes them finds them in the order in which they came, as from the source itself.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from gateway.inbound.source import Delivery, Done, Source

log = structlog.get_logger()
_LOOK_S = 0.5


class ReadAhead:
    """A source whose deliveries come with their reading. ``take`` of the source within must allow another thread."""

    def __init__(self, source: Source, read: Callable[[Delivery], Delivery], at_once: int = 20) -> None:
        self._source = source
        self._read = read
        self._at_once = at_once
        self._ready: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._stop = threading.Event()

    def run(self) -> None:
        """Read what comes until ``stop``; what was read and not acknowledged then comes again."""
        while not self._stop.is_set():
            for delivery in self._source.take(self._at_once, _LOOK_S):
                self._ready.put(self._one(delivery))

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    def take(self, limit: int, wait_s: float) -> list[Delivery]:
        """Up to ``limit`` messages; what is read now, or the first that is within ``wait_s``."""
        taken: list[Delivery] = []
        with suppress(queue.Empty):
            taken.append(self._ready.get(timeout=wait_s))
            while len(taken) < limit:
                taken.append(self._ready.get_nowait())
        return taken

    def done(self, settled: Sequence[Done]) -> None:
        """Acknowledge."""
        self._source.done(settled)

    def retry(self, delivery: Delivery, attempt: int) -> None:
        """Hand back for a delayed attempt."""
        self._source.retry(delivery, attempt)

    def close(self) -> None:
        """Stop taking."""
        self.stop()
        self._source.close()

    def _one(self, delivery: Delivery) -> Delivery:
        """What cannot be read for a bug of ours is handed on unread: it fails again where failures are counted."""
        try:
            return self._read(delivery)
        except Exception as error:  # noqa: BLE001  (told, and raised again by the consumer)
            log.info("message.not_read_ahead", reason=type(error).__name__)
            return delivery
