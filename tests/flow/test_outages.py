"""Neighbours that go away under load and come back: everything is handled, and delivered under the same letter ids."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.bootstrap import Service
from gateway.clocks import system_now
from gateway.outbound import folder as folder_sink
from gateway.spool import write_whole
from tests.broker.proxy import Proxy
from tests.flow.outage import MESSAGES, check_delivered, expected, is_done, send_all, started
from tests.flow.world import letters_of
from tests.neighbours import AMQP_URL, Broker, wait_for


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
