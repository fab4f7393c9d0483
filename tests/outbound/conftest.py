from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.broker.link import IoThread
from gateway.broker.publisher import Publisher
from gateway.municipality.model import load
from gateway.outbound.amqp import AmqpSink
from gateway.outbound.folder import FolderSink
from gateway.store.store import Store, open_store
from tests.broker.proxy import Proxy
from tests.neighbours import AMQP_URL, Broker, bare_broker, broker, plain_logs, postgres_url, wait_for, worker_database
from tests.outbound.harness import AmqpOutbound, FolderOutbound, Outbound
from tests.outbound.relaying import clock, put, relay, running, sink

__all__ = [
    "bare_broker",
    "broker",
    "clock",
    "plain_logs",
    "postgres_url",
    "put",
    "relay",
    "running",
    "sink",
    "worker_database",
]


@pytest.fixture
def folder(tmp_path: Path) -> FolderOutbound:
    return FolderOutbound(tmp_path, FolderSink(tmp_path, tuple(load().teams)))


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy(AMQP_URL) as between:
        yield between


@pytest.fixture
def amqp(broker: Broker, proxy: Proxy) -> Iterator[AmqpOutbound]:
    io = IoThread()
    io.start()
    publisher = Publisher(io, proxy.url, timeout_s=5)
    publisher.start()
    wait_for(publisher.up.is_set, "the publisher's link")
    yield AmqpOutbound(broker, AmqpSink(publisher, broker.topology))
    publisher.stop()
    io.stop()


@pytest.fixture(params=["folder", pytest.param("amqp", marks=pytest.mark.broker)])
def outbound(request: pytest.FixtureRequest) -> Outbound:
    """Both transports, one after the other."""
    opened: Outbound = request.getfixturevalue(request.param)
    return opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/gateway.sqlite3") as opened:
        yield opened
