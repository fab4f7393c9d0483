"""How much came in and how fast it was answered, over hours; which referrals went where. Counts only."""

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Float, cast, extract, func, literal_column, select

from gateway.store.engine import reading
from gateway.store.rows import Names, names_in
from gateway.store.schema import cases, letters, messages, outbox

#: what senders sent; the teams' own events are no traffic. As text, not as a parameter, so that an index fits it
FROM_OUTSIDE: ColumnElement[bool] = messages.c.type != literal_column("'team-event'")


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """One hour: messages taken, and mean and longest seconds from taken to receipt sent."""

    #: ``2026-11-25T09``, UTC
    name: str
    messages: int = 0
    mean_s: float | None = None
    longest_s: float | None = None


class Trends:
    """Counts over time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def hours(self, since: datetime) -> dict[str, Hour]:
        """By hour name; an hour without messages is left out."""
        with reading(self._engine) as connection:
            hour = _hour(connection, messages.c.received_at)
            counted = select(hour, func.count()).where(messages.c.received_at >= since, FROM_OUTSIDE).group_by(hour)
            found = {row[0]: Hour(name=row[0], messages=row[1]) for row in connection.execute(counted)}
            took = _seconds(connection, messages.c.received_at, outbox.c.sent_at)
            answered = select(hour, func.avg(took), func.max(took)).where(messages.c.received_at >= since, FROM_OUTSIDE)
            answered = answered.join(letters, letters.c.message == messages.c.digest)
            answered = answered.join(outbox, outbox.c.letter_id == letters.c.receipt_id)
            answered = answered.where(outbox.c.sent_at.is_not(None)).group_by(hour)
            for name, mean, longest in connection.execute(answered):
                before = found.get(name, Hour(name=name))
                found[name] = msgspec.structs.replace(before, mean_s=float(mean), longest_s=float(longest))
        return found

    def since(self, moment: datetime) -> int:
        """Messages taken since then."""
        with reading(self._engine) as connection:
            query = select(func.count()).select_from(messages).where(messages.c.received_at >= moment, FROM_OUTSIDE)
            return connection.scalar(query) or 0

    def senders(self, since: datetime) -> dict[str, dict[str, int]]:
        """Messages since then by sender and fault id; the empty id stands for those without a fault."""
        counted = select(messages.c.sender, messages.c.fault_id, func.count())
        counted = counted.where(messages.c.received_at >= since, FROM_OUTSIDE)
        found: dict[str, dict[str, int]] = {}
        with reading(self._engine) as connection:
            for sender, fault, count in connection.execute(counted.group_by(messages.c.sender, messages.c.fault_id)):
                found.setdefault(sender, {})[fault or ""] = count
        return found

    def routed(self, since: datetime) -> dict[tuple[Names, Names], int]:
        """Referrals received since then by all their programmes and all their teams."""
        query = select(cases.c.programmes, cases.c.teams, func.count()).where(cases.c.received_at >= since)
        with reading(self._engine) as connection:
            rows = connection.execute(query.group_by(cases.c.programmes, cases.c.teams)).all()
        return {(names_in(programmes), names_in(teams)): count for programmes, teams, count in rows}


def _hour(connection: Connection, column: ColumnElement[datetime]) -> ColumnElement[str]:
    """The hour of a moment, in UTC."""
    if connection.dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24')
    return func.strftime("%Y-%m-%dT%H", column)


def _seconds(
    connection: Connection, start: ColumnElement[datetime], end: ColumnElement[datetime]
) -> ColumnElement[float]:
    if connection.dialect.name == "postgresql":
        return cast(extract("epoch", end - start), Float)
    return (func.julianday(end) - func.julianday(start)) * 86_400
