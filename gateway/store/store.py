"""One store, its sides side by side; opening it brings the tables to the newest version."""

import secrets
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, inspect, select, text

from gateway.store.accounts import Accounts
from gateway.store.alarms import Alarms
from gateway.store.audit import Audit
from gateway.store.board import Board
from gateway.store.codec import Codec, CompressingCodec
from gateway.store.dossier import Dossiers
from gateway.store.engine import insert, open_engine, reading, writing
from gateway.store.inbox import Inbox
from gateway.store.outbox import CLAIM, Outbox
from gateway.store.overview import Overview
from gateway.store.parking import Parking
from gateway.store.past import Past
from gateway.store.receipts import Receipts
from gateway.store.reports import Reports
from gateway.store.schema import installation
from gateway.store.search import Search
from gateway.store.sessions import Sessions
from gateway.store.trends import Trends

_MIGRATIONS = Path(__file__).parent / "migrations"
#: the last of them
NEWEST = "0002"
#: any constant; holds back a second process that migrates the same PostgreSQL database at the same time
_MIGRATION_LOCK = 5_790_009


class Store:
    """Inbox, outbox and overview of one database."""

    def __init__(self, engine: Engine, by_key: Engine, codec: Codec, claim_time: timedelta = CLAIM) -> None:
        """``by_key`` serves the message path alone: whoever looks at the page cannot take its connections."""
        self.engine = engine
        self.by_key = by_key
        self.codec = codec
        self.inbox = Inbox(by_key, codec)
        self.outbox = Outbox(by_key, codec, claim_time)
        self.overview = Overview(engine)
        self.dossiers = Dossiers(engine, codec)
        self.parking = Parking(engine, codec)
        self.past = Past(engine, codec)
        self.receipts = Receipts(engine, codec)
        self.reports = Reports(engine, codec)
        self.audit = Audit(engine, codec)
        self.accounts = Accounts(engine)
        self.search = Search(engine, codec)
        self.sessions = Sessions(engine)
        self.board = Board(engine, codec)
        self.trends = Trends(engine)
        self.alarms = Alarms(engine)

    def ping(self) -> None:
        """Raise ``StoreError`` unless the database answers."""
        with reading(self.engine) as connection:
            connection.execute(select(1))

    def close(self) -> None:
        """Close all connections."""
        self.by_key.dispose()
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(url: str, claim_time: timedelta = CLAIM) -> Store:
    """Open (and create, or bring up to date) the store at a URL; letters are claimed for ``claim_time``.

    Raises:
        ConfigurationError: GW-301 for a URL that is neither SQLite nor PostgreSQL.
        StoreError: the database does not answer.
    """
    engine = open_engine(url)
    try:
        migrate(engine)
        codec = CompressingCodec(_index_key(engine))
        return Store(engine, open_engine(url, by_key=True), codec, claim_time)
    except BaseException:
        engine.dispose()
        raise


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest version; safe when several processes start at once."""
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        if _version(connection) != NEWEST:
            _upgrade(connection)


def _version(connection: Connection) -> str | None:
    known = inspect(connection).has_table("alembic_version")
    return connection.scalar(text("SELECT version_num FROM alembic_version")) if known else None


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  (10 MB and a tenth of the start, where nothing is to be done)
    from alembic.config import Config  # noqa: PLC0415  (as above)

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _index_key(engine: Engine) -> bytes:
    """The installation's key for hashed look-ups, made once."""
    row = {"name": "index_key", "value": secrets.token_hex(32)}
    with writing(engine) as connection:
        connection.execute(insert(connection, installation).on_conflict_do_nothing(), [row])
        found = connection.scalar(select(installation.c.value).where(installation.c.name == "index_key"))
    return bytes.fromhex(found or "")
