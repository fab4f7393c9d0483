"""Many rows into one table at once.

PostgreSQL takes each column as one array (``unnest``), in binary: one short statement for any number of rows, which
driver and server prepare once. Text parameters would make it slower than single inserts (measured; docs/adr/0017).
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table
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
    arrays = tuple(_array(table.c[name], rows) for name in columns)
    return [tuple(key) for key in connection.exec_driver_sql(_statement(table, columns, clash), arrays)]


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


def _array(column: Column[Any], rows: Sequence[Row]) -> list[Any]:
    values = [row[column.name] for row in rows]
    if not isinstance(column.type, UtcDateTime):
        return values
    try:
        return [column.type.process_bind_param(value, _DIALECT) for value in values]
    except ValueError as error:
        raise StoreRefusedError(f"the database was given: {type(error).__name__}") from None


@cache
def _statement(table: Table, columns: tuple[str, ...], clash: Clash) -> str:
    arrays = ", ".join(f"%b::{_type(table.c[name])}[]" for name in columns)
    keys = ", ".join(column.name for column in table.primary_key.columns)
    replaced = ", ".join(f"{name} = excluded.{name}" for name in _replaced(table, clash))
    where = f" WHERE NOT {table.name}.handled" if clash is Clash.REVIVE else ""
    on_conflict = f"({keys}) DO UPDATE SET {replaced}{where}" if replaced else "DO NOTHING"
    target = f"INSERT INTO {table.name} ({', '.join(columns)})"
    # names are the schema's own, values are parameters
    return f"{target} SELECT * FROM unnest({arrays}) ON CONFLICT {on_conflict} RETURNING {keys}"  # noqa: S608


def _replaced(table: Table, clash: Clash) -> tuple[str, ...]:
    if clash is Clash.REPLACE_BODY:
        return ("body",)
    return tuple(c.name for c in table.columns if not c.primary_key) if clash is Clash.REVIVE else ()


def _type(column: Column[Any]) -> str:
    """The column's type without its length, which an array need not know."""
    return _LENGTH.sub("", column.type.compile(_DIALECT))
