"""Neighbours that answer and yet do not do their work: a read-only or full database, a clock that jumps.

No receipt is given for what is not stored; health says who holds up the work; and it goes on by itself.
"""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from gateway import bootstrap
from gateway.bench.messages import referral
from gateway.bootstrap import Service
from gateway.clocks import system_now
from gateway.spool import write_whole
from tests.flow.outage import MESSAGES, check_delivered, expected, is_done, send_all, started
from tests.flow.world import letters_of
from tests.neighbours import Broker, wait_for


def not_ready(running: Service) -> list[str]:
    """Who is down, as a monitor is told; nobody when it is ready."""
    with TestClient(running.app) as client:
        answer = client.get("/health/ready")
    assert answer.status_code == (503 if answer.json()["down"] else 200)
    return list(answer.json()["down"])


def out_of(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in (folder / "out").rglob("*") if path.is_file() and path.suffix != ".part"]


@pytest.fixture
def read_only(postgres_url: str) -> Iterator[Any]:
    """Switches the database to read-only, and back."""
    name = postgres_url.rpartition("/")[2]

    def switch(value: str) -> None:
        with psycopg.connect(postgres_url, autocommit=True) as owner:
            owner.execute("SET default_transaction_read_only = off")
            owner.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s"
            owner.execute(others, (name, owner.info.backend_pid))

    yield switch
    switch("off")


@pytest.mark.broker
def test_a_read_only_database(read_only: Any, broker: Broker, postgres_url: str) -> None:  # noqa: ANN401
    """As a PostgreSQL that failed over to its replica: it answers every look and takes nothing."""
    topology = broker.topology
    with started(database_url=postgres_url, amqp_url=broker.url, amqp_prefix=topology.prefix) as running:
        read_only("on")
        send_all(broker)
        wait_for(lambda: not_ready(running) == ["database"], "health to say so")
        time.sleep(0.5)
        assert broker.drain(topology.medcom_out) == [], "no receipt without a commit"
        read_only("off")
        wait_for(lambda: is_done(running), "everything to be handled", within_s=30)
        wait_for(lambda: not_ready(running) == [], "health to say so")
        check_delivered(broker)


def test_a_database_on_a_full_disk(tmp_path: Path) -> None:
    """The files wait, nothing goes out for what is not stored; with room again everything is handled, once."""
    pages, sent = [1], 30

    def bound(connection: Any, *_rest: object) -> None:  # noqa: ANN401
        connection.execute(f"PRAGMA max_page_count = {pages[0]}")  # SQLite keeps what it has already

    with started(spool=tmp_path) as running:
        event.listen(running.store.by_key, "checkout", bound)
        for number in range(sent):
            write_whole(tmp_path / "in" / f"{number:02}.xml", referral(number, "full"))
        wait_for(lambda: not_ready(running) == ["database"], "health to say so")
        stored = running.store.overview.numbers(system_now()).messages
        assert stored < sent
        assert len(list((tmp_path / "done").rglob("*.xml"))) <= stored
        assert len(out_of(tmp_path)) <= 3 * stored
        pages[0] = 1_000_000
        wait_for(lambda: len(out_of(tmp_path)) == 3 * sent, "everything to be handled", within_s=30)
        wait_for(lambda: not_ready(running) == [], "health to say so")
    assert len(letters_of(out_of(tmp_path))) == 3 * sent


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-400)], ids=["ahead", "back"])
def test_a_clock_that_jumps_and_is_set_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: timedelta) -> None:
    """Letters written, claimed or put off by a wrong clock do not wait for that moment to come."""
    off = [timedelta()]
    monkeypatch.setattr(bootstrap, "system_now", lambda: system_now() + off[0])
    third = len(MESSAGES) // 3
    with started(spool=tmp_path) as running:
        running.store.outbox.claim_time = timedelta(
            seconds=1
        )  # what a jump hides from the relay comes when this is over
        for number, data in enumerate(MESSAGES):
            if number in {third, 2 * third}:
                wait_for(lambda: running.store.overview.numbers(system_now()).messages >= third, "a part to be stored")
                off[0] = jump - off[0]
            write_whole(tmp_path / "in" / f"{number:02}.xml", data)
        wait_for(lambda: is_done(running), "everything to be handled", within_s=30)
    out = out_of(tmp_path)
    assert len(out) == len(letters_of(out)) == expected()[1]
