"""The real RabbitMQ and PostgreSQL of the tests: a database per worker, AMQP names per test, all taken away again."""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pika
import psycopg
import pytest
import structlog
from pika.exceptions import AMQPError
from sqlalchemy.engine import make_url

from gateway.broker.topology import Topology, declare, topology_of
from gateway.municipality.model import load

AMQP_URL = os.environ.get("GATEWAY_TEST_AMQP_URL") or "amqp://guest:guest@127.0.0.1:5672/%2f"
DATABASE_URL = os.environ.get("GATEWAY_TEST_DATABASE_URL") or "postgresql://postgres@127.0.0.1:5432/postgres"
_TABLES = (
    "clocks, notes, audit, sessions, accounts, files, objects, "
    "report_bodies, reports, "
    "earlier_transmissions, outbox, parked, cases, letters, messages"
)


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """One short line per event: structlog's own way with exceptions takes a second each."""
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


# ------------------------------------------------------------------ PostgreSQL
@contextmanager
def new_database() -> Iterator[str]:
    """The URL of an empty database that is dropped in the end."""
    name = f"gateway_test_{secrets.token_hex(6)}"
    _as_owner(f"CREATE DATABASE {name}")
    try:
        yield make_url(DATABASE_URL).set(database=name).render_as_string(hide_password=False)
    finally:
        _as_owner(f"DROP DATABASE {name} WITH (FORCE)")


def _as_owner(statement: str) -> None:
    with _present("PostgreSQL", psycopg.OperationalError):
        connection = psycopg.connect(DATABASE_URL, autocommit=True, connect_timeout=5)
    with connection:
        connection.execute(statement)


@contextmanager
def _present(name: str, *absent: type[Exception]) -> Iterator[None]:
    """A neighbour that is not there fails the test, never skips it."""
    try:
        yield
    except absent as error:
        told = f"{name} does not answer ({type(error).__name__}): run ./scripts/test, which finds or starts one"
        raise pytest.fail.Exception(told, pytrace=False) from None


@pytest.fixture(scope="session")
def worker_database() -> Iterator[str]:
    with new_database() as url:
        yield url


@pytest.fixture
def postgres_url(worker_database: str) -> Iterator[str]:
    """A database without rows; its tables stay."""
    yield worker_database
    with psycopg.connect(worker_database) as connection:
        if connection.execute("SELECT to_regclass('messages')").fetchone() != (None,):
            connection.execute(f"TRUNCATE {_TABLES}")


@pytest.fixture
def empty_postgres_url() -> Iterator[str]:
    with new_database() as url:
        yield url


# ------------------------------------------------------------------ RabbitMQ
class Broker:
    """A plain AMQP client beside the gateway, on names of its own."""

    def __init__(self, prefix: str) -> None:
        self.url = AMQP_URL
        self.topology: Topology = topology_of(load(), prefix)
        parameters = pika.URLParameters(self.url)
        parameters.heartbeat = 0  # a test may sleep
        self._connection = pika.BlockingConnection(parameters)
        self.channel = self._connection.channel()

    def publish(self, key: str, body: bytes, exchange: str = "", **properties: object) -> None:
        self.channel.basic_publish(exchange, key, body, pika.BasicProperties(**properties))

    def take(self, queue: str, count: int, within_s: float = 10.0) -> list[tuple[Any, bytes]]:
        """(properties, body) of that many messages; fails when they do not come."""
        found: list[tuple[Any, bytes]] = []
        end = time.monotonic() + within_s
        while len(found) < count:
            message = self.get(queue)
            if message is not None:
                found.append(message)
            elif time.monotonic() > end:
                pytest.fail(f"{len(found)} of {count} messages came to {queue}")
            else:
                time.sleep(0.02)
        return found

    def get(self, queue: str) -> tuple[Any, bytes] | None:
        method, properties, body = self.channel.basic_get(queue, auto_ack=True)
        return None if method is None else (properties, body)

    def drain(self, queue: str) -> list[tuple[Any, bytes]]:
        found = []
        while (message := self.get(queue)) is not None:
            found.append(message)
        return found

    def depth(self, queue: str) -> int:
        count: int = self.channel.queue_declare(queue, passive=True).method.message_count
        return count

    def clear_away(self) -> None:
        if not self.channel.is_open:
            self.channel = self._connection.channel()
        for queue in self.topology.queues():
            self.channel.queue_delete(queue.name)
        for exchange in self.topology.exchanges():
            self.channel.exchange_delete(exchange.name)
        self._connection.close()


@pytest.fixture
def bare_broker() -> Iterator[Broker]:
    """RabbitMQ with names that are not declared yet."""
    with _present("RabbitMQ", AMQPError, OSError):
        broker = Broker(f"test-{secrets.token_hex(6)}.")
    yield broker
    broker.clear_away()


@pytest.fixture
def broker(bare_broker: Broker) -> Broker:
    """RabbitMQ with the topology declared."""
    declare(bare_broker.url, bare_broker.topology)
    return bare_broker


def wait_for(condition: Callable[[], object], what: str, within_s: float = 15.0) -> None:
    """Until ``condition()`` is true; fails with ``what`` else."""
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {within_s:.0f} s in vain for: {what}", pytrace=False)
        time.sleep(0.02)
