"""The gateway's own ends of RabbitMQ, on an I/O thread that the test starts and stops."""

from collections.abc import Iterator

import pytest

from gateway.broker.link import IoThread
from gateway.broker.publisher import Publisher
from tests.broker.proxy import Proxy
from tests.neighbours import AMQP_URL, Broker, bare_broker, broker, plain_logs, wait_for

__all__ = ["bare_broker", "broker", "plain_logs"]


@pytest.fixture
def io() -> Iterator[IoThread]:
    thread = IoThread()
    thread.start()
    yield thread
    thread.stop()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """RabbitMQ behind a proxy that the test can break."""
    with Proxy(AMQP_URL) as between:
        yield between


@pytest.fixture
def publisher(io: IoThread, broker: Broker, proxy: Proxy) -> Iterator[Publisher]:
    link = Publisher(io, proxy.url, timeout_s=5)
    link.start()
    wait_for(link.up.is_set, "the publisher's link")
    yield link
    link.stop()
