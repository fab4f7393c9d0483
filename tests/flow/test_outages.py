"""Neighbours that go away under load and come back: everything is handled, and delivered under the same letter ids."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.bootstrap import Service, service
from gateway.clocks import system_now
from gateway.errors import StoreError
from gateway.municipality.model import load
from gateway.outbound import folder as folder_sink
from gateway.receive import read, receive
from gateway.referral.inbox import Known
from gateway.settings import load_settings
from gateway.simulate.stories import recorded
from gateway.spool import write_whole
from tests.broker.proxy import Proxy
from tests.flow.world import letters_of
from tests.neighbours import AMQP_URL, Broker, wait_for

#: but for the one that repeats the first letter
MESSAGES = [data for name, data in recorded().items() if name != "16-duplicate-of-01.xml"]


def expected() -> tuple[int, int]:
    """How many messages are stored, and how many letters go out."""
    outcomes = [receive(read(data), Known(), load(), system_now()) for data in MESSAGES]
    return len(MESSAGES), sum(not letter.draft for outcome in outcomes for letter in outcome.outgoing)


def is_done(running: Service) -> bool:
    try:
        numbers = running.store.overview.numbers(system_now())
    except StoreError:  # one of our own connections was cut
        return False
    return numbers.messages == expected()[0] and numbers.outbox_pending == 0


@contextmanager
def started(**settings: object) -> Iterator[Service]:
    with service(load_settings(http="", batch_size=3, **settings)) as running:
        running.relay._batch_size = 3
        running.start()
        yield running
        running.stop()
        assert running.wait()


@pytest.fixture
def database(postgres_url: str) -> Iterator[Proxy]:
    with Proxy(postgres_url) as between:
        yield between


@pytest.fixture
def rabbit(broker: Broker) -> Iterator[Proxy]:
    with Proxy(AMQP_URL) as between:
        yield between


@pytest.fixture
def running(database: Proxy, rabbit: Proxy, broker: Broker) -> Iterator[Service]:
    settings = {"amqp_url": rabbit.url, "amqp_prefix": broker.topology.prefix, "prefetch": 4}
    with started(database_url=database.url, **settings) as service_on_proxies:
        yield service_on_proxies


def send_all(broker: Broker) -> None:
    for data in MESSAGES:
        broker.publish(broker.topology.referrals_in, data, delivery_mode=2)


def check_delivered(broker: Broker) -> None:
    topology = broker.topology
    queues = [topology.medcom_out, *(topology.team_queue(team) for team in topology.teams)]
    out = letters_of(body for queue in queues for _, body in broker.drain(queue))
    assert len(out) == expected()[1]
    assert {name for name, contents in out.items() if len(contents) > 1} == set()


@pytest.mark.broker
def test_the_database_goes_and_comes_back(running: Service, database: Proxy, broker: Broker) -> None:
    database.refusing = True
    database.cut()
    send_all(broker)
    time.sleep(1)
    assert broker.drain(broker.topology.medcom_out) == [], "no receipt without a commit"
    database.refusing = False
    wait_for(lambda: is_done(running), "everything to be handled", within_s=30)
    check_delivered(broker)


@pytest.mark.broker
def test_the_broker_goes_and_comes_back(running: Service, rabbit: Proxy, broker: Broker) -> None:
    send_all(broker)
    rabbit.refusing = True
    rabbit.cut()
    wait_for(lambda: running.transport.down() == ["consumer", "publisher"], "both links to be down")
    time.sleep(0.5)
    rabbit.refusing = False
    wait_for(lambda: is_done(running), "everything to be handled", within_s=30)
    assert running.transport.down() == []
    check_delivered(broker)


@pytest.mark.broker
def test_connections_are_cut_again_and_again(running: Service, database: Proxy, rabbit: Proxy, broker: Broker) -> None:
    stop = threading.Event()

    def cut() -> None:
        for proxy in (rabbit, database) * 6:
            if not stop.wait(0.15):
                proxy.cut()

    cutting = threading.Thread(target=cut)
    cutting.start()
    send_all(broker)
    cutting.join()
    wait_for(lambda: is_done(running), "everything to be handled", within_s=40)
    stop.set()
    check_delivered(broker)


@pytest.mark.broker
def test_confirms_that_are_lost_cost_a_second_envelope_and_nothing_else(
    running: Service, rabbit: Proxy, broker: Broker
) -> None:
    """Cut between publish and confirm."""
    running.transport.sink._publisher._timeout_s = 1
    rabbit.stall()
    send_all(broker)
    time.sleep(0.5)
    rabbit.cut()
    rabbit.flow()
    wait_for(lambda: is_done(running), "everything to be handled", within_s=30)
    check_delivered(broker)


def test_a_disk_that_is_full_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is committed stays committed; the letters leave when there is room again, once."""

    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with started(spool=tmp_path) as running:
        with monkeypatch.context() as patched:
            patched.setattr(folder_sink, "write_whole", full)
            for number, data in enumerate(MESSAGES):
                write_whole(tmp_path / "in" / f"{number:02}.xml", data)
            numbers = running.store.overview.numbers
            wait_for(lambda: numbers(system_now()).messages == len(MESSAGES), "everything to be stored")
            assert not list((tmp_path / "out").rglob("*.xml"))
        wait_for(lambda: is_done(running), "every letter to leave", within_s=30)
    out = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(out) == len(letters_of(out)) == expected()[1]
