"""Letters whose receipt is waited for, and those that were refused: listed, counted, one looked at closely."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, func, literal_column, select

from gateway.store.alarms import RECEIPT_CLOCK
from gateway.store.codec import Codec
from gateway.store.engine import reading
from gateway.store.outbox import standing
from gateway.store.schema import cases, clocks, keys_of, outbox
from gateway.store.transmissions import transmissions


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters: those that wait for a receipt, or the refused; of one receiver where given."""

    refused: bool = False
    #: only those that have waited since before this moment; waiting ones
    waits_since_before: datetime | None = None
    #: GLN
    receiver: str = ""


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """A letter of ours that wants a receipt."""

    letter_id: str
    kind: str
    closing: bool
    receiver: str
    case_id: str | None
    status: str
    sent_at: datetime | None
    waits_since: datetime | None
    verdict: str | None
    verdict_at: datetime | None
    #: which receipt said so, and the refuse code; nothing that a receiver wrote
    verdict_why: str | None
    last_error: str | None
    #: what the receiver called itself in its latest referral; empty where it sent none
    organisation: str = ""
    #: how often it was sent
    times: int = 0
    #: when it was first sent
    first_at: datetime | None = None
    #: since when its alarm stands
    alarm_at: datetime | None = None

    @property
    def standing(self) -> str:
        """To be given back when it is sent again."""
        return standing(self.verdict, self.times)


_OWN = tuple(name for name in Watched.__struct_fields__ if name in outbox.c)


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """One transmission of a letter."""

    at: datetime
    envelope_id: str


class Receipts:
    """The watch over receipts."""

    def __init__(self, engine: Engine, codec: Codec) -> None:
        self._engine = engine
        self._codec = codec

    def rows(self, watch: Watch, limit: int, offset: int = 0) -> list[Watched]:
        """A page of letters; what waits the longest first, what was refused the latest first."""
        latest, longest = (
            (outbox.c.verdict_at.desc(), outbox.c.letter_id.desc()),
            (outbox.c.waits_since, outbox.c.letter_id),
        )
        ids = select(outbox.c.letter_id).where(*_conditions(watch)).order_by(*(latest if watch.refused else longest))
        ids = ids.limit(limit).offset(offset)
        with reading(self._engine) as connection:
            return self._watched(connection, connection.scalars(ids).all())

    def count(self, watch: Watch) -> int:
        """How many."""
        with reading(self._engine) as connection:
            return count_watched(connection, watch)[0]

    def find(self, letter_id: str) -> Watched | None:
        """One letter that wanted a receipt or was refused, whatever became of it; None when there is none."""
        concerned = outbox.c.wants_receipt | outbox.c.verdict.is_not(None)
        ids = select(outbox.c.letter_id).where(outbox.c.letter_id == letter_id, concerned)
        with reading(self._engine) as connection:
            return next(iter(self._watched(connection, connection.scalars(ids).all())), None)

    def sendings(self, letter_id: str) -> list[Sending]:
        """When and in which envelope a letter went, the first first."""
        mine = select(transmissions).where(transmissions.c.letter_id == letter_id)
        with reading(self._engine) as connection:
            rows = connection.execute(mine.order_by(transmissions.c.at, transmissions.c.envelope_id))
            return [Sending(at=row.at, envelope_id=row.envelope_id) for row in rows]

    def _watched(self, connection: Connection, ids: Sequence[str]) -> list[Watched]:
        """The letters in the order of their ids, with what other tables know of them."""
        found = {
            r.letter_id: r for r in connection.execute(select(*keys_of(outbox)).where(outbox.c.letter_id.in_(ids)))
        }
        names = self._names(connection, ids)
        sent, alarms = _sent(connection, ids), _alarms(connection, ids)
        return [
            Watched(
                **{name: getattr(found[i], name) for name in _OWN},
                organisation=names.get(found[i].receiver, ""),
                times=sent[i].times if i in sent else 0,
                first_at=sent[i].first_at if i in sent else None,
                alarm_at=alarms.get(i),
            )
            for i in ids
            if i in found
        ]

    def _names(self, connection: Connection, ids: Sequence[str]) -> dict[str, str]:
        """What receivers call themselves, as the latest referral of each says."""
        receivers = select(outbox.c.receiver).where(outbox.c.letter_id.in_(ids)).distinct().subquery()
        latest = select(cases.c.referrer).where(cases.c.sender == receivers.c.receiver)
        latest_name = latest.order_by(cases.c.received_at.desc()).limit(1).scalar_subquery()
        rows = connection.execute(select(receivers.c.receiver, latest_name.label("name")))
        return {row.receiver: self._codec.open(row.name).decode() for row in rows if row.name is not None}


def count_watched(connection: Connection, watch: Watch) -> tuple[int, datetime | None]:
    """How many, and since when the one that waits longest does; what the overview says and what the page lists."""
    count, oldest = connection.execute(
        select(func.count(), func.min(outbox.c.waits_since)).where(*_conditions(watch))
    ).one()
    return count, oldest


def _conditions(watch: Watch) -> list[ColumnElement[bool]]:
    refused = outbox.c.verdict == literal_column("'refused'")  # a parameter would keep a prepared plan off the index
    found = [refused if watch.refused else outbox.c.waits_since.is_not(None)]
    if watch.waits_since_before is not None:
        found.append(outbox.c.waits_since < watch.waits_since_before)
    if watch.receiver:
        found.append(outbox.c.receiver == watch.receiver)
    return found


def _sent(connection: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    mine = transmissions.c.letter_id
    query = select(mine, func.count().label("times"), func.min(transmissions.c.at).label("first_at"))
    return {row.letter_id: row for row in connection.execute(query.where(mine.in_(ids)).group_by(mine))}


def _alarms(connection: Connection, ids: Sequence[str]) -> dict[str, datetime]:
    """Since when the alarms of letters stand."""
    on = and_(clocks.c.level.is_not(None), clocks.c.ended_at.is_(None))
    mine = clocks.c.id.in_([f"{RECEIPT_CLOCK}{letter_id}:1" for letter_id in ids])
    rows = connection.execute(select(clocks.c.subject, clocks.c.raised_at).where(mine, on))
    return {row.subject: row.raised_at for row in rows}
