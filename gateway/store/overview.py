"""What people ask the store: how much of what, how old, what waits for someone. Counts and ids only, no person data."""

from datetime import datetime

import msgspec
from sqlalchemy import Engine, func, select

from gateway.referral.letters import Channel
from gateway.store.alarms import AlarmCount, count_alarms
from gateway.store.engine import reading
from gateway.store.outbox import UNSENT
from gateway.store.receipts import Watch, count_watched
from gateway.store.schema import cases, messages, outbox, parked
from gateway.store.transmissions import nth_latest
from gateway.store.trends import FROM_OUTSIDE


class ParkedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A parked item as it is listed."""

    id: str
    fault_id: str
    detail: str
    sender: str
    letter_id: str
    #: which way it came: ``medcom`` or ``team``
    entrance: str
    case_id: str | None
    parked_at: datetime
    state: str


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """The store at a glance."""

    #: what senders sent, without the teams' own events
    messages: int
    cases_by_state: dict[str, int]
    outbox_pending: int
    outbox_oldest: datetime | None
    outbox_parked: int
    drafts: int
    #: letters that wait for a receipt since before the given moment; as many as the page lists
    without_receipt: int
    without_receipt_oldest: datetime | None
    parked: int
    parked_oldest: datetime | None
    alarms: tuple[AlarmCount, ...] = ()


class Overview:
    """Counts and lists."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def numbers(self, receipt_due: datetime) -> Numbers:
        """Everything ``gateway status`` and the metrics show; ``receipt_due`` = now less the receipt limit."""
        pending = UNSENT & (outbox.c.status == "pending")
        is_open = parked.c.state == "open"
        with reading(self._engine) as connection:
            by_state = connection.execute(select(cases.c.state, func.count()).group_by(cases.c.state)).all()
            counted = select(func.count(), func.min(outbox.c.created_at)).where(pending)
            outbox_pending, outbox_oldest = connection.execute(counted).one()
            without_receipt, without_receipt_oldest = count_watched(connection, Watch(waits_since_before=receipt_due))
            put_aside = select(func.count(), func.min(parked.c.parked_at)).where(is_open)
            parked_count, parked_oldest = connection.execute(put_aside).one()
            few = UNSENT & outbox.c.status.in_(("draft", "parked"))
            by_status = connection.execute(
                select(outbox.c.status, func.count()).where(few).group_by(outbox.c.status)
            ).all()
            statuses: dict[str, int] = {row[0]: row[1] for row in by_status}
            return Numbers(
                messages=connection.scalar(select(func.count()).select_from(messages).where(FROM_OUTSIDE)) or 0,
                cases_by_state={row[0]: row[1] for row in by_state},
                outbox_pending=outbox_pending,
                outbox_oldest=outbox_oldest,
                outbox_parked=statuses.get("parked", 0),
                drafts=statuses.get("draft", 0),
                without_receipt=without_receipt,
                without_receipt_oldest=without_receipt_oldest,
                parked=parked_count,
                parked_oldest=parked_oldest,
                alarms=count_alarms(connection),
            )

    def handed_over(self, channel: Channel, receiver: str | None, nth: int) -> datetime | None:
        """When the ``nth`` latest transmission went to a channel (and receiver).

        Queues are first in, first out: of ``nth`` messages that wait in one, this is the oldest.
        """
        there = outbox.c.channel == channel.value
        if receiver is not None:
            there &= outbox.c.receiver == receiver
        with reading(self._engine) as connection:
            return connection.scalar(nth_latest(there, nth)) if nth else None

    def parked_items(self, *, include_closed: bool = False, limit: int = 1000) -> list[ParkedRow]:
        """Parked items, oldest first."""
        query = select(parked).order_by(parked.c.parked_at, parked.c.id).limit(limit)
        if not include_closed:
            query = query.where(parked.c.state == "open")
        names = ParkedRow.__struct_fields__
        with reading(self._engine) as connection:
            return [ParkedRow(**{n: getattr(row, n) for n in names}) for row in connection.execute(query)]
