"""Messages from RabbitMQ: manual acknowledgement, prefetch bounded in messages and, by pausing, in bytes."""

import itertools
import queue
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from gateway.broker.link import IoThread, Link
from gateway.broker.publisher import Fate, Publication, Publisher
from gateway.broker.topology import ATTEMPT_HEADER, Topology
from gateway.errors import BrokerError
from gateway.inbound.source import MAX_ATTEMPTS, Delivery, Done
from gateway.receive import Entrance

#: where the broker notes the queue that a dead letter came from
_FIRST_QUEUE_HEADER = "x-first-death-queue"


class _Handle(msgspec.Struct, frozen=True, kw_only=True):
    """Which delivery on which opening of the channel, and the properties a retry copy keeps."""

    tag: int
    opening: int
    origin: str
    message_id: str
    content_type: str


class AmqpSource(Link):
    """Consumes the inbound queues of a topology on one channel."""

    name = "consumer"

    def __init__(
        self, io: IoThread, url: str, topology: Topology, publisher: Publisher, limits: tuple[int, int]
    ) -> None:
        """``limits``: unacknowledged messages, and bytes held in memory, at most."""
        super().__init__(io, url)
        self._topology = topology
        self._publisher = publisher
        self._prefetch, self._byte_limit = limits
        self._ready: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._opening = 0
        self._held_bytes = 0
        self._paused = False
        #: consumer tag by queue; a cancelled tag is never used again on its channel
        self._tags: dict[str, str] = {}
        self._numbers = itertools.count(1)

    # ------------------------------------------------------------ on the consumer's thread
    def take(self, limit: int, wait_s: float) -> list[Delivery]:
        """What has arrived; of an earlier opening of the channel nothing is taken, it comes again."""
        taken: list[Delivery] = []
        deadline = time.monotonic() + wait_s
        while len(taken) < limit:
            try:
                wait = max(0.0, deadline - time.monotonic()) if not taken else 0.0
                delivery = self._ready.get(timeout=wait) if wait else self._ready.get_nowait()
            except queue.Empty:
                break
            if delivery.handle.opening == self._opening:
                taken.append(delivery)
        return taken

    def done(self, settled: Sequence[Done]) -> None:
        """Acknowledge up to the last one: the consumer settles in the order it took."""
        if settled:
            self._acknowledge(settled[-1].delivery.handle, sum(len(s.delivery.data) for s in settled))

    def retry(self, delivery: Delivery, attempt: int) -> None:
        """Publish a confirmed copy to the retry queue, then acknowledge the original; a lost one comes again anyway."""
        handle = delivery.handle
        if handle.opening != self._opening:
            return
        copy = Publication(
            exchange="",
            key=self._topology.retry_queue(handle.origin, attempt),
            body=delivery.data,
            message_id=handle.message_id,
            content_type=handle.content_type,
            headers={ATTEMPT_HEADER: attempt},
        )
        fate = self._publisher.send([copy])[0]
        if fate is not Fate.CONFIRMED:
            raise BrokerError(f"a retry copy was not confirmed ({fate})")
        self._acknowledge(handle, len(delivery.data))

    def close(self) -> None:
        """Stop consuming."""
        self.stop()

    def _acknowledge(self, handle: _Handle, size: int) -> None:
        def ack() -> None:
            if handle.opening == self._opening and self._channel is not None and self._channel.is_open:
                self._channel.basic_ack(handle.tag, multiple=True)
                self._held_bytes -= size
                self._resume()

        self._io.call(ack)

    # ------------------------------------------------------------ on the I/O thread
    def on_up(self, channel: Any) -> None:  # noqa: ANN401  (pika ships no types)
        """Set the prefetch and consume the three inbound queues; a queue that goes away is a loss like any other."""
        self._opening += 1
        self._held_bytes, self._paused = 0, False
        channel.add_on_cancel_callback(self._on_cancelled)
        channel.basic_qos(prefetch_count=self._prefetch, callback=lambda _frame: self._consume())

    def on_down(self) -> None:
        """What was not acknowledged comes again from the broker."""
        self._opening += 1

    def _on_cancelled(self, _frame: Any) -> None:  # noqa: ANN401  (pika carries no types)
        if self._channel is not None and self._channel.is_open:
            self._channel.close()

    def _consume(self) -> None:
        self._attach(self._topology.referrals_in)
        self._attach(self._topology.team_events_in)
        self._attach(self._topology.parked, lambda _frame: self.mark_up())

    def _attach(self, origin: str, confirmed: Callable[[Any], None] | None = None) -> None:
        tag = self._tags[origin] = f"{origin}#{next(self._numbers)}"
        self._channel.basic_consume(
            origin, on_message_callback=self._receiver(origin), consumer_tag=tag, callback=confirmed
        )

    def _receiver(self, origin: str) -> Any:  # noqa: ANN401  (pika carries no types)
        dead = origin == self._topology.parked

        def on_message(_channel: Any, method: Any, properties: Any, body: bytes) -> None:  # noqa: ANN401  (pika carries no types)
            handle = _Handle(
                tag=method.delivery_tag,
                opening=self._opening,
                origin=origin,
                message_id=properties.message_id or "",
                content_type=properties.content_type or "application/octet-stream",
            )
            headers = properties.headers or {}
            came_by = headers.get(_FIRST_QUEUE_HEADER) if dead else origin
            entrance = Entrance.TEAM if came_by == self._topology.team_events_in else Entrance.MEDCOM
            attempt = _attempt(headers)
            self._ready.put(Delivery(data=body, entrance=entrance, attempt=attempt, dead=dead, handle=handle))
            self._held_bytes += len(body)
            self._pause()

        return on_message

    def _pause(self) -> None:
        """Stop the flow when too many bytes wait in memory; pika hands messages under way back to the broker."""
        if not self._paused and self._held_bytes > self._byte_limit:
            self._paused = True
            for origin in (self._topology.referrals_in, self._topology.team_events_in):
                self._channel.basic_cancel(self._tags[origin])

    def _resume(self) -> None:
        if self._paused and self._held_bytes < self._byte_limit // 2:
            self._paused = False
            for origin in (self._topology.referrals_in, self._topology.team_events_in):
                self._attach(origin)


def _attempt(headers: dict[str, Any]) -> int:
    """Failures so far; anyone can write a header, so nonsense counts as none."""
    value = headers.get(ATTEMPT_HEADER, 0)
    return value if isinstance(value, int) and 0 <= value <= MAX_ATTEMPTS else 0
