"""Both transports' inbound sides behind one face, so that one suite can ask the same of each."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from gateway.broker.link import IoThread
from gateway.broker.publisher import Publisher
from gateway.broker.topology import ATTEMPT_HEADER
from gateway.inbound.amqp import AmqpSource
from gateway.inbound.folder import FolderSource
from gateway.inbound.source import Delivery, Done, Source
from gateway.receive import Entrance
from gateway.spool import write_whole
from tests.neighbours import Broker, wait_for

LIMIT = 20_000


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class Inbound(Protocol):
    """What a test does to a transport from outside."""

    source: Source

    def put(self, data: bytes, entrance: Entrance = Entrance.MEDCOM) -> None:
        """A sender delivers a message."""

    def restart(self) -> None:
        """The process dies without a word; another one starts."""

    def let_retry_come(self, attempt: int, wait: timedelta) -> None:
        """The time of a delayed attempt comes."""

    def left(self) -> int:
        """How many messages wait or are held, as one sees from outside."""


class FolderInbound:
    """A spool folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.number = 0
        self.source: Source = FolderSource(folder, self.clock, LIMIT)

    def put(self, data: bytes, entrance: Entrance = Entrance.MEDCOM) -> None:
        self.number += 1
        ending = "event.json" if entrance is Entrance.TEAM else "xml"
        write_whole(self.folder / "in" / f"{self.number:04}.{ending}", data)

    def restart(self) -> None:
        self.source = FolderSource(self.folder, self.clock, LIMIT)

    def let_retry_come(self, attempt: int, wait: timedelta) -> None:
        self.clock.now += wait - timedelta(seconds=1)
        assert self.source.take(10, 0) == []
        self.clock.forward(seconds=1)

    def left(self) -> int:
        return sum(1 for name in ("in", "work") for _ in (self.folder / name).iterdir())


class AmqpInbound:
    """RabbitMQ; a process that dies is a connection that goes."""

    def __init__(self, broker: Broker, limits: tuple[int, int] = (200, 1_000_000), url: str = "") -> None:
        self.broker = broker
        self._limits = limits
        self._url = url or broker.url
        self.io = IoThread()
        self.io.start()
        self.publisher = Publisher(self.io, self._url)
        self.publisher.start()
        self.source: Any = self._open()

    def _open(self) -> AmqpSource:
        source = AmqpSource(self.io, self._url, self.broker.topology, self.publisher, self._limits)
        source.start()
        wait_for(lambda: source.up.is_set() and self.publisher.up.is_set(), "the links")
        return source

    def put(self, data: bytes, entrance: Entrance = Entrance.MEDCOM) -> None:
        topology = self.broker.topology
        self.broker.publish(topology.team_events_in if entrance is Entrance.TEAM else topology.referrals_in, data)

    def restart(self) -> None:
        self.source.stop()
        self.source = self._open()

    def let_retry_come(self, attempt: int, wait: timedelta) -> None:
        """Do at once what the queue's time to live does (the 10 s one is waited for in tests/broker)."""
        topology = self.broker.topology
        for origin in (topology.referrals_in, topology.team_events_in):
            queue = topology.retry_queue(origin, attempt)
            (arguments,) = [q.arguments for q in topology.queues() if q.name == queue]
            assert arguments["x-message-ttl"] == wait.total_seconds() * 1000
            for properties, body in self.broker.drain(queue):
                assert properties.headers[ATTEMPT_HEADER] == attempt
                self.broker.channel.basic_publish("", origin, body, properties)

    def left(self) -> int:
        """Only what nobody holds can be seen: close first."""
        self.source.stop()
        return sum(self.broker.depth(queue.name) for queue in self.broker.topology.queues())

    def close(self) -> None:
        self.source.stop()
        self.publisher.stop()
        self.io.stop()


def done(*deliveries: Delivery) -> list[Done]:
    return [Done(delivery=delivery) for delivery in deliveries]


def take(source: Source, count: int, at_a_time: int = 100) -> list[Delivery]:
    """That many deliveries, however many takes they need."""
    found: list[Delivery] = []

    def enough() -> bool:
        found.extend(source.take(min(at_a_time, count - len(found)), 0.2))
        return len(found) >= count

    wait_for(enough, f"{count} deliveries")
    return found


Opener = Callable[[], Inbound]
