"""Parked items for people: listed, discarded by two, each change in one transaction with its audit row."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, func, select, update

from gateway.errors import ConflictError
from gateway.store.audit import Act, record
from gateway.store.codec import Codec
from gateway.store.engine import reading, writing
from gateway.store.overview import ParkedRow
from gateway.store.replay import ParkedMessage, parked_message
from gateway.store.schema import letters, outbox, parked


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt that the sender got or will get."""

    letter_id: str
    kind: str
    status: str
    created_at: datetime
    sent_at: datetime | None


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Which items; empty fields leave everything in."""

    #: ``open``, ``discarded`` or ``replayed``
    state: str = "open"
    sender: str = ""
    fault_id: str = ""


class Parking:
    """What was put aside and waits for a person."""

    def __init__(self, engine: Engine, codec: Codec) -> None:
        self._engine = engine
        self._codec = codec

    def rows(self, chosen: Chosen, limit: int, offset: int = 0) -> list[ParkedRow]:
        """A page of items; what waits oldest first, what is settled newest first."""
        order = parked.c.parked_at if chosen.state == "open" else parked.c.parked_at.desc()
        query = select(parked).where(*_conditions(chosen)).order_by(order, parked.c.id).limit(limit).offset(offset)
        names = ParkedRow.__struct_fields__
        with reading(self._engine) as connection:
            return [ParkedRow(**{n: getattr(row, n) for n in names}) for row in connection.execute(query)]

    def count(self, chosen: Chosen) -> int:
        """How many."""
        query = select(func.count()).select_from(parked).where(*_conditions(chosen))
        with reading(self._engine) as connection:
            return connection.scalar(query) or 0

    def item(self, item_id: str) -> ParkedMessage | None:
        """One item with its message; None when there is none."""
        return parked_message(self._engine, self._codec, item_id)

    def told(self, item: ParkedMessage) -> list[Told]:
        """What the sender was answered."""
        names = Told.__struct_fields__
        query = select(*(outbox.c[name] for name in names)).where(outbox.c.letter_id.in_(item.receipts))
        with reading(self._engine) as connection:
            return [Told(**{n: getattr(row, n) for n in names}) for row in connection.execute(query)]

    def led_to(self, item: ParkedMessage) -> list[str]:
        """Cases that the message, or what was handled in its place, belongs to."""
        handled = [item.digest, item.handled_as or item.digest]
        query = select(letters.c.case_id).where(letters.c.message.in_(handled), letters.c.case_id.is_not(None))
        with reading(self._engine) as connection:
            found = set(connection.scalars(query)) | ({item.case_id} if item.case_id else set())
        return sorted(found)

    # -------------------------------------------------------------- discard
    def ask_discard(self, item_id: str, act: Act, now: datetime) -> None:
        """Propose to close an item for good; someone else must confirm.

        Raises:
            ConflictError: it is not open, someone proposed it before, or this click is done already; as all below.
        """
        asked = {"asked_at": now, "asked_by": act.who, "asked_why": act.why}
        self._change(item_id, parked.c.asked_by.is_(None), asked, (act, now))

    def confirm_discard(self, item_id: str, act: Act, now: datetime) -> None:
        """Close an item whose discarding someone else proposed."""
        closed = {"state": "discarded", "closed_at": now, "closed_by": act.who, "closed_why": parked.c.asked_why}
        self._change(item_id, parked.c.asked_by != act.who, closed, (act, now))

    def decline_discard(self, item_id: str, act: Act, now: datetime) -> None:
        """The item is not to be discarded: it goes on waiting."""
        nobody = {"asked_at": None, "asked_by": None, "asked_why": None}
        self._change(item_id, parked.c.asked_by.is_not(None), nobody, (act, now))

    def discard(self, item_id: str, act: Act, now: datetime) -> bool:
        """Close an item alone, for whoever runs the machine; False when there is no open one of that id."""
        closed = {"state": "discarded", "closed_at": now, "closed_by": act.who, "closed_why": act.why}
        try:
            self._change(item_id, parked.c.id == item_id, closed, (act, now))
        except ConflictError:
            return False
        return True

    def _change(
        self, item_id: str, where: ColumnElement[bool], change: Mapping[str, object], done: tuple[Act, datetime]
    ) -> None:
        mine = (parked.c.id == item_id) & (parked.c.state == "open") & where
        with writing(self._engine) as connection:
            if not record(connection, self._codec, *done):
                raise ConflictError("this act is done already")
            _one(connection, update(parked).where(mine).values(change))


def _one(connection: Connection, change: object) -> None:
    if connection.execute(change).rowcount != 1:  # type: ignore[call-overload]  # an UPDATE
        raise ConflictError("the parked item was settled in between")


def _conditions(chosen: Chosen) -> list[ColumnElement[bool]]:
    given = ((parked.c.state, chosen.state), (parked.c.sender, chosen.sender), (parked.c.fault_id, chosen.fault_id))
    return [column == value for column, value in given if value]
