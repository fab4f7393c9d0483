"""Outcomes to save: a test says only what matters to it."""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec

from gateway.errors import Fault
from gateway.municipality.model import load
from gateway.receive import read, receive
from gateway.referral.case import Case
from gateway.referral.events import Author, EventType, TeamEvent
from gateway.referral.inbox import InboxLetter, InboxMessage, Keys, Known, Outcome, Parked
from gateway.referral.letters import Arrival, Channel, Outgoing
from gateway.referral.promises import promises
from gateway.simulate.stories import recorded
from gateway.store.rows import Entry

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SENDER = "5790009991014"
REFERRAL = recorded()["01-type-2-diabetes.xml"]
change = msgspec.structs.replace


def later(**by: float) -> datetime:
    return NOW + timedelta(**by)


def digest_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def message(name: str = "message", **changes: object) -> InboxMessage:
    arrival = Arrival(sender_gln=SENDER, receiver_gln="5790009999997", envelope_id=f"E{name}"[:14])
    given = {"digest": digest_of(name), "type": "XREF15", "arrival": arrival, "received_at": NOW}
    return InboxMessage(**given | changes)


def letter(letter_id: str = "LETTER", **changes: object) -> InboxLetter:
    given = {"key": (SENDER, letter_id), "type": "XREF15", "version": "XH1530R", "digest": digest_of(letter_id)}
    return InboxLetter(**given | changes)


def outgoing(letter_id: str = "OUT1", **changes: object) -> Outgoing:
    given = {
        "letter_id": letter_id,
        "message_id": f"message-{letter_id}",
        "kind": "XDIS91",
        "version": "XD9134L",
        "channel": Channel.MEDCOM,
        "receiver": SENDER,
        "sender": "5790009999997",
        "at": NOW,
        "content": b"<ClinicalEmail>" + b"tekst om borgeren " * 40 + b"</ClinicalEmail>",
    }
    return Outgoing(**given | changes)


@cache
def recorded_outcome(name: str = "01-type-2-diabetes.xml") -> Outcome:
    return receive(read(recorded()[name]), Known(), load(), NOW)


def case(case_id: str = "", **changes: object) -> Case:
    original = recorded_outcome().cases[0]
    return change(original, case_id=case_id or original.case_id, **changes)


def event(event_id: str = "event-1", **changes: object) -> TeamEvent:
    given = {
        "event_id": event_id,
        "type": EventType.CONTACTED,
        "team": "sundhedskonsulenter",
        "occurred": NOW,
        "author": Author(name="Karen Prøvekonsulent"),
    }
    return TeamEvent(**given | changes)


def parked(item_id: str = "parked-1", **changes: object) -> Parked:
    given = {"id": item_id, "fault": Fault(id="GW-101"), "digest": digest_of("message"), "sender": SENDER}
    return Parked(**given | changes)


def entry(name: str = "message", *, data: bytes = b"<Emessage/>", entrance: str = "medcom", **parts: object) -> Entry:
    """A message's outcome; ``parts`` are those of ``Outcome``, and ``handled``."""
    handled = parts.pop("handled", True)
    outcome = Outcome(**{"message": message(name)} | parts)
    standing = {case.case_id: promises(case, load()) for case in outcome.cases}
    return Entry(outcome=outcome, data=data, entrance=entrance, handled=handled, promises=standing)


def keys(**given: object) -> Keys:
    return Keys(**{name: frozenset(values) for name, values in given.items()})
