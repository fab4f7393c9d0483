"""Messages read ahead: the same outcomes, in the same order, and no failure that nobody sees."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from gateway.inbound.ahead import ReadAhead
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery, Done
from gateway.municipality.model import load
from gateway.receive import Entrance, read
from gateway.referral.inbox import Outcome
from gateway.referral.model import Referral
from gateway.simulate.stories import recorded
from gateway.store.store import Store, open_store
from tests.inbound.harness import Clock

MESSAGES = list(recorded().values())


class Given:
    """A source of what it was given."""

    def __init__(self, *messages: bytes, error: Exception | None = None) -> None:
        self.waiting = [Delivery(data=data) for data in messages]
        self.error = error
        self.closed = threading.Event()

    def take(self, limit: int, wait_s: float) -> list[Delivery]:
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        if not taken and self.error:
            raise self.error
        if not taken:
            self.closed.wait(min(wait_s, 0.01))
        return taken

    def done(self, settled: Sequence[Done]) -> None:
        raise NotImplementedError

    def retry(self, delivery: Delivery, attempt: int) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.closed.set()


def started(given: Given, read: Callable[[Delivery], Delivery], at_once: int = 20) -> ReadAhead:
    source = ReadAhead(given, read, at_once)
    threading.Thread(target=source.run, daemon=True).start()
    return source


def taken(source: ReadAhead, count: int) -> list[Delivery]:
    found: list[Delivery] = []
    while len(found) < count:
        found += source.take(count - len(found), 5) or pytest.fail("nothing came within 5 s")
    return found


def outcomes(store: Store, deliveries: Sequence[Delivery]) -> list[Outcome]:
    return Pipeline(store, load(), Clock()).handle(deliveries)


def test_what_was_read_ahead_leads_to_the_same(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/one.sqlite3") as store:
        plainly = outcomes(store, [Delivery(data=data) for data in MESSAGES])
    with open_store(f"sqlite:///{tmp_path}/two.sqlite3") as store:
        ahead = started(Given(*MESSAGES), Pipeline(store, load(), Clock()).read_ahead)
        deliveries = taken(ahead, len(MESSAGES))
        ahead.close()
        letters = [letter for d in deliveries for letter in (d.reading.letters if d.reading else ())]
        assert [x.needs is not None for x in letters] == [isinstance(x.content, Referral) for x in letters]
        assert sum(x.needs is not None for x in letters) > 10
        assert outcomes(store, deliveries) == plainly


def test_they_come_in_their_order_and_no_more_than_asked_for() -> None:
    source = started(Given(*(str(number).encode() for number in range(50))), lambda d: d, at_once=7)
    found = [source.take(1, 5)[0], *taken(source, 49)]
    source.close()
    assert [d.data for d in found] == [str(number).encode() for number in range(50)]


def test_what_cannot_be_read_is_handed_on_unread() -> None:
    def fail_at_the_second(delivery: Delivery) -> Delivery:
        if delivery.data == b"2":
            raise RuntimeError(delivery.data)
        return msgspec.structs.replace(delivery, reading=read(delivery.data, Entrance.MEDCOM))

    with capture_logs() as lines:
        source = started(Given(b"1", b"2", b"3"), fail_at_the_second)
        found = taken(source, 3)
        source.close()
    assert [(d.data, d.reading is None) for d in found] == [(b"1", False), (b"2", True), (b"3", False)]
    assert next(line for line in lines if line["event"] == "message.not_read_ahead")["reason"] == "RuntimeError"


def test_a_source_that_fails_ends_the_reading_as_it_would_end_the_consumer() -> None:
    source = ReadAhead(Given(b"1", error=OSError("gone")), lambda d: d)
    with pytest.raises(OSError, match="gone"):
        source.run()
    assert [d.data for d in taken(source, 1)] == [b"1"], "what was read before is there"


def test_closing_ends_the_reading_and_the_source() -> None:
    given = Given()
    source = ReadAhead(given, lambda d: d)
    thread = threading.Thread(target=source.run)
    thread.start()
    assert source.take(1, 0.01) == []
    source.close()
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert given.closed.is_set()
