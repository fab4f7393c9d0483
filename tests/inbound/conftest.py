from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inbound.harness import AheadInbound, AmqpInbound, FolderInbound, Inbound
from tests.neighbours import Broker, bare_broker, broker, plain_logs, postgres_url, worker_database

__all__ = ["bare_broker", "broker", "plain_logs", "postgres_url", "worker_database"]


@pytest.fixture
def amqp(broker: Broker) -> Iterator[AmqpInbound]:
    opened = AmqpInbound(broker)
    yield opened
    opened.close()


@pytest.fixture
def ahead(broker: Broker) -> Iterator[AheadInbound]:
    opened = AheadInbound(broker)
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> FolderInbound:
    return FolderInbound(tmp_path / "spool")


_ON_THE_BROKER = [pytest.param(name, marks=pytest.mark.broker) for name in ("amqp", "ahead")]


@pytest.fixture(params=["folder", *_ON_THE_BROKER])
def inbound(request: pytest.FixtureRequest) -> Inbound:
    """Both transports, one after the other; RabbitMQ's also with its messages read ahead."""
    opened: Inbound = request.getfixturevalue(request.param)
    return opened
