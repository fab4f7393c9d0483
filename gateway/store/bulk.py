"""Many rows into one table at once.

PostgreSQL takes all rows as one JSON array, and each column of bytes as one binary array beside it: one short statement
for any number of rows, which driver and server prepare once (measured; docs/adr/0017).
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Dialect, LargeBinary, Table
from sqlalchemy.dialects import postgresql

from gateway.errors import StoreRefusedError
from gateway.store.engine import insert
from gateway.store.schema import UtcDateTime

_DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
_LENGTH = re.compile(r"\(\d+\)")
Row = Mapping[str, Any]


class Clash(StrEnum):
    """What happens to a row whose primary key is there already."""

    #: the row that is there stays
    KEEP = "keep"
    #: its body is replaced
    REPLACE_BODY = "replace body"
    #: it is replaced where it was given up on (``handled`` is false), else it stays
    REVIVE = "revive"


def put(connection: Connection, table: Table, rows: Sequence[Row], clash: Clash = Clash.KEEP) -> list[tuple[Any, ...]]:
    """Insert the rows; the primary keys of those that were inserted or replaced, in no order."""
    if not rows:
        return []
    if connection.dialect.name != "postgresql":
        return _one_by_one(connection, table, rows, clash)
    columns = tuple(rows[0])
    binary = _binary(table, columns)
    plain = [name for name in columns if name not in binary]
    parameters = (_as_json(table, rows, plain), *([row[name] for row in rows] for name in binary))
    return [tuple(key) for key in connection.exec_driver_sql(_statement(table, columns, clash), parameters)]


def _one_by_one(connection: Connection, table: Table, rows: Sequence[Row], clash: Clash) -> list[tuple[Any, ...]]:
    statement = insert(connection, table)
    replaced = _replaced(table, clash)
    if replaced:
        values = {name: statement.excluded[name] for name in replaced}
        where = table.c.handled.is_(False) if clash is Clash.REVIVE else None
        keyed = statement.on_conflict_do_update(
            index_elements=list(table.primary_key.columns), set_=values, where=where
        )
    else:
        keyed = statement.on_conflict_do_nothing()
    return [tuple(key) for key in connection.execute(keyed.returning(*table.primary_key.columns), list(rows))]


def _as_json(table: Table, rows: Sequence[Row], names: Sequence[str]) -> str:
    """The rows with these columns. A naive moment would be taken for one in the server's own zone."""
    moments = [name for name in names if isinstance(table.c[name].type, UtcDateTime)]
    if any(row[name] is not None and row[name].tzinfo is None for name in moments for row in rows):
        raise StoreRefusedError("the database was given: ValueError")
    try:
        return msgspec.json.encode([{name: row[name] for name in names} for row in rows]).decode()
    except (UnicodeEncodeError, TypeError) as error:
        raise StoreRefusedError(f"the database was given: {type(error).__name__}") from None


@cache
def _binary(table: Table, columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in columns if isinstance(table.c[name].type, LargeBinary))


@cache
def _statement(table: Table, columns: tuple[str, ...], clash: Clash) -> str:
    binary = _binary(table, columns)
    plain = tuple(name for name in columns if name not in binary)
    arrays = "".join(f", unnest(%b::{_type(table.c[name])}[])" for name in binary)
    typed = ", ".join(f"{name} {_type(table.c[name])}" for name in plain)
    keys = ", ".join(column.name for column in table.primary_key.columns)
    replaced = ", ".join(f"{name} = excluded.{name}" for name in _replaced(table, clash))
    where = f" WHERE NOT {table.name}.handled" if clash is Clash.REVIVE else ""
    on_conflict = f"({keys}) DO UPDATE SET {replaced}{where}" if replaced else "DO NOTHING"
    target = f"INSERT INTO {table.name} ({', '.join((*plain, *binary))})"
    source = f"ROWS FROM (json_to_recordset(%b::json) AS ({typed}){arrays})"
    # names are the schema's own, values are parameters
    return f"{target} SELECT * FROM {source} ON CONFLICT {on_conflict} RETURNING {keys}"  # noqa: S608


def _replaced(table: Table, clash: Clash) -> tuple[str, ...]:
    if clash is Clash.REPLACE_BODY:
        return ("body",)
    return tuple(c.name for c in table.columns if not c.primary_key) if clash is Clash.REVIVE else ()


def _type(column: Column[Any]) -> str:
    """The column's type without its length, which an array need not know."""
    return _LENGTH.sub("", column.type.compile(_DIALECT))
