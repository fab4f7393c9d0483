"""A message that no code of ours can handle: counted, put aside with its bytes, and never in the way of others."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.bootstrap import service
from gateway.broker.topology import ATTEMPT_HEADER
from gateway.clocks import system_now
from gateway.inbound import pipeline as pipeline_module
from gateway.inbound.consumer import Consumer
from gateway.inbound.folder import RETRY_AFTER, FolderSource
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import MAX_ATTEMPTS
from gateway.municipality.model import load
from gateway.settings import load_settings
from gateway.simulate.stories import recorded
from gateway.store.engine import reading
from gateway.store.schema import messages
from gateway.store.store import Store, open_store
from tests.inbound.harness import Clock
from tests.neighbours import Broker, wait_for

POISON = recorded()["04-heart.xml"]
GOOD = [recorded()[name] for name in ("01-type-2-diabetes.xml", "05-low-back.xml", "07-alcohol.xml")]


@pytest.fixture
def cure(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """One message runs into a bug of ours, until ``undo``."""
    receive = pipeline_module.receive

    def stumble(read: Any, *rest: Any) -> Any:  # noqa: ANN401
        if read.letters and read.letters[0].letter_id == "PRBRV000000004":
            raise ZeroDivisionError
        return receive(read, *rest)

    monkeypatch.setattr(pipeline_module, "receive", stumble)
    yield monkeypatch
    monkeypatch.undo()


def faults(store: Store) -> list[str]:
    return [item.fault_id for item in store.overview.parked_items()]


def kept(store: Store) -> set[bytes]:
    with reading(store.engine) as connection:
        return {
            store.codec.open(body) for body in connection.scalars(messages.select().with_only_columns(messages.c.body))
        }


def count(store: Store) -> int:
    return store.overview.numbers(system_now()).messages


@pytest.mark.broker
def test_on_rabbitmq_the_fifth_failure_parks(broker: Broker, postgres_url: str, cure: pytest.MonkeyPatch) -> None:
    topology = broker.topology
    settings = load_settings(amqp_url=broker.url, amqp_prefix=topology.prefix, database_url=postgres_url, http="")
    with service(settings) as running:
        running.start()
        for data in (GOOD[0], POISON, *GOOD[1:]):
            broker.publish(topology.referrals_in, data, delivery_mode=2)
        wait_for(lambda: count(running.store) == len(GOOD), "the others")
        for attempt in range(1, MAX_ATTEMPTS):
            ((properties, body),) = broker.take(topology.retry_queue(topology.referrals_in, attempt), 1)
            assert (properties.headers[ATTEMPT_HEADER], body) == (attempt, POISON)
            assert faults(running.store) == []
            broker.channel.basic_publish("", topology.referrals_in, body, properties)
        wait_for(lambda: faults(running.store) == ["GW-190"], "the message to be parked")
        assert POISON in kept(running.store)

        cure.undo()
        broker.publish(topology.referrals_in, POISON)
        wait_for(lambda: sum(running.store.overview.numbers(system_now()).cases_by_state.values()) == 4, "the cure")
    assert broker.depth(topology.referrals_in) == 0


@pytest.mark.broker
def test_a_dead_letter_ends_as_a_parked_row(broker: Broker, postgres_url: str, cure: pytest.MonkeyPatch) -> None:
    """Even one that cannot be handled at all, and one that had been handled before the broker gave up on it."""
    topology = broker.topology
    settings = load_settings(amqp_url=broker.url, amqp_prefix=topology.prefix, database_url=postgres_url, http="")
    with service(settings) as running:
        running.start()
        broker.publish(topology.referrals_in, GOOD[0])
        wait_for(lambda: count(running.store) == 1, "a good one")
        for data in (GOOD[0], GOOD[1], POISON):
            broker.publish(topology.parked, data)
        wait_for(lambda: faults(running.store) == ["GW-191", "GW-191"], "the dead letters")
        assert kept(running.store) == {*GOOD[:2], POISON}
    assert broker.depth(topology.parked) == 0


def test_in_a_spool_folder_the_fifth_failure_parks(tmp_path: Path, cure: pytest.MonkeyPatch) -> None:
    clock = Clock()
    with open_store(f"sqlite:///{tmp_path}/gateway.sqlite3") as store:
        source = FolderSource(tmp_path, clock, 10_000_000)
        consumer = Consumer(source, Pipeline(store, load(), clock), 100, wait_s=0)
        for number, data in enumerate((GOOD[0], POISON, *GOOD[1:])):
            (tmp_path / "in" / f"{number}.xml").write_bytes(data)
        assert consumer.step() == 4
        assert count(store) == len(GOOD)
        for wait in RETRY_AFTER:
            assert faults(store) == []
            clock.now += wait - timedelta(seconds=1)
            assert consumer.step() == 0
            clock.forward(seconds=1)
            assert consumer.step() == 1
        assert faults(store) == ["GW-190"]
        assert POISON in kept(store)
    assert sorted(path.name for path in (tmp_path / "parked").iterdir()) == ["1.xml", "1.xml.why.json"]
    assert list((tmp_path / "work").iterdir()) == []
