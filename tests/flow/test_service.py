"""The composition root: one owner, an orderly end, and no part that dies in silence."""

import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from gateway.bootstrap import Service, open_transport, service
from gateway.clocks import system_now
from gateway.errors import BrokerError, ConfigurationError, SpoolError
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.settings import Settings, load_settings
from gateway.simulate.stories import recorded
from gateway.store.store import open_store
from tests.certificate_builders import closed_port, issued, kept
from tests.neighbours import Broker, wait_for
from tests.store.material import entry, outgoing


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(spool=tmp_path / "spool", http="")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port that is taken."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken


_PARTS = ("consumer", "relay", "ticker", "certificates", "http", "amqp")


_OTHERS: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def _others() -> None:
    """What another test's service keeps running in this process is none of ours."""
    _OTHERS.clear()
    _OTHERS.update(threading.enumerate())


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread not in _OTHERS} & set(_PARTS)


def test_it_ends_when_it_is_told_to_and_leaves_nothing_running(settings: Settings) -> None:
    with service(settings) as running:
        running.start()
        assert threads() == {"consumer", "relay", "ticker", "certificates"}
        running.stop()
        assert running.wait()
    assert threads() == set()


def test_what_became_due_while_nothing_ran_is_told_once_at_the_start(settings: Settings) -> None:
    with open_store(settings.store_url) as store:
        handled = Pipeline(store, load(), lambda: system_now() - timedelta(days=60))
        handled.handle_one(Delivery(data=recorded()["01-type-2-diabetes.xml"]))
    with capture_logs() as logs:
        for _ in range(2):
            with service(settings) as running:
                running.start()
                wait_for(running.store.alarms.open, "the alarm")
                assert running.ticker.step().raised == ()
    assert [told["kind"] for told in logs if told["event"] == "alarm.raised"] == ["first_talk"]


def test_a_certificate_that_was_renewed_is_shown_only_after_a_restart(tmp_path: Path) -> None:
    """The watch sees what the running page shows, not only what lies in the file."""
    file = kept(tmp_path / "page.pem", *issued("page", 20.5, now=system_now()))
    settings = load_settings(
        spool=tmp_path / "spool", http=f"127.0.0.1:{closed_port()}", http_tls_certificate=file, http_tls_key=file
    )
    for shown in ("soon", "fine"):
        with service(settings) as running:
            running.start()
            wait_for(lambda: _stands(running)["page_served"] != "silent", "the page")
            assert _stands(running) == {"page": shown, "page_served": shown}
            kept(file, *issued("page", 400, now=system_now()))
            assert _stands(running) == {"page": "fine", "page_served": shown}


def _stands(running: Service) -> dict[str, str]:
    return {one.watched.name: one.state.value for one in running.certificates.step()}


def test_leaving_it_ends_it_whatever_happened(settings: Settings) -> None:
    def run_into_trouble() -> None:
        with service(settings) as running:
            running.start()
            raise KeyError

    with pytest.raises(KeyError):
        run_into_trouble()
    assert threads() == set()
    with service(settings):
        pass


@pytest.mark.parametrize("part", ["consumer", "relay", "ticker"])
def test_a_part_that_dies_ends_the_service_and_says_so_without_the_errors_text(
    settings: Settings, part: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def die() -> None:
        raise ValueError("0101010001 Hansen")

    with capture_logs() as logs, service(settings) as running:
        monkeypatch.setattr(getattr(running, part), "run", die)
        running.start()
        assert not running.wait()
    assert [told["part"] for told in logs if told["event"] == "part.failed"] == [part]
    assert threads() == set()
    assert "Hansen" not in "".join(capfd.readouterr())


def test_a_second_process_on_the_same_spool_is_refused(settings: Settings) -> None:
    with service(settings):
        with pytest.raises(ConfigurationError, match="another gateway process") as raised, service(settings):
            pass
        assert raised.value.id == "GW-305"
    with service(settings):
        pass


def test_a_second_process_on_the_same_sqlite_file_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.sqlite3"
    one, two = (load_settings(spool=tmp_path / name, http="", database_url=url) for name in ("one", "two"))
    with service(one), pytest.raises(ConfigurationError, match=r"shared\.sqlite3\.lock"), service(two):
        pass


def test_the_lock_goes_with_the_process(settings: Settings, tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from gateway.bootstrap import sole_owner_of;"
        "from gateway.settings import load_settings;"
        "lock = sole_owner_of(load_settings(spool=Path(sys.argv[1]), http='')); lock.__enter__();"
        "print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(settings.spool)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(ConfigurationError), service(settings):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with service(settings):
        pass


def test_what_a_dead_process_had_claimed_is_free_at_the_start(settings: Settings) -> None:
    with open_store(settings.store_url) as store:
        now = system_now()
        store.inbox.save([entry(outgoing=(outgoing("OUT1"),))], now, now + timedelta(days=1))
    with service(settings) as running:
        running.start()
        wait_for(lambda: len(list((settings.spool_folder / "out/medcom").iterdir())) == 1, "the letter")


def test_short_commands_may_use_the_store_beside_the_service(settings: Settings) -> None:
    with service(settings) as running:
        running.start()
        with open_store(settings.store_url) as beside:
            beside.inbox.save([entry(outgoing=(outgoing("OUT1"),))], system_now())
        wait_for(lambda: running.store.overview.numbers(system_now()).outbox_pending == 0, "the letter to leave")


def test_the_page_is_served_and_ends_with_the_service(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with service(load_settings(spool=tmp_path, http=f"127.0.0.1:{port}")) as running:
        running.start()
        assert httpx.get(f"http://127.0.0.1:{port}/health/live").json() == {"status": "alive"}
        running.stop()
        assert running.wait()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/health/live")


def test_a_port_that_is_taken_stops_the_start_with_one_line(tmp_path: Path, listener: socket.socket) -> None:
    http = f"127.0.0.1:{listener.getsockname()[1]}"
    with service(load_settings(spool=tmp_path, http=http)) as running:
        with pytest.raises(ConfigurationError, match=f"cannot listen on {http}: Address already in use") as raised:
            running.start()
        assert raised.value.id == "GW-301"
        assert threads() == set()


def test_a_spool_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SpoolError), service(load_settings(spool=tmp_path / "file" / "spool", http="")):
        pass


def test_a_broker_that_does_not_answer_stops_the_start_and_leaves_nothing_running(tmp_path: Path) -> None:
    settings = load_settings(
        amqp_url="amqp://127.0.0.1:1/%2f", http="", database_url=f"sqlite:///{tmp_path}/gateway.sqlite3"
    )
    with pytest.raises(BrokerError), service(settings):
        pass
    assert threads() == set()


@pytest.mark.broker
def test_rabbitmq_is_left_in_order(broker: Broker, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gateway.sqlite3"
    settings = load_settings(amqp_url=broker.url, amqp_prefix=broker.topology.prefix, http="", database_url=url)
    with service(settings) as running:
        running.start()
        wait_for(lambda: running.transport.down() == [], "both links")
        assert threads() == {"consumer", "relay", "ticker", "certificates", "amqp"}
        running.stop()
        assert running.wait()
    assert threads() == set()
    transport = open_transport(settings, load())
    transport.close()


def test_what_takes_in_ends_before_what_sends(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter committed in the last moment is still handed to a relay that runs, or free for the next start."""
    ended: list[str] = []

    def watched(running: Service, name: str) -> None:
        run = getattr(running, name).run

        def and_tell(*given: Any) -> None:  # noqa: ANN401
            run(*given)
            ended.append(name)

        monkeypatch.setattr(getattr(running, name), "run", and_tell)

    with service(settings) as running:
        for name in ("consumer", "relay"):
            watched(running, name)
        running.start()
        running.stop()
        assert running.wait()
    assert ended == ["consumer", "relay"]


def test_the_end_does_not_wait_for_a_neighbour_that_is_down(settings: Settings) -> None:
    """The database is locked by someone for longer than anyone wants to wait."""
    with service(settings) as running:
        running.start()
        time.sleep(0.2)
        (settings.spool_folder / "in" / "a.xml").write_bytes(b"<x/>")
        beside = sqlite3.connect(settings.embedded_file or "", isolation_level=None)
        beside.execute("BEGIN IMMEDIATE")
        time.sleep(0.3)
        running.stop()
        started = time.monotonic()
        beside.execute("ROLLBACK")
        beside.close()
        assert running.wait()
        assert time.monotonic() - started < 5
