"""Handling a parked message anew so that it cannot happen twice: item, verdicts and outcome in one commit.

A receipt never changes its mind: what the sender was told is refused is not handled anew (docs/adr/0018).
"""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, Engine, delete, or_, select, update

from gateway.errors import ConflictError
from gateway.referral.inbox import Known, Outcome
from gateway.store.audit import Act
from gateway.store.codec import Codec
from gateway.store.engine import reading
from gateway.store.schema import letters, messages, parked

#: the letter was accepted, or is ours: handling the message anew would change nothing
NOT_REPLAYABLE = frozenset({"GW-112", "GW-117", "GW-150", "GW-151", "GW-171", "GW-172"})


class ParkedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A parked item with the bytes it was parked for."""

    id: str
    fault_id: str
    detail: str
    digest: str
    entrance: str
    sender: str
    letter_id: str
    case_id: str | None
    parked_at: datetime
    #: ``open``, ``discarded`` or ``replayed``
    state: str
    closed_at: datetime | None
    closed_by: str | None
    closed_why: str | None
    asked_at: datetime | None
    asked_by: str | None
    asked_why: str | None
    #: the message that was handled in its place: itself, or its corrected copy
    handled_as: str | None
    data: bytes
    #: our letter ids of the receipts that the message got
    receipts: tuple[str, ...] = ()
    #: our letter id of the receipt that told the sender of a refusal
    refused_by: str | None = None

    @property
    def obstacle(self) -> str:
        """Why handling the message anew can lead nowhere: ``settled``, ``accepted``, ``refused``, ``gone``; or empty.

        A sender that was told of a refusal acts on it: sends again, elsewhere, or by telephone. A later acceptance
        would contradict the receipt and could start the same course twice.
        """
        if self.state != "open":
            return "settled"
        if self.fault_id in NOT_REPLAYABLE:
            return "accepted"
        if self.refused_by is not None:
            return "refused"
        return "" if self.data else "gone"

    @property
    def can_be_replayed(self) -> bool:
        """Whether handling the message anew can lead anywhere."""
        return not self.obstacle


def parked_message(engine: Engine, codec: Codec, item_id: str) -> ParkedMessage | None:
    """One parked item with its message; None when there is none."""
    query = select(parked, messages.c.body, messages.c.receipts, messages.c.fault_id.label("message_fault"))
    query = query.outerjoin(messages, messages.c.digest == parked.c.message)
    with reading(engine) as connection:
        row = connection.execute(query.where(parked.c.id == item_id)).one_or_none()
        if row is None:
            return None
        receipts = tuple(msgspec.json.decode(row.receipts or "[]"))
        refused_by = _refused_by(connection, row.message, row.letter_id)
    if refused_by is None and not row.letter_id and row.message_fault is not None and receipts:
        refused_by = receipts[0]
    same = set(ParkedMessage.__struct_fields__) - {"digest", "data", "receipts", "refused_by"}
    return ParkedMessage(
        digest=row.message,
        data=codec.open(row.body) if row.body is not None else b"",
        receipts=receipts,
        refused_by=refused_by,
        **{name: getattr(row, name) for name in same},
    )


def _refused_by(connection: Connection, digest: str, letter_id: str) -> str | None:
    told = select(letters.c.receipt_id).where(
        letters.c.message == digest, letters.c.fault.is_not(None), letters.c.receipt_id.is_not(None)
    )
    return connection.scalar(told.where(letters.c.letter_id == letter_id) if letter_id else told)


def as_never_handled(known: Known, item: ParkedMessage) -> Known:
    """What is known, but for the parked message and the verdict on the parked letter."""
    concerned = {k for k in known.letters if item.letter_id in {"", k[1]}}
    undone = {k for k in concerned if not known.letters[k].accepted or known.letters[k].case_id is None}
    return msgspec.structs.replace(
        known,
        messages=tuple(m for m in known.messages if m.digest != item.digest),
        letters={k: letter for k, letter in known.letters.items() if k not in undone},
    )


def without_second_receipt(outcome: Outcome, item: ParkedMessage) -> Outcome:
    """The outcome of a replay as far as the sender has not had it: whoever was answered is not answered again."""
    outcome = msgspec.structs.replace(outcome, resend=())
    if not item.receipts:
        return outcome
    again = frozenset(outcome.message.receipts)
    return msgspec.structs.replace(
        outcome,
        message=msgspec.structs.replace(outcome.message, receipts=item.receipts),
        letters=tuple(
            msgspec.structs.replace(x, receipt_id=item.receipts[0]) if x.receipt_id in again else x
            for x in outcome.letters
        ),
        outgoing=tuple(x for x in outcome.outgoing if x.letter_id not in again),
    )


def free_for_replay(connection: Connection, item_id: str, act: Act, digest: str, now: datetime) -> None:
    """Close the item and forget the verdict it stands for, inside the transaction that saves the new outcome.

    ``digest`` names the bytes that are handled now: the parked message itself, or its corrected copy.

    Raises:
        ConflictError: the item is not open (any more): someone else settled it.
    """
    is_open = (parked.c.id == item_id) & (parked.c.state == "open")
    change = {"state": "replayed", "closed_at": now, "closed_by": act.who, "closed_why": act.why, "handled_as": digest}
    closed = update(parked).where(is_open).values(change).returning(parked.c.message, parked.c.letter_id)
    row = connection.execute(closed).one_or_none()
    if row is None:
        raise ConflictError("the parked item was settled in between")
    if row.message == digest:
        connection.execute(update(messages).where(messages.c.digest == digest).values(handled=False))
    nowhere = or_(letters.c.fault.is_not(None), letters.c.case_id.is_(None))
    mine = letters.c.message == row.message
    if row.letter_id:
        mine &= letters.c.letter_id == row.letter_id
    connection.execute(delete(letters).where(mine, nowhere))


def settle_replay(connection: Connection, item_id: str | None, outcome: Outcome) -> None:
    """What failed again for the same reason waits again."""
    reopened = dict.fromkeys(("closed_at", "closed_by", "closed_why", "handled_as"))
    for item in outcome.parked if item_id is not None else ():
        again = {"state": "open", "detail": item.fault.detail, **reopened}
        connection.execute(update(parked).where(parked.c.id == item.id).values(again))
