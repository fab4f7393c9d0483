"""The promises board: open cases as rows, late first, from columns; and what was sent for each."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, and_, func, select

from gateway.referral.clocks import ClockKind
from gateway.store.codec import Codec
from gateway.store.engine import reading
from gateway.store.rows import names_in
from gateway.store.schema import cases, clocks, keys_of, letters, outbox


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases; empty fields leave everything in."""

    team: str = ""
    programme: str = ""
    #: GLN of the referrer
    sender: str = ""
    waits_for: str = ""
    #: only those whose deadline is before this moment
    due_before: datetime | None = None


class Out(msgspec.Struct, frozen=True, kw_only=True):
    """A letter of ours: when it was due to go, when it went, and what came back."""

    kind: str
    status: str
    created_at: datetime
    sent_at: datetime | None
    verdict: str | None
    #: since when we wait for a receipt for it
    waits_since: datetime | None
    #: it is the closing note
    closing: bool


class BoardRow(msgspec.Struct, frozen=True, kw_only=True):
    """One open case. ``receipt``, ``status`` and ``discharge`` are None while nothing was written."""

    case_id: str
    state: str
    outcome: str
    sender: str
    referrer: str
    programmes: tuple[str, ...]
    teams: tuple[str, ...]
    waits_for: str
    due_at: datetime | None
    received_at: datetime
    decided_at: datetime | None
    team_accepted_at: datetime | None
    talked_at: datetime | None
    #: the referral speaks of danger, and nobody has decided yet
    urgent: bool
    receipt: Out | None = None
    status: Out | None = None
    discharge: Out | None = None


class Board:
    """Open cases."""

    def __init__(self, engine: Engine, codec: Codec) -> None:
        self._engine = engine
        self._codec = codec

    def rows(self, wanted: Filter, limit: int, offset: int = 0) -> list[BoardRow]:
        """A page of open cases, the earliest deadline first."""
        query = select(*keys_of(cases)).where(cases.c.is_open, *_conditions(wanted))
        query = query.order_by(cases.c.due_at.asc().nulls_last(), cases.c.received_at).limit(limit).offset(offset)
        with reading(self._engine) as connection:
            found = connection.execute(query).all()
            ids = [row.case_id for row in found]
            out = _sent_for(connection, ids)
            receipts = _receipts_of(connection, ids)
            urgent = _urgent(connection, ids)
        plain = ("case_id", "state", "outcome", "sender", "waits_for", "due_at", "received_at", "decided_at")
        return [
            BoardRow(
                **{name: getattr(row, name) for name in (*plain, "team_accepted_at", "talked_at")},
                urgent=row.case_id in urgent,
                referrer=self._codec.open(row.referrer).decode(),
                programmes=names_in(row.programmes),
                teams=names_in(row.teams),
                receipt=receipts.get(row.case_id),
                status=_latest(out.get(row.case_id, ()), closing=False),
                discharge=_latest(out.get(row.case_id, ()), closing=True),
            )
            for row in found
        ]

    def count(self, wanted: Filter) -> int:
        """How many open cases."""
        query = select(func.count()).select_from(cases).where(cases.c.is_open, *_conditions(wanted))
        with reading(self._engine) as connection:
            return connection.scalar(query) or 0

    def waiting(self, waits_for: str) -> tuple[int, datetime | None]:
        """How many open cases wait for this, and since when the oldest."""
        query = select(func.count(), func.min(cases.c.received_at)).where(cases.c.waits_for == waits_for)
        with reading(self._engine) as connection:
            count, oldest = connection.execute(query).one()
            return count, oldest


def _conditions(wanted: Filter) -> Iterable[ColumnElement[bool]]:
    if wanted.team:
        yield cases.c.teams.contains(f",{wanted.team},", autoescape=True)
    if wanted.programme:
        yield cases.c.programmes.contains(f",{wanted.programme},", autoescape=True)
    if wanted.sender:
        yield cases.c.sender == wanted.sender
    if wanted.waits_for:
        yield cases.c.waits_for == wanted.waits_for
    if wanted.due_before is not None:
        yield and_(cases.c.due_at.is_not(None), cases.c.due_at < wanted.due_before)


_OUT = tuple(outbox.c[name] for name in Out.__struct_fields__)


def _sent_for(connection: Connection, ids: Sequence[str]) -> dict[str, list[Out]]:
    query = select(outbox.c.case_id, *_OUT).where(outbox.c.case_id.in_(ids), outbox.c.channel == "medcom")
    found: dict[str, list[Out]] = {}
    for row in connection.execute(query.where(outbox.c.status != "superseded").order_by(outbox.c.created_at)):
        found.setdefault(row.case_id, []).append(_out(row))
    return found


def _receipts_of(connection: Connection, ids: Sequence[str]) -> dict[str, Out]:
    """The receipt of each case's first letter."""
    query = select(letters.c.case_id, *_OUT).join(outbox, outbox.c.letter_id == letters.c.receipt_id)
    query = query.where(letters.c.case_id.in_(ids)).order_by(letters.c.received_at.desc())
    return {row.case_id: _out(row) for row in connection.execute(query)}


def _urgent(connection: Connection, ids: Sequence[str]) -> frozenset[str]:
    mine = clocks.c.case_id.in_(ids) & (clocks.c.kind == ClockKind.URGENT.value) & clocks.c.ended_at.is_(None)
    return frozenset(connection.scalars(select(clocks.c.case_id).where(mine)))


def _out(row: object) -> Out:
    return Out(**{name: getattr(row, name) for name in Out.__struct_fields__})


def _latest(out: Iterable[Out], *, closing: bool) -> Out | None:
    found = [letter for letter in out if letter.closing == closing and letter.status != "draft"]
    return found[-1] if found else None
