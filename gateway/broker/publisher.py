"""Publishing with pipelined confirms: a batch goes out at once, and every message's fate is known before we go on."""

import threading
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import pika
import structlog
from pika.spec import Basic

from gateway.broker.link import IoThread, Link
from gateway.errors import BrokerError

log = structlog.get_logger()
_PERSISTENT = 2


class Fate(StrEnum):
    """What became of a published message."""

    #: the broker has it on disk
    CONFIRMED = "confirmed"
    #: no queue takes it (mandatory)
    UNROUTABLE = "unroutable"
    #: the broker would not take it (a full queue), or AMQP cannot carry it (a name too long)
    REFUSED = "refused"
    #: the connection went away before the confirm: it may be there or not
    UNKNOWN = "unknown"
    #: the connection is there and no confirm came in time: a queue without a majority of its nodes, say
    UNCONFIRMED = "unconfirmed"


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """One message to publish; persistent and mandatory, always."""

    exchange: str
    key: str
    body: bytes
    message_id: str
    content_type: str = "application/octet-stream"
    type: str = ""
    correlation_id: str | None = None
    headers: dict[str, Any] | None = None
    #: when it is handed to the broker; tells how long it has waited there
    at: datetime | None = None


class _Batch:
    """Publications under way and what is known of each."""

    def __init__(self, size: int) -> None:
        self.fates = [Fate.UNKNOWN] * size
        self._open = size
        self.done = threading.Event()

    def settle(self, index: int, fate: Fate) -> None:
        self.fates[index] = fate
        self._open -= 1
        if self._open == 0:
            self.done.set()


class Publisher(Link):
    """A link that publishes. ``send`` may be called from any thread."""

    name = "publisher"

    def __init__(self, io: IoThread, url: str, timeout_s: float = 30.0) -> None:
        super().__init__(io, url)
        self._timeout_s = timeout_s
        self._next_tag = 1
        self._pending: dict[int, tuple[_Batch, int, str]] = {}
        self._returned: set[str] = set()

    def send(self, publications: Sequence[Publication]) -> list[Fate]:
        """Publish all and wait for every confirm.

        Raises:
            BrokerError: there is no connection, or the broker takes nothing just now; nothing was published.
        """
        if not publications:
            return []
        if not self.up.wait(timeout=1.0):
            raise BrokerError("the broker does not answer")
        batch = _Batch(len(publications))
        self._io.call(lambda: self._publish(publications, batch))
        if batch.done.wait(self._timeout_s):
            return list(batch.fates)
        return [Fate.UNCONFIRMED if fate is Fate.UNKNOWN else fate for fate in batch.fates]

    # ------------------------------------------------------------ on the I/O thread
    def on_up(self, channel: Any) -> None:  # noqa: ANN401  (pika ships no types)
        """Switch confirms on; publish nothing while the broker is short of memory or disk."""
        self._next_tag = 1
        self._connection.add_on_connection_blocked_callback(self._on_blocked)
        self._connection.add_on_connection_unblocked_callback(self._on_unblocked)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=lambda _frame: self.mark_up())

    def on_down(self) -> None:
        """Nothing under way can be known any more."""
        pending, self._pending = self._pending, {}
        self._returned.clear()
        for batch, index, _ in pending.values():
            batch.settle(index, Fate.UNKNOWN)

    def _on_blocked(self, _connection: Any, _frame: Any) -> None:  # noqa: ANN401  (pika carries no types)
        self.up.clear()
        log.warning("broker.blocked", link=self.name)

    def _on_unblocked(self, _connection: Any, _frame: Any) -> None:  # noqa: ANN401  (pika carries no types)
        self.up.set()
        log.info("broker.unblocked", link=self.name)

    def _publish(self, publications: Sequence[Publication], batch: _Batch) -> None:
        for index, publication in enumerate(publications):
            if self._channel is None or not self._channel.is_open:
                batch.settle(index, Fate.UNKNOWN)
            elif self._written(publication):
                self._pending[self._next_tag] = (batch, index, publication.message_id)
                self._next_tag += 1
            else:
                batch.settle(index, Fate.REFUSED)

    def _written(self, publication: Publication) -> bool:
        """Write one; False when AMQP cannot carry it, which must not stop the others."""
        try:
            self._channel.basic_publish(
                publication.exchange, publication.key, publication.body, _properties(publication), mandatory=True
            )
        except Exception:
            log.exception("broker.unpublishable", type=publication.type, message=publication.message_id)
            return False
        return True

    def _on_return(self, _channel: Any, _method: Any, properties: Any, _body: bytes) -> None:  # noqa: ANN401  (pika carries no types)
        """The broker tells of an unroutable message just before it confirms it."""
        self._returned.add(properties.message_id)

    def _on_confirm(self, frame: Any) -> None:  # noqa: ANN401  (pika carries no types)
        method = frame.method
        fate = Fate.CONFIRMED if isinstance(method, Basic.Ack) else Fate.REFUSED
        last = method.delivery_tag
        tags = [tag for tag in self._pending if tag <= last] if method.multiple else [last]
        for tag in tags:
            batch, index, message_id = self._pending.pop(tag)
            returned = message_id in self._returned
            self._returned.discard(message_id)
            batch.settle(index, Fate.UNROUTABLE if returned else fate)


def _properties(publication: Publication) -> Any:  # noqa: ANN401  (pika carries no types)
    return pika.BasicProperties(
        delivery_mode=_PERSISTENT,
        content_type=publication.content_type,
        message_id=publication.message_id,
        correlation_id=publication.correlation_id,
        type=publication.type or None,
        headers=publication.headers,
        timestamp=int(publication.at.timestamp()) if publication.at else None,
        app_id="gateway",
    )
