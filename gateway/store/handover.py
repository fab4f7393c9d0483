"""Receipts that the caller hands over himself (FHIR by HTTP): sent, in the transaction that saves what they answer."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from gateway.store.engine import insert
from gateway.store.rows import Entry
from gateway.store.schema import outbox, transmissions

#: kind of the letter that answers a FHIR message
_KIND = "Acknowledgement"


def hand_over(connection: Connection, entry: Entry, now: datetime) -> frozenset[str]:
    """Mark the entry's Acknowledgement, new or stored, as sent in the caller's envelope; returns its letter id.

    Whether the caller heard it is not known: if not, he sends the message again and is given it in another envelope.
    """
    if entry.answered_in is None or not entry.outcome.message.receipts:
        return frozenset()
    mine = outbox.c.letter_id.in_(entry.outcome.message.receipts) & (outbox.c.kind == _KIND)
    ids = frozenset(connection.scalars(select(outbox.c.letter_id).where(mine)))
    connection.execute(update(outbox).where(mine).values(status="sent", sent_at=now, claimed_until=None))
    rows = [{"envelope_id": entry.answered_in, "letter_id": i, "at": now} for i in ids]
    connection.execute(insert(connection, transmissions), rows)
    return ids
