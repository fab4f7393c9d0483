"""A refusal in words, for every standard's negative receipt: ids and rules only, never content of the message."""

from gateway.errors import Fault
from gateway.referral.letters import Receipt
from gateway.referral.workdays import COPENHAGEN


def refuse_text(fault: Fault, receipt: Receipt, letter_id: str | None) -> str:
    """The refusal in Danish: which envelope or letter, when it was sent, what is wrong. Ids and rules only."""
    arrival = receipt.arrival
    envelope_id = arrival.envelope_id or (arrival.network.envelope_id if arrival.network else "")
    what = f"Kuvert {envelope_id or 'uden id'}" if letter_id is None else f"Brev {letter_id or 'uden id'}"
    sent = arrival.sent_at.astimezone(COPENHAGEN) if arrival.sent_at else None
    when = f", afsendt {sent:%Y-%m-%d} kl. {sent:%H:%M}," if sent else ""
    return f"{what}{when} kan ikke modtages.\n{fault.text} ({fault.id})"
