from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inbound.harness import AmqpInbound, FolderInbound, Inbound
from tests.neighbours import Broker, bare_broker, broker, plain_logs, postgres_url, worker_database

__all__ = ["bare_broker", "broker", "plain_logs", "postgres_url", "worker_database"]


@pytest.fixture
def amqp(broker: Broker) -> Iterator[AmqpInbound]:
    opened = AmqpInbound(broker)
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> FolderInbound:
    return FolderInbound(tmp_path / "spool")


@pytest.fixture(params=["folder", pytest.param("amqp", marks=pytest.mark.broker)])
def inbound(request: pytest.FixtureRequest) -> Inbound:
    """Both transports, one after the other."""
    opened: Inbound = request.getfixturevalue(request.param)
    return opened
