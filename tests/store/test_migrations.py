"""From nothing to the newest tables, from several processes at once, and no difference from what the code says."""

import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Column, Connection, MetaData, inspect, select

from gateway.store.codec import CompressingCodec
from gateway.store.engine import open_engine, reading, writing
from gateway.store.schema import cases, messages, metadata, outbox
from gateway.store.store import NEWEST, migrate, open_store
from gateway.store.transmissions import transmissions
from tests.store.material import NOW, later

MIGRATIONS = Path(sys.modules[migrate.__module__].__file__ or "").parent / "migrations"
_MIGRATE = "import sys; from gateway.store.store import open_store; open_store(sys.argv[1]).close()"


def test_an_empty_database_becomes_what_the_code_says(empty_url: str) -> None:
    with open_store(empty_url) as store, reading(store.engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_opening_again_changes_nothing_and_keeps_the_key_of_the_installation(empty_url: str) -> None:
    with open_store(empty_url) as first:
        index = first.codec.index("0101010001")
    with open_store(empty_url) as second:
        assert second.codec.index("0101010001") == index


def test_two_installations_hash_alike_for_nobody(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/a.sqlite3") as one, open_store(f"sqlite:///{tmp_path}/b.sqlite3") as two:
        assert one.codec.index("0101010001") != two.codec.index("0101010001")


def test_processes_that_start_at_once_all_find_the_tables(empty_url: str) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", _MIGRATE, empty_url], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in started:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    with open_store(empty_url) as store:
        assert store.overview.numbers(NOW).messages == 0


def test_migrations_form_one_line_with_one_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [NEWEST]
    assert len(script.get_bases()) == 1


def test_a_database_of_another_version_is_brought_up_to_date(empty_url: str) -> None:
    """Nothing but a database at the newest version is opened without the migrations."""
    open_store(empty_url).close()
    engine = open_engine(empty_url)
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'of a later gateway'")
    with pytest.raises(CommandError, match="of a later gateway"):
        migrate(engine)
    engine.dispose()


def test_a_migration_that_fails_leaves_the_database_as_it_was(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine(empty_url)

    def fail(*_given: object) -> None:
        raise RuntimeError("half-way")

    with monkeypatch.context() as patched:
        patched.setattr("alembic.runtime.migration.HeadMaintainer.update_to_step", fail)
        with pytest.raises(RuntimeError, match="half-way"):
            migrate(engine)
    with reading(engine) as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    migrate(engine)
    engine.dispose()


def test_what_the_first_tables_held_stands_in_the_newest(empty_url: str) -> None:
    """Bodies beside their keys; of each letter's transmissions the last in its row, the others apart; nothing lost."""
    engine = open_engine(empty_url)
    codec = CompressingCodec(b"")
    with writing(engine) as connection:
        upgrade(connection, "0001")
        old = MetaData()
        old.reflect(connection)
        for name, given in FIRST_ROWS.items():
            table = old.tables[name]
            rows = [{c.name: row.get(c.name, _anything(c)) for c in table.columns} for row in given]
            sealed = [row | ({"body": codec.seal(row["body"])} if "body" in row else {}) for row in rows]
            connection.execute(table.insert(), sealed)
    migrate(engine)
    engine.dispose()
    with open_store(empty_url) as store, reading(store.engine) as connection:
        for column, bodies in ((messages.c.body, {b"message"}), (cases.c.body, {b"case"}), (outbox.c.body, LETTERS)):
            assert {store.codec.open(body) for body in connection.scalars(select(column))} == bodies
        went = connection.execute(select(transmissions.c.letter_id, transmissions.c.envelope_id, transmissions.c.at))
        assert sorted(map(tuple, went)) == [("OUT1", "E1", NOW), ("OUT1", "E2", later(minutes=1)), ("OUT2", "E3", NOW)]
        last = connection.execute(select(outbox.c.letter_id, outbox.c.envelope_id).order_by(outbox.c.letter_id))
        assert list(map(tuple, last)) == [("OUT1", "E2"), ("OUT2", "E3"), ("OUT3", None)]
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}


LETTERS = {b"first", b"second", b"third"}
#: what matters of a database as the first migration left it
FIRST_ROWS: dict[str, list[dict[str, Any]]] = {
    "messages": [{"digest": "D"}],
    "bodies": [{"digest": "D", "body": b"message"}],
    "cases": [{"case_id": "C"}],
    "case_bodies": [{"case_id": "C", "body": b"case"}],
    "decisions": [{"case_id": "C", "body": b"decision"}],
    "events": [{"case_id": "C", "body": b"event"}],
    "outbox": [
        {"letter_id": "OUT1", "status": "sent", "sent_at": later(minutes=1)},
        {"letter_id": "OUT2", "status": "sent", "sent_at": NOW},
        {"letter_id": "OUT3", "status": "pending", "sent_at": None},
    ],
    "outbox_bodies": [
        {"letter_id": f"OUT{number}", "body": body} for number, body in ((1, b"first"), (2, b"second"), (3, b"third"))
    ],
    "transmissions": [
        {"letter_id": "OUT1", "envelope_id": "E1", "at": NOW},
        {"letter_id": "OUT1", "envelope_id": "E2", "at": later(minutes=1)},
        {"letter_id": "OUT2", "envelope_id": "E3", "at": NOW},
    ],
}


def _anything(column: Column[Any]) -> object:
    """A value for a column that must have one."""
    if column.nullable:
        return None
    return {datetime: NOW, bytes: b"", bool: True, int: 1}.get(column.type.python_type, "x")


def upgrade(connection: Connection, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def test_sqlite_is_made_safe(tmp_path: Path) -> None:
    """What is receipted must survive a power cut, and readers must not wait for writers."""
    file = tmp_path / "made" / "on" / "the" / "way" / "gateway.sqlite3"
    with open_store(f"sqlite:///{file}") as store, reading(store.engine) as connection:
        pragmas = {n: connection.exec_driver_sql(f"PRAGMA {n}").scalar() for n in ("journal_mode", "synchronous")}
        assert pragmas == {"journal_mode": "wal", "synchronous": 2}
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    beside = sqlite3.connect(file)
    assert beside.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    beside.close()
