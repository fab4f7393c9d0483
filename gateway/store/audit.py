"""Who did or saw what, when and why. Rows are only ever added, in the transaction of the change they tell of.

``chain`` of the table is the place for the hash that will make tampering evident.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Row, func, select

from gateway.store.codec import Codec
from gateway.store.engine import insert, reading, writing
from gateway.store.schema import audit

#: acts that are read at once where all are asked for
_PIECE = 1000


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What a person does, or sees that not everyone may see."""

    #: the account's name, or the operating system's user for a command
    who: str
    #: e.g. ``case.seen``, ``parked.replayed``
    what: str
    #: an id or a keyed hash; never a citizen's name or number
    subject: str = ""
    #: in the person's own words
    why: str = ""
    #: the form's key: the same click twice is one act; empty for what may happen any number of times
    key: str = ""


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """An act as it was written down."""

    at: datetime
    who: str
    what: str
    subject: str
    why: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which acts; empty fields leave everything in."""

    who: str = ""
    what: str = ""
    since: datetime | None = None
    before: datetime | None = None
    #: number of the last act that counts; acts have numbers in the order in which they were written down
    until: int


class Audit:
    """The acts of people."""

    def __init__(self, engine: Engine, codec: Codec) -> None:
        self._engine = engine
        self._codec = codec

    def write(self, act: Act, now: datetime) -> bool:
        """Write an act down that changes nothing else; False when its key was used before."""
        with writing(self._engine) as connection:
            return record(connection, self._codec, act, now)

    def is_done(self, key: str) -> bool:
        """Whether the act with this key was written down."""
        with reading(self._engine) as connection:
            return is_recorded(connection, key)

    def latest(self, subject: str | None = None, limit: int = 200) -> list[AuditRow]:
        """Acts, the latest first; those about one subject where it is given."""
        query = select(audit).order_by(audit.c.number.desc()).limit(limit)
        if subject is not None:
            query = query.where(audit.c.subject == subject)
        with reading(self._engine) as connection:
            return [self._row(row) for row in connection.execute(query)]

    def last_number(self) -> int:
        """The number of the latest act; 0 while there is none."""
        with reading(self._engine) as connection:
            return connection.scalar(select(func.max(audit.c.number))) or 0

    def count(self, asked: Asked) -> int:
        """How many acts."""
        with reading(self._engine) as connection:
            return connection.scalar(select(func.count()).select_from(audit).where(*_conditions(asked))) or 0

    def rows(self, asked: Asked, limit: int, offset: int = 0) -> list[AuditRow]:
        """A page of acts, the latest first."""
        query = select(audit).where(*_conditions(asked)).order_by(audit.c.number.desc()).limit(limit).offset(offset)
        with reading(self._engine) as connection:
            return [self._row(row) for row in connection.execute(query)]

    def all(self, asked: Asked) -> Iterator[AuditRow]:
        """Every act, the latest first, read piece by piece; no piece is held open while the caller works."""
        until = asked.until
        query = select(audit).order_by(audit.c.number.desc()).limit(_PIECE)
        while True:
            mine = query.where(*_conditions(msgspec.structs.replace(asked, until=until)))
            with reading(self._engine) as connection:
                found = connection.execute(mine).all()
            yield from map(self._row, found)
            if len(found) < _PIECE:
                return
            until = found[-1].number - 1

    def _row(self, row: Row[Any]) -> AuditRow:
        why = self._codec.open(row.why).decode()
        return AuditRow(at=row.at, who=row.who, what=row.what, subject=row.subject, why=why)


def _conditions(asked: Asked) -> Iterator[ColumnElement[bool]]:
    yield audit.c.number <= asked.until
    if asked.who:
        yield audit.c.who == asked.who
    if asked.what:
        yield audit.c.what == asked.what
    if asked.since is not None:
        yield audit.c.at >= asked.since
    if asked.before is not None:
        yield audit.c.at < asked.before


def is_recorded(connection: Connection, key: str) -> bool:
    """Whether the act with this key was written down."""
    return connection.scalar(select(audit.c.number).where(audit.c.act_key == key)) is not None


def record(connection: Connection, codec: Codec, act: Act, now: datetime) -> bool:
    """Write an act down inside the transaction of what it does; False when its key was used before."""
    row = {
        "at": now,
        "who": act.who[:100],
        "what": act.what,
        "subject": act.subject[:80],
        "why": codec.seal(act.why.encode()),
        "act_key": act.key or None,
    }
    statement = insert(connection, audit).values(row).on_conflict_do_nothing()
    return connection.scalar(statement.returning(audit.c.number)) is not None
