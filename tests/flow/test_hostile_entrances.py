"""Hostile messages at every entrance of a running service: queue, folder, HTTP. Nothing hangs, nothing is lost."""

import hashlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gateway.bootstrap import Service, service
from gateway.clocks import system_now
from gateway.referral.inbox import Keys
from gateway.settings import load_settings
from gateway.simulate.stories import recorded
from gateway.spool import write_whole
from tests.hostile import LONGEST_S, Hostile, fhir, medcom
from tests.neighbours import Broker, wait_for

TOKEN = "a practice's token"
#: of the whole list, on a machine that is busy with other tests
_WITHIN_S = 90.0
#: all of the list are one letter in one envelope, so its ids are known with other content
USED_ID = {"GW-150", "GW-151"}
AFTER = recorded()["05-low-back.xml"]


@pytest.fixture
def outside() -> Iterator[socket.socket]:
    """Where a document type would lead: nobody may come."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener
        with pytest.raises(BlockingIOError):
            listener.accept()


def url_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def check(running: Service, sent: tuple[Hostile, ...]) -> None:
    """The good message behind them all has its answers, so each before it is settled: parked, or known by its ids."""
    last = Keys(digests=frozenset({hashlib.sha256(AFTER).hexdigest()}))
    wait_for(lambda: running.store.inbox.known(last).messages, "all", _WITHIN_S)
    wait_for(lambda: running.store.overview.numbers(system_now()).outbox_pending == 0, "every letter", _WITHIN_S)
    parked = {item.fault_id for item in running.store.overview.parked_items()}
    assert {"GW-101", "GW-102", "GW-103", "GW-104", "GW-110", "GW-121", "GW-123", "GW-125"} <= parked
    assert parked <= {fault for hostile in sent for fault in hostile.faults} | USED_ID


@pytest.mark.broker
def test_queue(broker: Broker, postgres_url: str, outside: socket.socket) -> None:
    topology, sent = broker.topology, medcom(url_of(outside))
    settings = load_settings(amqp_url=broker.url, amqp_prefix=topology.prefix, database_url=postgres_url, http="")
    with service(settings) as running:
        running.start()
        for hostile in sent:
            broker.publish(topology.referrals_in, hostile.data, delivery_mode=2)
        broker.publish(topology.referrals_in, AFTER, delivery_mode=2)
        check(running, sent)
    assert broker.depth(topology.referrals_in) == 0


def test_folder(tmp_path: Path, outside: socket.socket) -> None:
    sent = medcom(url_of(outside))
    with service(load_settings(spool=tmp_path, http="")) as running:
        running.start()
        for number, data in enumerate([*(hostile.data for hostile in sent), AFTER]):
            write_whole(tmp_path / "in" / f"{number:03}.xml", data)
        check(running, sent)
    assert [path for name in ("in", "work") for path in (tmp_path / name).iterdir()] == []


@pytest.mark.parametrize("address", ["/fhir/$process-message", "/fhir/ServiceRequest/$validate", "/team-events"])
def test_http(tmp_path: Path, outside: socket.socket, address: str) -> None:
    """Each is answered: with its Acknowledgement, or with the reason; the next caller is served."""
    settings = load_settings(spool=tmp_path, fhir_token=TOKEN, team_events_token=TOKEN)
    with service(settings) as running, TestClient(running.app, raise_server_exceptions=False) as client:
        client.headers["authorization"] = f"Bearer {TOKEN}"
        for hostile in fhir(url_of(outside)):
            form = "xml" if hostile.data.startswith(b"<") else "json"
            started = time.process_time()
            answer = client.post(address, content=hostile.data, headers={"content-type": f"application/fhir+{form}"})
            assert answer.status_code < 500, hostile.name
            assert time.process_time() - started < 1.5 * LONGEST_S, hostile.name
        assert client.get("/health/ready").status_code == 200


def test_the_same_message_twice_at_each_entrance_is_handled_once(tmp_path: Path) -> None:
    hostile = next(h for h in fhir() if h.name == "a byte order mark and JSON")
    with service(load_settings(spool=tmp_path, fhir_token=TOKEN)) as running, TestClient(running.app) as client:
        client.headers["authorization"] = f"Bearer {TOKEN}"
        running.start()
        headers = {"content-type": "application/fhir+json"}
        first, second = (client.post("/fhir/$process-message", content=hostile.data, headers=headers) for _ in "ab")
        for name in ("1.json", "2.json"):
            write_whole(tmp_path / "in" / name, hostile.data)
        wait_for(lambda: len(list((tmp_path / "done").rglob("*.json"))) == 2, "both files")
        numbers = running.store.overview.numbers(system_now())
    assert first.json()["entry"][0]["resource"]["response"] == second.json()["entry"][0]["resource"]["response"]
    assert (numbers.messages, sum(numbers.cases_by_state.values()), numbers.parked) == (1, 1, 0)
