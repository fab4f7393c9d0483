"""Connections: one engine by URL, SQLite made safe, database trouble told as ``StoreError``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
)

from gateway.errors import ConfigurationError, StoreError, StoreRefusedError

_BUSY_MS = 10_000
#: a server that vanished without a word is noticed in half a minute, not when the kernel gives up
_LIBPQ = {
    "connect_timeout": 5,
    "application_name": "gateway",
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


#: for look-ups by key alone: a plan made while a table was empty would read it from end to end as long as it is kept,
#: and only an index read in its own order remembers which of its entries are over
_BY_KEY = {"options": "-c enable_seqscan=off -c enable_bitmapscan=off"}


def open_engine(url: str, *, by_key: bool = False) -> Engine:
    """An engine for ``sqlite:///FILE`` or ``postgresql://…`` (psycopg 3). No connection is made yet.

    ``by_key``: for statements that find their rows by a key; PostgreSQL is kept from planning to read a whole table.

    Raises:
        ConfigurationError: GW-301 for a URL of another kind.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError("GW-301", "the database URL cannot be read; see `gateway run --help`") from error
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in {None, "", ":memory:"}:
            raise ConfigurationError("GW-301", "the database URL must name a file: sqlite:///FILE")
        return _sqlite(parsed, Path(parsed.database or ""))
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=5,
            max_overflow=5,
            connect_args=_LIBPQ | (_BY_KEY if by_key else {}),
        )
    raise ConfigurationError("GW-301", "the database URL must begin with sqlite: or postgresql:")


def _sqlite(url: URL, file: Path) -> Engine:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder of the database file cannot be made: {type(error).__name__}") from error
    engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401  (DBAPI connections have no common type)
        connection.isolation_level = None  # we say BEGIN ourselves; pysqlite's own guess comes too late
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # what is receipted must survive a power cut
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # a reader that turns writer would fail half-way

    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction; committed at the end, rolled back on any error."""
    with _as_store_error(), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reading, without a transaction of its own."""
    with _as_store_error(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


@contextmanager
def writing_at_once(engine: Engine) -> Iterator[Connection]:
    """A transaction for what PostgreSQL writes in one statement, which commits by itself: two round trips less."""
    with reading(engine) if engine.dialect.name == "postgresql" else writing(engine) as connection:
        yield connection


@contextmanager
def _as_store_error() -> Iterator[None]:
    """Database trouble as our own error. The text holds the driver's class only: SQL and parameters hold persons' data.

    What the database refuses because of *what* it was given (too long, not unique, no such table) is the message's or
    our own fault and must not be taken for a broken neighbour: that would be tried again for ever.
    """
    try:
        yield
    except (DataError, IntegrityError, ProgrammingError, NotSupportedError) as error:
        raise StoreRefusedError(f"the database refused: {type(error.orig).__name__}") from None
    except DBAPIError as error:
        raise StoreError(f"the database failed: {type(error.orig).__name__}") from None
    except StatementError as error:
        raise StoreRefusedError(f"the database was given: {type(error.orig).__name__}") from None
    except SQLAlchemyError as error:
        raise StoreError(f"the database failed: {type(error).__name__}") from None


def insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, in the database's own dialect."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
