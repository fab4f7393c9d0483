"""Who did or saw what, when and why. Rows are only ever added, in the transaction of the change they tell of.

``chain`` of the table is the place for the hash that will make tampering evident.
"""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, Engine, select

from gateway.store.codec import Codec
from gateway.store.engine import insert, reading, writing
from gateway.store.schema import audit


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
            return [
                AuditRow(at=r.at, who=r.who, what=r.what, subject=r.subject, why=self._codec.open(r.why).decode())
                for r in connection.execute(query)
            ]


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
