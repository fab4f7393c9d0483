"""Stored cases by the hundred thousand: the database copies a few really handled ones (``originals``) under new ids.

Each copy has ids, episode, citizen and envelopes of its own, as random as real ones. Copies lie back in time: what is
over evenly over five years, what is open over three weeks; only its clocks stay as young as it was, or all would ring
at once. Bodies are the originals', sealed and of their size, so that they name the originals' ids: what is measured
never depends on that.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from psycopg import Connection
from sqlalchemy import Column, Table

from gateway.bench.originals import OPEN, OVER, handle_open, handle_over
from gateway.store.schema import UtcDateTime, metadata
from gateway.store.store import open_store

Database = Connection[tuple[object, ...]]
#: what the originals wrote
_TABLES = (
    *("messages", "letters", "cases", "clocks"),
    *("outbox", "earlier_transmissions", "parked"),
)
_YEARS, _DAYS_OPEN = 5, 20
#: columns with another value in each copy
_RENEWED = frozenset(
    {
        *("digest", "envelope_id", "network_message_id", "network_envelope_id", "letter_id", "message", "message_id"),
        *("case_id", "receipt_id", "episode_key", "citizen_index", "subject"),
    }
)
#: an id as long as the old one and of its alphabet; texts too short to be an id stay
_FUNCTION = """
CREATE FUNCTION originals.renewed(old text, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN n = 0 OR length(old) < 10 THEN old
    WHEN length(old) = 64 THEN md5(old || n) || md5(n || old)
    WHEN length(old) = 36 THEN md5(old || n)::uuid::text
    WHEN length(old) = 32 THEN md5(old || n)
    ELSE upper(left(md5(old || n), length(old))) END
$$
"""
_SPECIAL = {
    #: a JSON array of one letter id or none
    "messages.receipts": (
        "CASE WHEN length(receipts) < 5 THEN receipts"
        """ ELSE '["' || originals.renewed(substr(receipts, 3, length(receipts) - 4), n) || '"]' END"""
    ),
    #: kind:subject:number
    "clocks.id": "kind || ':' || originals.renewed(subject, n) || substr(id, length(kind) + length(subject) + 2)",
    "parked.id": "originals.renewed(id, n)",
}


def fill(database_url: str, cases: int) -> int:
    """Fill an empty database with at least so many cases; how many there are then."""
    copies = -(-cases // (OVER + OPEN))
    with closing(open_store(database_url)) as store, psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA originals")
        connection.execute(_FUNCTION)
        for name, handle in (("over", handle_over), ("open", handle_open)):
            handle(store)
            _set_aside(connection, name)
        with _without_indexes(connection):
            _copy(connection, "over", copies, f"n * interval '{_YEARS} years' / {copies}")
            _copy(connection, "open", copies, f"n * interval '{_DAYS_OPEN} days' / {copies}")
        connection.execute("DROP SCHEMA originals CASCADE")
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    return copies * (OVER + OPEN)


def _set_aside(connection: Database, name: str) -> None:
    for table in _TABLES:
        connection.execute(f"CREATE TABLE originals.{name}_{table} AS TABLE {table}".encode())
    connection.execute(f"TRUNCATE {', '.join(_TABLES)}".encode())


def _copy(connection: Database, name: str, copies: int, back: str) -> None:
    for table in (metadata.tables[name] for name in _TABLES):
        columns = ", ".join(column.name for column in table.columns)
        values = ", ".join(_value(table, column, back) for column in table.columns)
        source = f"originals.{name}_{table.name}, generate_series(0, {copies - 1}) AS n"
        # names are the schema's own, numbers our own
        connection.execute(f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM {source}".encode())  # noqa: S608


def _value(table: Table, column: Column[object], back: str) -> str:
    if f"{table.name}.{column.name}" in _SPECIAL:
        return _SPECIAL[f"{table.name}.{column.name}"]
    if isinstance(column.type, UtcDateTime) and table.name != "clocks":
        return f"{column.name} - {back}"
    return f"originals.renewed({column.name}, n)" if column.name in _RENEWED else str(column.name)


@contextmanager
def _without_indexes(connection: Database) -> Iterator[None]:
    """Indexes and keys are built anew afterwards: sorted, which takes a tenth of adding row by row."""
    constraints = connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'f') AND conrelid::regclass::text = ANY(%s)"
        " ORDER BY contype",  # foreign keys first
        [list(_TABLES)],
    ).fetchall()
    indexes = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(%s)"
        " AND indexname <> ALL(%s)",
        [list(_TABLES), [row[1] for row in constraints]],
    ).fetchall()
    for table, name, *_ in constraints:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}".encode())
    yield
    connection.execute("SET maintenance_work_mem = '512MB'")
    for _, definition in indexes:
        connection.execute(str(definition).encode())
    for table, name, definition, _ in reversed(constraints):
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}".encode())
