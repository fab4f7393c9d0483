"""Where simulated messages go: a broker's queue, a spool folder, a plain folder; and how fast."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

import pika
from pika.exceptions import AMQPError

from gateway.broker.link import parameters_of
from gateway.errors import BrokerError
from gateway.spool import free_name, spool_errors, write_whole

T = TypeVar("T")
_PERSISTENT = 2


class Target(Protocol):
    """Takes messages, one by one; each is safe when ``put`` returns."""

    def put(self, name: str, data: bytes, content_type: str) -> None:
        """One message."""

    def close(self) -> None:
        """No more messages."""


class Folder:
    """Files that appear whole, by rename; a name that is taken gets ``~2``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with spool_errors():
            folder.mkdir(parents=True, exist_ok=True)

    def put(self, name: str, data: bytes, content_type: str) -> None:
        """Write the file; the content type is what its ending says."""
        del content_type
        with spool_errors():
            write_whole(free_name(self._folder / name), data)

    def close(self) -> None:
        """Nothing is held open."""


class Queue:
    """Persistent, confirmed messages to one queue."""

    def __init__(self, url: str, queue: str) -> None:
        """Raises ``BrokerError`` when the broker does not answer."""
        self._queue = queue
        try:
            self._connection = pika.BlockingConnection(parameters_of(url))
            self._channel = self._connection.channel()
            self._channel.confirm_delivery()
        except (AMQPError, OSError) as error:
            raise BrokerError(f"the broker does not answer: {type(error).__name__}") from error

    def put(self, name: str, data: bytes, content_type: str) -> None:
        """Publish and wait for the confirm; a missing queue is a ``BrokerError``."""
        properties = pika.BasicProperties(delivery_mode=_PERSISTENT, content_type=content_type, message_id=name)
        try:
            self._channel.basic_publish("", self._queue, data, properties, mandatory=True)
        except AMQPError as error:
            raise BrokerError(f"the queue {self._queue} takes nothing: {type(error).__name__}") from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def paced(items: Iterable[T], per_second: float | None) -> Iterator[T]:
    """The items, each at its time; as fast as they are taken where no rate is asked for."""
    started = time.monotonic()
    for number, item in enumerate(items):
        if per_second:
            time.sleep(max(0.0, started + number / per_second - time.monotonic()))
        yield item
