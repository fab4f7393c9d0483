"""Where a measurement happens: names of its own on the broker, a database of its own, both taken away again."""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec
import pika
import psycopg
from pika.exceptions import AMQPError
from sqlalchemy.engine import make_url

from gateway.bench.bridge import names
from gateway.broker.link import parameters_of
from gateway.broker.topology import Topology, declare, topology_of
from gateway.errors import BrokerError, StoreError
from gateway.municipality.model import load

_QUORUM = {"x-queue-type": "quorum"}
_WINDOW = 500


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Names on the broker and a database that nobody else uses."""

    amqp_url: str
    prefix: str
    topology: Topology
    database_url: str

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a gateway that works here."""
        return {
            "GATEWAY_AMQP_URL": self.amqp_url,
            "GATEWAY_AMQP_PREFIX": self.prefix,
            "GATEWAY_DATABASE_URL": self.database_url,
            "GATEWAY_HTTP": "",
            "GATEWAY_LOG_LEVEL": "ERROR",
        }


@contextmanager
def place(amqp_url: str, database_url: str) -> Iterator[Place]:
    """A fresh place.

    Raises:
        BrokerError, StoreError: a neighbour does not answer.
    """
    prefix = f"bench-{secrets.token_hex(4)}."
    topology = topology_of(load(), prefix)
    declare(amqp_url, topology)
    _declare_bridge(amqp_url, prefix)
    try:
        with database(database_url) as url:
            yield Place(amqp_url=amqp_url, prefix=prefix, topology=topology, database_url=url)
    finally:
        _take_away(amqp_url, topology, prefix)


def _declare_bridge(url: str, prefix: str) -> None:
    with pika.BlockingConnection(parameters_of(url)) as connection:
        for queue in names(prefix):
            connection.channel().queue_declare(queue, durable=True, arguments=_QUORUM)


@contextmanager
def database(url: str) -> Iterator[str]:
    """The URL of a fresh database beside this one.

    Raises:
        StoreError: the server does not answer.
    """
    name = f"gateway_bench_{secrets.token_hex(4)}"
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as owner:
            owner.execute(f"CREATE DATABASE {name}".encode())
            try:
                yield make_url(url).set(database=name).render_as_string(hide_password=False)
            finally:
                owner.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    except psycopg.OperationalError as error:
        raise StoreError(f"the database failed: {type(error).__name__}") from None


def _take_away(url: str, topology: Topology, prefix: str) -> None:
    with pika.BlockingConnection(parameters_of(url)) as connection:
        channel = connection.channel()
        for queue in [*(q.name for q in topology.queues()), *names(prefix)]:
            channel.queue_delete(queue)
        for exchange in topology.exchanges():
            channel.exchange_delete(exchange.name)


class Watcher:
    """A plain client that fills queues and counts what is in them."""

    def __init__(self, url: str) -> None:
        try:
            self._connection = pika.BlockingConnection(parameters_of(url))
        except (AMQPError, OSError) as error:
            raise BrokerError(f"the broker does not answer: {type(error).__name__}") from error
        self._channel = self._connection.channel()

    def fill(self, queue: str, bodies: Iterable[bytes]) -> None:
        """Publish persistent messages and wait until the queue holds them."""
        before, count = self.depth(queue), 0
        properties = pika.BasicProperties(delivery_mode=2, content_type="application/xml")
        for body in bodies:
            self._channel.basic_publish("", queue, body, properties)
            count += 1
        while self.depth(queue) < before + count:
            self._connection.sleep(0.05)

    def depth(self, *queues: str) -> int:
        """How many messages are ready in these queues together."""
        return sum(self._channel.queue_declare(q, passive=True).method.message_count for q in queues)

    def empty(self, *queues: str) -> None:
        """Throw away what they hold."""
        for queue in queues:
            self._channel.queue_purge(queue)

    def sleep(self, seconds: float) -> None:
        """Wait, with heartbeats."""
        self._connection.sleep(seconds)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
