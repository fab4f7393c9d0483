"""The outbox side of the store: letters are claimed for a while, sent, retried or parked; never lost, never doubled."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    update,
)

from gateway.referral.inbox import Settled
from gateway.referral.letters import Outgoing
from gateway.store.alarms import put_away
from gateway.store.audit import Act, is_recorded, record
from gateway.store.codec import Codec
from gateway.store.engine import reading, writing, writing_at_once
from gateway.store.schema import UtcDateTime, outbox
from gateway.store.transmissions import mark, marking, times_sent

#: not JSON, in which a letter's bytes would stand as base64: larger, and nothing compresses it
_LETTER = msgspec.msgpack.Decoder(Outgoing)
#: waits between attempts to send one letter that its receiver refuses to take; then it is parked
RETRY_AFTER = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=10))
#: how long a claimed or freshly written letter belongs to one process
CLAIM = timedelta(seconds=30)
#: in so many words: only letters of which this is said stand in the index ``outbox_due``
UNSENT: ColumnElement[bool] = outbox.c.status != literal_column("'sent'")
_ONCE_MORE = outbox.c.repeats > 0
#: a receipt may overtake the note that its letter went
_UNANSWERED = outbox.c.wants_receipt & outbox.c.verdict.is_(None)
_MARK_SENT = marking(
    last_error=None,
    status=case((_ONCE_MORE, "pending"), else_="sent"),
    repeats=case((_ONCE_MORE, outbox.c.repeats - 1), else_=0),
    waits_since=case((_UNANSWERED, func.coalesce(outbox.c.waits_since, bindparam("at", type_=UtcDateTime())))),
)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A transmission that a transport took over for good."""

    letter_id: str
    envelope_id: str
    at: datetime


class Outbox:
    """Letters not yet sent."""

    def __init__(self, engine: Engine, codec: Codec, claim_time: timedelta = CLAIM) -> None:
        self._engine = engine
        self._codec = codec
        self.claim_time = claim_time

    def claim(self, now: datetime, until: datetime, limit: int) -> list[Outgoing]:
        """Take due letters, oldest first, for this process alone until the claim runs out.

        A moment that lies further ahead than any claim or wait was written by a clock that has been set back since: it
        must not hold the letter until then.
        """
        # inside IN, PostgreSQL may run a locking sub-select more than once
        due = self.due(now, until).limit(limit).with_for_update(skip_locked=True).cte("due")
        with writing(self._engine) as connection:
            chosen = update(outbox).where(outbox.c.letter_id.in_(select(due.c.letter_id))).values(claimed_until=until)
            rows = connection.execute(chosen.returning(outbox.c.due_at, outbox.c.body)).all()
        return [_LETTER.decode(self._codec.open(row.body)) for row in sorted(rows, key=lambda row: row.due_at)]

    def due(self, now: datetime, until: datetime) -> Select[tuple[str]]:
        """Letters that may be claimed, oldest first."""
        claimed, due_at = outbox.c.claimed_until, outbox.c.due_at
        free = or_(claimed.is_(None), claimed < now, claimed > until + self.claim_time)
        is_due = or_(due_at <= now, due_at > until + RETRY_AFTER[-1])
        return select(outbox.c.letter_id).where(UNSENT, outbox.c.status == "pending", is_due, free).order_by(due_at)

    def mark_sent(self, done: Sequence[Sent]) -> None:
        """Letters that are out of our hands, with the envelope each went in."""
        if not done:
            return
        with writing_at_once(self._engine) as connection:
            mark(connection, _MARK_SENT, {sent.letter_id: sent.envelope_id for sent in done}, done[0].at)

    def mark_failed(self, letter_id: str, why: str, now: datetime, held_until: datetime | None = None) -> None:
        """One letter that the transport would not take: again later, or parked after the last attempt.

        ``held_until`` as for ``release``.
        """
        with writing(self._engine) as connection:
            row = connection.execute(select(outbox.c.attempts).where(outbox.c.letter_id == letter_id)).one()
            attempts = row.attempts + 1
            again = attempts <= len(RETRY_AFTER)
            due = now + RETRY_AFTER[attempts - 1] if again else now
            status = "pending" if again else "parked"
            change = {"attempts": attempts, "due_at": due, "status": status, "last_error": why, "claimed_until": None}
            mine = update(outbox).where(outbox.c.letter_id == letter_id, *_still_ours(held_until))
            connection.execute(mine.values(change))

    def release(
        self, letter_ids: Sequence[str], held_until: datetime | None = None, due_at: datetime | None = None
    ) -> None:
        """Give claimed letters back, no attempt counted: the neighbour is down, not the letter wrong.

        Args:
            letter_ids: which.
            held_until: when our latest claim on them runs out; what another process has claimed since is left alone.
            due_at: when they are to go instead of at once.
        """
        if letter_ids:
            change = {"claimed_until": None} | ({"due_at": due_at} if due_at else {})
            with writing(self._engine) as connection:
                mine = update(outbox).where(outbox.c.letter_id.in_(letter_ids), *_still_ours(held_until))
                connection.execute(mine.values(change))

    def release_all(self) -> None:
        """Give every claim back; only for a store that one process owns, at its start."""
        with writing(self._engine) as connection:
            connection.execute(update(outbox).where(outbox.c.status == "pending").values(claimed_until=None))

    def letter(self, letter_id: str) -> Outgoing | None:
        """One letter as it was written; None when there is none."""
        with reading(self._engine) as connection:
            row = connection.execute(select(outbox.c.body).where(outbox.c.letter_id == letter_id)).one_or_none()
        return _LETTER.decode(self._codec.open(row.body)) if row else None

    def resend(self, act: Act, now: datetime, seen: str | None = None) -> str:
        """Send the letter ``act.subject`` again, in a new envelope; the act is written down with it.

        Args:
            act: with a key it has its effect once.
            now: the present moment.
            seen: where the letter stood when the person looked (``standing``); once it stands elsewhere nothing is
                sent. None sends whatever came meanwhile.

        Returns:
            ``again``; or why not: ``unknown``; the status of what was never ready to go (``draft``, ``superseded``,
            ``parked`` where the receiver's address is missing); and where something was seen also ``delivered`` or
            ``refused`` when that receipt came meanwhile, ``pending`` when it is on its way, ``resent`` when it went.
        """
        with writing(self._engine) as connection:
            row, times = connection.execute(_for_one(act.subject)).one_or_none(), _times(connection, act.subject)
            why_not = "unknown" if row is None else _why_not(row, seen, times)
            if why_not and not (act.key and is_recorded(connection, act.key)):
                return why_not
            if record(connection, self._codec, act, now):
                _wait_anew(connection, act.subject, times, now)
                send_again(connection, act.subject, now)
        return "again"

    def resend_unanswered(self, sent_before: datetime, now: datetime, times: int) -> list[str]:
        """Letters without a receipt go once more, each ``times`` times at most; which ones."""
        late = (outbox.c.status == "sent") & (outbox.c.waits_since < sent_before) & (outbox.c.sent_at < sent_before)
        mine = update(outbox).where(late, times_sent() <= times)
        with writing(self._engine) as connection:
            return list(connection.scalars(mine.values(_back(now)).returning(outbox.c.letter_id)))


def _still_ours(held_until: datetime | None) -> Iterator[ColumnElement[bool]]:
    """Not sent, and not claimed by someone else, whose claim began when ours had run out and lasts longer."""
    yield outbox.c.status == "pending"
    if held_until is not None:
        yield outbox.c.claimed_until <= held_until


def standing(verdict: str | None, times: int) -> str:
    """Where a letter stands: its receipt, and how often it was sent. It changes with whatever may make a resend wrong.

    >>> standing(None, 1), standing("refused", 2)
    ('waiting-1', 'refused-2')
    """
    return f"{verdict or 'waiting'}-{times}"


def _for_one(letter_id: str) -> Select[Any]:
    """One letter, held until the transaction ends: a receipt that comes now waits for us, or we for it."""
    mine = select(outbox.c.status, outbox.c.attempts, outbox.c.verdict).where(outbox.c.letter_id == letter_id)
    return mine.with_for_update()


def _times(connection: Connection, letter_id: str) -> int:
    return connection.scalar(select(times_sent()).where(outbox.c.letter_id == letter_id)) or 0


def _why_not(row: Row[Any], seen: str | None, times: int) -> str:
    """Why a letter must not be sent again; empty when it may."""
    stands = seen is None or seen == standing(row.verdict, times)
    if seen is not None and (row.verdict == "delivered" or (row.verdict and not stands)):
        return str(row.verdict)
    if row.status not in {"pending", "sent"} and not (row.status == "parked" and row.attempts):
        return str(row.status)
    if seen is not None and row.status == "pending":
        return "pending"
    return "" if stands else "resent"


def _wait_anew(connection: Connection, letter_id: str, times: int, now: datetime) -> None:
    """After a refusal the same letter may get another verdict: its receipt is waited for anew, with another clock."""
    refused = update(outbox).where(outbox.c.letter_id == letter_id, outbox.c.verdict == "refused")
    if connection.execute(refused.values(verdict=None, verdict_at=None, verdict_why=None)).rowcount:
        put_away(connection, letter_id, times, now)


def send_again(connection: Connection, letter_id: str, now: datetime) -> None:
    """A letter that is out or was given up on goes back to the outbox; one on its way is sent once more after that."""
    mine = outbox.c.letter_id == letter_id
    waiting = update(outbox).where(mine, outbox.c.status == "pending")
    if connection.execute(waiting.values(repeats=outbox.c.repeats + 1)).rowcount == 0:
        out = (outbox.c.status == "sent") | ((outbox.c.status == "parked") & (outbox.c.attempts > 0))
        connection.execute(update(outbox).where(mine, out).values(_back(now)))


def _back(now: datetime) -> dict[str, object]:
    return {"status": "pending", "due_at": now, "claimed_until": None, "attempts": 0}


def settle(connection: Connection, settled: Settled, now: datetime) -> None:
    """A receipt came: the first verdict stands, unless what was delivered turns out to be refused."""
    gives_way = ("delivered",) if settled.verdict == "refused" else ()
    open_to_it = or_(outbox.c.verdict.is_(None), outbox.c.verdict.in_(gives_way))
    mine = update(outbox).where(outbox.c.letter_id == settled.letter_id, open_to_it)
    # sent anew after a refusal it waits for nothing until it is out: what comes before answers what was refused
    waits = outbox.c.wants_receipt & outbox.c.waits_since.is_not(None)
    anew = waits & (outbox.c.status == "pending") & outbox.c.sent_at.is_not(None)
    change = {
        "verdict": settled.verdict,
        "verdict_at": now,
        "verdict_why": settled.why,
        "waits_since": None,
        "status": case((anew, "sent"), else_=outbox.c.status),  # nobody needs it once more
        "repeats": case((anew, 0), else_=outbox.c.repeats),
    }
    connection.execute(mine.values(change))
