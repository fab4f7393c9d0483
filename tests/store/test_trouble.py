"""A neighbour that is down is not a message that is wrong; and no error tells what was in the statement."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from gateway.errors import ConfigurationError, ConflictError, NeighbourError, StoreError, StoreRefusedError
from gateway.inbound.disposition import Disposition, disposition
from gateway.store.audit import Act
from gateway.store.engine import open_engine, reading, writing
from gateway.store.outbox import Sent
from gateway.store.store import Store, open_store
from tests.neighbours import new_database
from tests.store.material import NOW, SENDER, entry, keys, letter, message, outgoing

SECRET = "0101010001 Hansen"


def uses(store: Store) -> list[Callable[[], object]]:
    return [
        store.ping,
        lambda: store.inbox.known(keys(digests=["x"], citizens=[SECRET])),
        lambda: store.inbox.save([entry(data=SECRET.encode(), outgoing=(outgoing("OUT9"),))], NOW),
        lambda: store.outbox.claim(NOW, NOW, 10),
        lambda: store.outbox.mark_sent([Sent(letter_id="OUT1", envelope_id="E1", at=NOW)]),
        lambda: store.outbox.mark_failed("OUT1", "why", NOW),
        lambda: store.outbox.release(["OUT1"]),
        lambda: store.outbox.letter("OUT1"),
        lambda: store.overview.numbers(NOW),
        store.overview.parked_items,
        lambda: store.parking.discard("p1", Act(who="karen", what="parked.discarded", subject="p1"), NOW),
    ]


def assert_down(store: Store) -> None:
    for use in uses(store):
        with pytest.raises(StoreError) as raised:
            use()
        assert SECRET not in str(raised.value)
        assert raised.value.id == "GW-202"
        assert disposition(raised.value, 1) is Disposition.HOLD


@pytest.fixture
def dropped() -> Iterator[Store]:
    """PostgreSQL whose database goes away under the store."""
    with new_database() as url:
        store = open_store(url)
        store.inbox.save([entry(outgoing=(outgoing("OUT1"),))], NOW)
        yield store
        store.close()


@pytest.mark.broker
def test_postgresql_that_goes_away_is_down_and_comes_back(dropped: Store) -> None:
    url = dropped.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    name = dropped.engine.url.database
    admin = psycopg.connect(url.rpartition("/")[0] + "/postgres", autocommit=True)
    admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
    assert_down(dropped)

    admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    admin.close()
    dropped.ping()
    assert [x.letter_id for x in dropped.outbox.claim(NOW, NOW, 10)] == ["OUT1"]


@pytest.mark.broker
def test_postgresql_that_is_read_only_is_down_for_what_writes(dropped: Store) -> None:
    with writing(dropped.engine) as connection:
        connection.exec_driver_sql(
            f"ALTER DATABASE {dropped.engine.url.database} SET default_transaction_read_only = on"
        )
    dropped.by_key.dispose()
    dropped.engine.dispose()
    with pytest.raises(StoreError, match="ReadOnlySqlTransaction"):
        dropped.inbox.save([entry("another", data=SECRET.encode())], NOW)
    dropped.ping()


def test_sqlite_whose_file_is_gone_wrong_is_down(tmp_path: Path) -> None:
    file = tmp_path / "gateway.sqlite3"
    store = open_store(f"sqlite:///{file}")
    store.close()
    for beside in tmp_path.glob("gateway.sqlite3-*"):
        beside.unlink()
    file.write_bytes(b"no database at all" * 1000)
    assert_down(store)
    store.close()


def test_sqlite_whose_folder_is_gone_is_down(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/folder/gateway.sqlite3")
    store.close()
    shutil.rmtree(tmp_path / "folder")
    assert_down(store)
    store.close()


def test_sqlite_on_a_full_disk_is_down_for_what_writes(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/gateway.sqlite3") as store:
        with reading(store.by_key) as connection:
            connection.exec_driver_sql("VACUUM")  # pages that a migration left free would take some more
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="OperationalError"):
            store.inbox.save([entry(data=bytes(range(256)) * 4000)], NOW)
        assert store.overview.numbers(NOW).messages == 0


def test_sqlite_that_another_process_writes_to_for_too_long_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.engine._BUSY_MS", 200)
    file = tmp_path / "gateway.sqlite3"
    with open_store(f"sqlite:///{file}") as store:
        beside = sqlite3.connect(file, isolation_level=None)
        beside.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError):
            store.inbox.save([entry()], NOW)
        assert store.overview.numbers(NOW).messages == 0, "reading goes on beside a writer"
        beside.execute("ROLLBACK")
        beside.close()
        store.inbox.save([entry()], NOW)


def test_readers_do_not_wait_for_each_other(store: Store) -> None:
    with reading(store.engine) as first, reading(store.engine) as second:
        assert first.exec_driver_sql("SELECT 1").scalar() == second.exec_driver_sql("SELECT 1").scalar() == 1


@pytest.mark.broker
@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(entry(message=message(type="a\x00b")), id="NUL"),
        pytest.param(entry(letters=(letter(key=(SENDER, "x" * 65)),)), id="too long"),
    ],
)
def test_a_value_that_postgresql_refuses_counts_against_the_message(postgres_url: str, refused: object) -> None:
    with open_store(postgres_url) as store:
        with pytest.raises(StoreRefusedError) as raised:
            store.inbox.save([entry("good"), refused], NOW)
        assert not isinstance(raised.value, NeighbourError)
        assert disposition(raised.value, 1) is Disposition.RETRY
        assert store.overview.numbers(NOW).messages == 0


@pytest.mark.broker
def test_a_postgresql_server_that_vanishes_is_noticed_in_half_a_minute(postgres_url: str) -> None:
    """What libpq was told, as far as it tells it back."""
    with open_store(postgres_url) as store, reading(store.engine) as connection:
        told = connection.connection.dbapi_connection.info.get_parameters()
    assert int(told["keepalives_idle"]) + int(told["keepalives_interval"]) * int(told["keepalives_count"]) <= 30
    assert told["tcp_user_timeout"] == "30000"


def test_a_naive_time_is_our_own_fault_not_the_databases(store: Store) -> None:
    naive = datetime(2026, 11, 23, 9)  # noqa: DTZ001  (that is the point)
    with pytest.raises(StoreRefusedError, match="ValueError"):
        store.inbox.save([entry(outgoing=(outgoing("OUT1"),))], naive)


@pytest.mark.broker
def test_a_missing_table_is_no_reason_to_try_for_ever(postgres_url: str) -> None:
    with open_store(postgres_url) as store, pytest.raises(StoreRefusedError), writing(store.engine) as connection:
        connection.exec_driver_sql("SELECT * FROM no_such_table")


def test_a_conflict_is_neither(store: Store) -> None:
    store.inbox.save([entry()], NOW)
    with pytest.raises(ConflictError) as raised:
        store.inbox.save([entry()], NOW)
    assert not isinstance(raised.value, NeighbourError)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://user:hunter2@host/db", "must begin with sqlite: or postgresql:"),
        ("hunter2", "cannot be read"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
    ],
)
def test_a_url_of_another_kind_is_a_wrong_set_up(url: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as raised:
        open_engine(url)
    assert raised.value.id == "GW-301"
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "sqlite:////dev/null/no/gateway.sqlite3"])
def test_a_database_that_does_not_answer_at_the_start_is_told_at_once(url: str) -> None:
    with pytest.raises(StoreError):
        open_store(url)
