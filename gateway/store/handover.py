"""Receipts that the caller hands over himself (FHIR by HTTP): sent, in the transaction that saves what they answer."""

from datetime import datetime

from sqlalchemy import Connection, select

from gateway.store.rows import Entry
from gateway.store.schema import outbox
from gateway.store.transmissions import mark, marking

#: kind of the letter that answers a FHIR message
_KIND = "Acknowledgement"
_MARK_SENT = marking(status="sent")


def hand_over(connection: Connection, entry: Entry, now: datetime) -> frozenset[str]:
    """Mark the entry's Acknowledgement, new or stored, as sent in the caller's envelope; returns its letter id.

    Whether the caller heard it is not known: if not, he sends the message again and is given it in another envelope.
    """
    if entry.answered_in is None or not entry.outcome.message.receipts:
        return frozenset()
    mine = outbox.c.letter_id.in_(entry.outcome.message.receipts) & (outbox.c.kind == _KIND)
    ids = frozenset(connection.scalars(select(outbox.c.letter_id).where(mine)))
    mark(connection, _MARK_SENT, dict.fromkeys(ids, entry.answered_in), now)
    return ids
