"""A relay between a real outbox and a transport that does as it is told."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import select

from gateway.errors import BrokerError
from gateway.outbound.envelopes import Transmission
from gateway.outbound.relay import Relay
from gateway.outbound.sink import Result
from gateway.referral.letters import Outgoing
from gateway.store.engine import reading
from gateway.store.schema import outbox
from gateway.store.store import Store
from tests.inbound.harness import Clock
from tests.store.material import entry, outgoing

SENT, UNKNOWN, UNANSWERED, REFUSED = "sent", "unknown", "unanswered", "refused"


class FakeSink:
    """Takes everything, unless told otherwise by letter id; ``down`` takes nothing."""

    def __init__(self) -> None:
        self.taken: list[Transmission] = []
        self.fates: dict[str, str] = {}
        self.down = False

    def send(self, batch: Sequence[Transmission]) -> list[Result]:
        if self.down:
            raise BrokerError("the broker does not answer")
        return [self._result(transmission) for transmission in batch]

    def close(self) -> None:
        """Nothing is held."""

    def ids(self) -> list[str]:
        return [transmission.letter.letter_id for transmission in self.taken]

    def _result(self, transmission: Transmission) -> Result:
        fate = self.fates.get(transmission.letter.letter_id, SENT)
        if fate == SENT:
            self.taken.append(transmission)
        silent = fate == UNANSWERED
        unknown = fate == UNKNOWN or silent
        return Result(transmission=transmission, sent=fate == SENT, unknown=unknown, unanswered=silent, why=fate)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sink() -> FakeSink:
    return FakeSink()


@pytest.fixture
def relay(store: Store, sink: FakeSink, clock: Clock) -> Relay:
    return Relay(store.outbox, sink, clock, batch_size=10, poll_s=0.05)


@pytest.fixture
def running(relay: Relay) -> Iterator[Relay]:
    """The relay at work on its thread."""
    thread = threading.Thread(target=relay.run)
    thread.start()
    yield relay
    relay.stop()
    thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.fixture
def put(store: Store, clock: Clock, relay: Relay) -> Callable[..., list[Outgoing]]:
    """Save letters; offered ones are claimed and handed over, as the pipeline does."""

    def save(*ids: str, offered: bool = False, **changes: object) -> list[Outgoing]:
        letters = [outgoing(i, **changes) for i in ids]
        until = clock.now + store.outbox.claim_time if offered else None
        store.inbox.save([entry("-".join(ids), outgoing=tuple(letters))], clock.now, until)
        if until:
            relay.offer(letters, until)
        return letters

    return save


def state(store: Store, letter_id: str) -> Any:  # noqa: ANN401  (a row)
    with reading(store.engine) as connection:
        return connection.execute(select(outbox).where(outbox.c.letter_id == letter_id)).one()


Put = Callable[..., list[Outgoing]]
