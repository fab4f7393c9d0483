"""The clocks as they stand in the database, and the alarms they raise: each once, whatever number of processes looks.

A case's clocks are saved in the transaction that changes the case. ``tick`` does all else in statements that find and
mark in one go, so that a restart, a second process or a clock put back tells nobody twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, case, delete, func, literal, null, select, update

from gateway.referral.clocks import Clock, ClockKind
from gateway.referral.promises import Waits
from gateway.store.bulk import Put, put
from gateway.store.engine import reading, writing
from gateway.store.schema import UtcDateTime, cases, clocks, objects, outbox

#: a clock's levels, the mildest first
LEVELS = ("warning", "alarm", "overdue")
#: the beginning of the id of a letter's clock; after it the letter's id, and ``:1`` for the one that counts
RECEIPT_CLOCK = f"{ClockKind.RECEIPT.value}:"


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A clock that has rung: ids and times, nothing about a person."""

    kind: str
    #: case id, assignment id (``follow_up``), letter id (``receipt``) or the file's id (``attachment``)
    subject: str
    case_id: str | None
    #: ``warning``, ``alarm`` or ``overdue``
    level: str
    started_at: datetime
    due_at: datetime
    #: when it first rang
    raised_at: datetime
    #: None while what is waited for has not happened
    cleared_at: datetime | None = None


class AlarmCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many alarms of a kind and level are open."""

    kind: str
    level: str
    count: int
    #: since when the oldest is
    oldest: datetime


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at the clocks changed."""

    #: rang for the first time, or louder than before
    raised: tuple[Alarm, ...] = ()
    #: had rung, and what was waited for has happened
    cleared: tuple[Alarm, ...] = ()


class Alarms:
    """Clocks and alarms."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def tick(self, now: datetime, overdue: Iterable[Clock] = ()) -> Tick:
        """Ring what is due and clear what is over.

        ``overdue`` are clocks that no case keeps: of letters (``without_receipt``) and files (``without_file``).
        """
        with writing(self._engine) as connection:
            put(connection, clocks, [_row(clock, 1) for clock in overdue])
            _end_answered(connection, now)
            _end_come(connection, now)
            return Tick(raised=_ring(connection, now), cleared=_clear(connection, now))

    def without_receipt(self, sent_before: datetime) -> list[tuple[str, str | None, datetime]]:
        """(letter id, case id, sent at) of letters that still wait for a receipt and have no clock yet."""
        known = select(clocks.c.id).where(clocks.c.id == RECEIPT_CLOCK + outbox.c.letter_id + ":1")
        query = select(outbox.c.letter_id, outbox.c.case_id, outbox.c.waits_since)
        query = query.where(outbox.c.waits_since < sent_before, ~known.exists())
        with reading(self._engine) as connection:
            return [(row.letter_id, row.case_id, row.waits_since) for row in connection.execute(query)]

    def without_file(self, named_before: datetime) -> list[tuple[str, str, datetime]]:
        """(object id, case id, named at) of files that an open case waits for and that have no clock yet."""
        known = select(clocks.c.id).where(clocks.c.id == ClockKind.ATTACHMENT.value + ":" + objects.c.object_id + ":1")
        query = select(objects.c.object_id, objects.c.awaited_by, objects.c.changed_at).where(
            objects.c.awaited_by.in_(select(cases.c.case_id).where(_IS_OPEN)),
            objects.c.changed_at < named_before,
            ~known.exists(),
        )
        with reading(self._engine) as connection:
            return [(row.object_id, row.awaited_by, row.changed_at) for row in connection.execute(query)]

    def open(self, *, team: str = "", kind: str = "", limit: int = 1000) -> list[Alarm]:
        """Alarms that are on, of one team's cases where given: danger, then the loudest, then the earliest deadline."""
        danger = clocks.c.kind != ClockKind.URGENT.value
        order = case({level: n for n, level in enumerate(reversed(LEVELS))}, value=clocks.c.level)
        query = select(clocks).where(_IS_ON).order_by(danger, order, clocks.c.due_at, clocks.c.id).limit(limit)
        if kind:
            query = query.where(clocks.c.kind == kind)
        if team:
            query = query.join(cases, cases.c.case_id == clocks.c.case_id)
            query = query.where(cases.c.teams.contains(f",{team},", autoescape=True))
        with reading(self._engine) as connection:
            return [_alarm(row) for row in connection.execute(query)]

    def of_case(self, case_id: str) -> list[Alarm]:
        """Every alarm a case has raised, the first first."""
        query = select(clocks).where(clocks.c.case_id == case_id, clocks.c.level.is_not(None))
        with reading(self._engine) as connection:
            return [_alarm(row) for row in connection.execute(query.order_by(clocks.c.raised_at, clocks.c.id))]


#: clocks that the case does not keep itself: ``tick`` begins and ends them
_NO_CASES = (ClockKind.RECEIPT.value, ClockKind.ATTACHMENT.value)
_IS_OPEN = cases.c.waits_for != Waits.NOTHING.value
_IS_ON = clocks.c.level.is_not(None) & clocks.c.ended_at.is_(None) & clocks.c.cleared_at.is_(None)


def count_alarms(connection: Connection) -> tuple[AlarmCount, ...]:
    """How many alarms are on, by kind and level."""
    query = select(clocks.c.kind, clocks.c.level, func.count(), func.min(clocks.c.raised_at)).where(_IS_ON)
    rows = connection.execute(query.group_by(clocks.c.kind, clocks.c.level).order_by(clocks.c.kind, clocks.c.level))
    return tuple(AlarmCount(kind=row[0], level=row[1], count=row[2], oldest=row[3]) for row in rows)


# ------------------------------------------------------------------ a case's clocks
def clock_rows(
    connection: Connection, running: Mapping[str, tuple[Clock, ...]], numbers: Mapping[str, int], now: datetime
) -> Put:
    """Clocks of new and changed cases: what goes on is left alone, what is over ends, what is new begins.

    ``numbers`` are the numbers of the changed cases after the change; a case that is not among them is new.
    """
    going = _going(connection, sorted(numbers)) if numbers else {}
    wanted = {_key(clock): clock for found in running.values() for clock in found}
    over = sorted(clock_id for key, clock_id in going.items() if key not in wanted)
    if over:
        connection.execute(delete(clocks).where(clocks.c.id.in_(over), clocks.c.level.is_(None)))
        connection.execute(update(clocks).where(clocks.c.id.in_(over)).values(ended_at=now, next_at=None))
    begun = [clock for key, clock in wanted.items() if key not in going]
    return Put(clocks, [_row(clock, numbers.get(clock.case_id or "", 1)) for clock in begun])


def _going(connection: Connection, case_ids: Sequence[str]) -> dict[tuple[str, str, datetime], str]:
    mine = clocks.c.case_id.in_(case_ids) & clocks.c.ended_at.is_(None) & clocks.c.kind.not_in(_NO_CASES)
    rows = connection.execute(select(clocks.c.id, clocks.c.kind, clocks.c.subject, clocks.c.due_at).where(mine))
    return {(row.kind, row.subject, row.due_at): row.id for row in rows}


def _key(clock: Clock) -> tuple[str, str, datetime]:
    return clock.kind.value, clock.subject, clock.due_at


def _row(clock: Clock, number: int) -> dict[str, Any]:
    return {
        "id": f"{clock.kind.value}:{clock.subject}:{number}",
        "kind": clock.kind.value,
        "subject": clock.subject,
        "case_id": clock.case_id,
        "started_at": clock.started_at,
        "warn_at": clock.warn_at,
        "alarm_at": clock.alarm_at,
        "due_at": clock.due_at,
        "next_at": clock.warn_at or clock.alarm_at or clock.due_at,
    }


def put_away(connection: Connection, letter_id: str, times: int, now: datetime) -> None:
    """The clock of a letter that was refused is over and makes room for another; ``times`` it had been sent by then."""
    mine = f"{RECEIPT_CLOCK}{letter_id}:1"
    over = {
        "id": f"{mine}-{times}",
        "ended_at": func.coalesce(clocks.c.ended_at, literal(now, UtcDateTime())),
        "next_at": None,
    }
    connection.execute(update(clocks).where(clocks.c.id == mine).values(over))


# ------------------------------------------------------------------ a look at the clocks
def _end_answered(connection: Connection, now: datetime) -> None:
    """A receipt came, whichever it is: the letter's clock is over."""
    answered = select(outbox.c.letter_id).where(outbox.c.letter_id == clocks.c.subject, outbox.c.verdict.is_not(None))
    mine = (clocks.c.kind == ClockKind.RECEIPT.value) & clocks.c.ended_at.is_(None) & answered.exists()
    connection.execute(update(clocks).where(mine).values(ended_at=now, next_at=None))


def _end_come(connection: Connection, now: datetime) -> None:
    """The file came, or nobody waits for it any longer because the case has ended."""
    awaited = select(objects.c.object_id).where(
        objects.c.object_id == clocks.c.subject,
        objects.c.awaited_by.in_(select(cases.c.case_id).where(_IS_OPEN)),
    )
    mine = (clocks.c.kind == ClockKind.ATTACHMENT.value) & clocks.c.ended_at.is_(None) & ~awaited.exists()
    connection.execute(update(clocks).where(mine).values(ended_at=now, next_at=None))


def _ring(connection: Connection, now: datetime) -> tuple[Alarm, ...]:
    """The level each due clock has come to; one that nobody looked at for days rings once, at its last."""
    passed, high_time = clocks.c.due_at <= now, clocks.c.alarm_at <= now
    change = {
        "level": case((passed, LEVELS[2]), (high_time, LEVELS[1]), else_=LEVELS[0]),
        "next_at": case((passed, null()), (high_time, clocks.c.due_at), else_=_after_warning()),
        "raised_at": func.coalesce(clocks.c.raised_at, literal(now, UtcDateTime())),
    }
    due = update(clocks).where(clocks.c.next_at <= now, clocks.c.ended_at.is_(None)).values(change)
    return tuple(_alarm(row) for row in connection.execute(due.returning(clocks)))


def _after_warning() -> Any:  # noqa: ANN401  (SQLAlchemy's expression types say nothing here)
    return func.coalesce(clocks.c.alarm_at, clocks.c.due_at)


def _clear(connection: Connection, now: datetime) -> tuple[Alarm, ...]:
    over = clocks.c.ended_at.is_not(None) & clocks.c.level.is_not(None) & clocks.c.cleared_at.is_(None)
    cleared = update(clocks).where(over).values(cleared_at=now)
    return tuple(_alarm(row) for row in connection.execute(cleared.returning(clocks)))


def _alarm(row: Any) -> Alarm:  # noqa: ANN401  (a row of any query)
    return Alarm(**{name: getattr(row, name) for name in Alarm.__struct_fields__})
