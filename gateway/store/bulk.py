"""Many rows into one table at once.

PostgreSQL takes the rows of a table as one JSON array, with each column of bytes as one binary array beside it, and all
tables in one statement: the same for any number of rows, so that it is prepared once (docs/adr/0017).
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Dialect, LargeBinary, Table
from sqlalchemy.dialects import postgresql

from gateway.errors import ConflictError, StoreRefusedError
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


class Put(msgspec.Struct, frozen=True):
    """Rows for one table."""

    table: Table
    rows: list[dict[str, Any]]
    clash: Clash = Clash.KEEP
    #: a row that was there already means that someone else was faster
    all_new: bool = False


#: what tells one statement from another: a table, the columns of its rows, and what a clash means
Shape = tuple[Table, tuple[str, ...], Clash]


def put(connection: Connection, table: Table, rows: list[dict[str, Any]], clash: Clash = Clash.KEEP) -> None:
    """Insert the rows into one table."""
    put_all(connection, [Put(table, rows, clash)])


def put_all(connection: Connection, puts: Sequence[Put]) -> dict[str, list[tuple[str, ...]]]:
    """Insert rows into several tables: in PostgreSQL with one statement, whatever their number.

    Returns:
        By table, the primary keys (as text) of the rows that were inserted or replaced, in no order.

    Raises:
        ConflictError: a row that must be new was there.
        StoreRefusedError: a value that cannot be stored (a naive moment, a lone surrogate).
    """
    given = [one for one in puts if one.rows]
    if not given:
        return {}
    saved = _at_once(connection, given) if connection.dialect.name == "postgresql" else _by_table(connection, given)
    if any(one.all_new and len(saved[one.table.name]) != len(one.rows) for one in given):
        raise ConflictError("a message, letter, case or file was saved in between")
    return saved


def _by_table(connection: Connection, puts: Sequence[Put]) -> dict[str, list[tuple[str, ...]]]:
    return {one.table.name: _one_by_one(connection, one.table, one.rows, one.clash) for one in puts}


def _at_once(connection: Connection, puts: Sequence[Put]) -> dict[str, list[tuple[str, ...]]]:
    saved: dict[str, list[tuple[str, ...]]] = {one.table.name: [] for one in puts}
    parameters: list[object] = []
    shapes = []
    for one in puts:
        columns = tuple(one.rows[0])
        binary = _binary(one.table, columns)
        # never in the JSON: as base64 they would be a third longer, and decoded again
        arrays = [[row[name] for row in one.rows] for name in binary]
        parameters += [_as_json(one.table, one.rows, binary), *arrays]
        shapes.append((one.table, columns, one.clash))
    for number, key in connection.exec_driver_sql(_statement(tuple(shapes)), tuple(parameters)):
        saved[puts[number].table.name].append(tuple(key))
    return saved


def _one_by_one(connection: Connection, table: Table, rows: Sequence[Row], clash: Clash) -> list[tuple[str, ...]]:
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
    saved = connection.execute(keyed.returning(*table.primary_key.columns), list(rows))
    return [tuple(str(part) for part in key) for key in saved]


def _as_json(table: Table, rows: Sequence[Row], binary: tuple[str, ...]) -> str:
    """The rows without these columns. A naive moment would be taken for one in the server's own zone."""
    for name in _moments(table):
        for row in rows:
            moment = row.get(name)
            if moment is not None and moment.tzinfo is None:
                raise StoreRefusedError("the database was given: ValueError")
    plain = [{name: row[name] for name in row if name not in binary} for row in rows] if binary else rows
    try:
        return msgspec.json.encode(plain).decode()
    except (UnicodeEncodeError, TypeError) as error:
        raise StoreRefusedError(f"the database was given: {type(error).__name__}") from None


@cache
def _moments(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if isinstance(column.type, UtcDateTime))


@cache
def _binary(table: Table, columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in columns if isinstance(table.c[name].type, LargeBinary))


@cache
def _statement(shapes: tuple[Shape, ...]) -> str:
    """One INSERT per table, and the keys that came of each under its number."""
    inserts = [f"p{number} AS ({_insert(*shape)})" for number, shape in enumerate(shapes)]
    # names are the schema's own, values are parameters
    told = [f"SELECT {number}, {_keys(table)} FROM p{number}" for number, (table, *_) in enumerate(shapes)]  # noqa: S608
    return f"WITH {', '.join(inserts)} {' UNION ALL '.join(told)}"


def _keys(table: Table) -> str:
    return f"ARRAY[{', '.join(f'{column.name}::text' for column in table.primary_key.columns)}]"


def _insert(table: Table, columns: tuple[str, ...], clash: Clash) -> str:
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
    return f"{target} SELECT * FROM {source} ON CONFLICT {on_conflict} RETURNING {keys}"  # noqa: S608  (as above)


def _replaced(table: Table, clash: Clash) -> tuple[str, ...]:
    if clash is Clash.REPLACE_BODY:
        return ("body",)
    return tuple(c.name for c in table.columns if not c.primary_key) if clash is Clash.REVIVE else ()


def _type(column: Column[Any]) -> str:
    """The column's type without its length, which an array need not know."""
    return _LENGTH.sub("", column.type.compile(_DIALECT))
