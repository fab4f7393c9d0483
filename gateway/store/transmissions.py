"""When and in which envelope our letters went.

Nearly every letter goes once, so its last transmission stands in the letter's own row; the ones before it, of letters
that were sent again, stand in a table of their own.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Update,
    bindparam,
    case,
    func,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.among import among, value_of
from gateway.store.schema import UtcDateTime, earlier_transmissions, outbox

_WENT = outbox.c.envelope_id.is_not(None)
#: every transmission, as if they stood in one table: letter_id, envelope_id, at
transmissions = union_all(
    select(outbox.c.letter_id, outbox.c.envelope_id, outbox.c.sent_at.label("at")).where(_WENT),
    select(*earlier_transmissions.columns),
).subquery("transmissions")
_MINE = among(outbox.c.letter_id, "ids")
_NOW_IN = value_of(outbox.c.letter_id, "envelopes")
#: the letters as they stand, each held: who marks it in the same moment waits, and then finds what we wrote
_HELD = (
    select(outbox.c.letter_id, outbox.c.envelope_id, outbox.c.sent_at, _NOW_IN.label("now_in"))
    .where(_MINE)
    .with_for_update()
    .cte("held")
)


def _earlier(stands: FromClause, now_in: ColumnElement[str], *mine: ColumnElement[bool]) -> Select[Any]:
    """Marking the same transmission once more, after a commit whose answer was lost, keeps no other one."""
    other = stands.c.envelope_id.is_not(None) & (stands.c.envelope_id != now_in)
    return select(stands.c.letter_id, stands.c.envelope_id, stands.c.sent_at).where(*mine, other)


_KEPT_AS = ["letter_id", "envelope_id", "at"]
# it may stand there already: marked, overtaken by someone else's mark, and marked once more
_KEEP_EARLIER = (
    sqlite.insert(earlier_transmissions)
    .from_select(_KEPT_AS, _earlier(outbox, _NOW_IN, _MINE))
    .on_conflict_do_nothing()
)
_KEEP_HELD = (
    postgresql.insert(earlier_transmissions)
    .from_select(_KEPT_AS, _earlier(_HELD, _HELD.c.now_in))
    .on_conflict_do_nothing()
)
#: asked before the first row is changed: all are held and read by then
_ALL_HELD = select(func.count()).select_from(_HELD).scalar_subquery() > 0


class Marking(msgspec.Struct, frozen=True, kw_only=True):
    """How letters are marked, by what the database can do."""

    #: after ``_KEEP_EARLIER``
    mark: Update
    #: both in one
    at_once: Update


def marking(**values: Any) -> Marking:  # noqa: ANN401  (as ``values`` of SQLAlchemy)
    """The statements for ``mark``: letters are out, each in its envelope; ``values`` change with it."""
    at = bindparam("at", type_=UtcDateTime())
    mark = update(outbox).where(_MINE).values(envelope_id=_NOW_IN, sent_at=at, claimed_until=None, **values)
    return Marking(mark=mark, at_once=mark.where(_ALL_HELD).add_cte(_KEEP_HELD.cte("kept")))


def mark(connection: Connection, marking: Marking, envelopes: Mapping[str, str], at: datetime) -> None:
    """Write down that letters went at that moment, each in an envelope by its id; an earlier transmission is kept.

    In PostgreSQL this is one statement.
    """
    given = {"ids": sorted(envelopes), "envelopes": json.dumps(envelopes), "at": at}
    if connection.dialect.name == "postgresql":
        connection.execute(marking.at_once, given)
    else:
        connection.execute(_KEEP_EARLIER, given)
        connection.execute(marking.mark, given)


def nth_latest(wanted: ColumnElement[bool], nth: int) -> Select[datetime]:
    """When the ``nth`` latest transmission went, of letters for which a condition on ``outbox`` holds.

    Each of the two places is asked for its own latest ones, along its index; ordered together, both were read whole.
    """
    last = select(outbox.c.sent_at.label("at")).where(wanted, _WENT, outbox.c.sent_at.is_not(None))
    earlier = select(earlier_transmissions.c.at).join(outbox, outbox.c.letter_id == earlier_transmissions.c.letter_id)
    places = ((last, outbox.c.sent_at), (earlier.where(wanted), earlier_transmissions.c.at))
    latest = union_all(*(select(of.order_by(at.desc()).limit(nth).subquery()) for of, at in places)).subquery()
    return select(latest.c.at).order_by(latest.c.at.desc()).offset(nth - 1).limit(1)


def times_sent() -> ColumnElement[int]:
    """How often a letter of the outbox went."""
    mine = select(func.count()).where(earlier_transmissions.c.letter_id == outbox.c.letter_id)
    return case((_WENT, 1), else_=0) + mine.scalar_subquery()
