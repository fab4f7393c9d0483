"""What is saved, as rows: an outcome's message, letters, cases and parked items with their searchable columns."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from gateway.referral.case import Case, State
from gateway.referral.inbox import InboxLetter, LetterKey, Outcome
from gateway.referral.model import episode_key
from gateway.referral.promises import Promises
from gateway.store.audit import Act
from gateway.store.codec import Codec

Names = tuple[str, ...]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A message's outcome with its bytes, ready to be saved."""

    outcome: Outcome
    data: bytes
    #: ``medcom``, ``fhir`` or ``team``
    entrance: str
    #: False: given up on; the same bytes may be handled again
    handled: bool = True
    #: where each changed case stands, by case id
    promises: Mapping[str, Promises] = {}
    #: a person's act that led to this message; written down with it
    act: Act | None = None
    #: id of the envelope in which the caller hands the message's Acknowledgement over; the relay does not send it
    answered_in: str | None = None
    #: id of the parked item that is handled anew
    replays: str | None = None


def case_row(case: Case, standing: Promises, codec: Codec, now: datetime) -> dict[str, Any]:
    """The case, its searchable columns and what the promises board shows."""
    return _board_columns(case, standing) | {
        "case_id": case.case_id,
        "number": case.number,
        "sender": case.referral.sender_gln,
        "episode_key": (episode_key(case.referral.episode_id) or "")[:35],
        "citizen_index": codec.index(case.referral.citizen.identifier),
        "referrer": codec.seal((case.referral.sender.organisation or "").encode()),
        "state": case.state.value,
        "outcome": case.decision.outcome,
        "review_team": case.decision.review_team,
        "respond_by": case.decision.respond_by.isoformat(),
        "received_at": case.received_at,
        "changed_at": now,
        "body": codec.seal(msgspec.json.encode(case)),
    }


def message_row(entry: Entry, codec: Codec) -> dict[str, Any]:
    """The message with its bytes."""
    message = entry.outcome.message
    known = message.as_known()
    fault = message.fault or next((letter.fault for letter in entry.outcome.letters if letter.fault), None)
    return {
        "digest": message.digest,
        "type": message.type[:35],
        "sender": known.sender,
        "envelope_id": known.envelope_id,
        "network_message_id": known.network_message_id,
        "network_envelope_id": known.network_envelope_id,
        "received_at": message.received_at,
        "fault_id": fault.id if fault else None,
        "receipts": msgspec.json.encode(message.receipts).decode(),
        "handled": entry.handled and not _may_come_again(entry),
        "body": codec.seal(entry.data),
    }


def _may_come_again(entry: Entry) -> bool:
    """A refused team event is looked at anew when the very same bytes come again: the case may have moved on."""
    return entry.entrance == "team" and bool(entry.outcome.parked)


def letter_row(letter: InboxLetter, outcome: Outcome) -> dict[str, Any]:
    """One letter of a message with our verdict."""
    key: LetterKey = letter.key
    return {
        "sender": key[0],
        "letter_id": key[1],
        "message": outcome.message.digest,
        "type": letter.type[:35],
        "version": letter.version[:35],
        "digest": letter.digest,
        "fault": msgspec.json.encode(letter.fault).decode() if letter.fault else None,
        "case_id": letter.case_id,
        "receipt_id": letter.receipt_id,
        "received_at": outcome.message.received_at,
    }


def _board_columns(case: Case, standing: Promises) -> dict[str, Any]:
    return {
        "is_open": standing.is_open,
        "due_at": standing.due_at,
        "waits_for": standing.waits_for.value,
        "decided_at": standing.decided_at,
        "team_accepted_at": standing.team_accepted_at,
        "talked_at": standing.talked_at,
        "discharged_at": case.discharged_at,
        "programmes": _joined(case.programmes),
        "teams": _joined(a.team for a in case.assignments if a.state is not State.REASSIGNED),
    }


def _joined(names: Iterable[str]) -> str:
    """Each name once, between commas, so that one is found by ``,name,``; at most 300 characters."""
    found = ","
    for name in dict.fromkeys(names):
        if len(found) + len(name) < 300:  # noqa: PLR2004  (the column's width)
            found += f"{name},"
    return found


def names_in(joined: str) -> Names:
    """The names of such a column."""
    return tuple(name for name in joined.split(",") if name)


def parked_row(entry: Entry, ordinal: int, now: datetime) -> dict[str, Any]:
    """One item of a message that was put aside."""
    item = entry.outcome.parked[ordinal]
    return {
        "id": item.id,
        "fault_id": item.fault.id,
        "detail": item.fault.detail,
        "message": item.digest,
        "entrance": entry.entrance,
        "sender": item.sender,
        "letter_id": item.letter_id,
        "case_id": item.case_id,
        "parked_at": now,
        "state": "open",
    }
