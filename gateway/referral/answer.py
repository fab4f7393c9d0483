"""From letters' verdicts to the message's outcome: receipts by the standard's rules, duplicates, what is parked.

Receipts (design §5): VANSEnvelope in → VANS Receipt, XCTL beside it only where the municipality wants both or the
payload is mixed; bare Emessage in → XCTL, the positive one only when asked for, the negative one always. A known letter
gets the *stored* receipt and nothing else happens. Receipts and team events are never receipted.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.errors import Fault
from gateway.municipality.model import Municipality
from gateway.referral.attachments import AttachmentMessage, named_objects
from gateway.referral.correspondence import Correspondence, OtherLetter
from gateway.referral.events import GIVES_A_TEAM
from gateway.referral.handled import Handled
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.inbox import InboxLetter, InboxMessage, Keys, Known, LetterKey, Outcome, Parked
from gateway.referral.letters import AnsweredLetter, Arrival, Outgoing, Receipt, ReceivedReceipt
from gateway.referral.model import Referral, episode_key
from gateway.referral.reading import Reading, ReadLetter
from gateway.referral.receipts import receipts
from gateway.referral.reply import Reply

_replace = msgspec.structs.replace


def keys_of(reading: Reading) -> Keys:
    """What must be looked up before this message can be handled."""
    arrival = reading.arrival
    keys = Keys(
        digests=frozenset({reading.digest}),
        letters=frozenset(letter_key(letter, arrival) for letter in reading.letters),
        envelopes=frozenset({(arrival.sender_gln or "", arrival.envelope_id or "")}),
        network=_network_ids(arrival),
    )
    for letter in reading.letters:
        keys |= _keys_of_letter(letter)
    return keys


def _network_ids(arrival: Arrival) -> frozenset[str]:
    envelope = arrival.network
    return frozenset({envelope.message_id, envelope.envelope_id} - {""}) if envelope else frozenset()


def letter_key(letter: ReadLetter, arrival: Arrival) -> LetterKey:
    """(sender, letter id): the sender in the letter itself, else the envelope's."""
    content = letter.content
    if isinstance(content, Referral | Correspondence | AttachmentMessage):
        return (content.sender_gln, content.letter_id)
    if letter.type == "team-event":
        return ("team-event", letter.letter_id)
    return (arrival.sender_gln or "", letter.letter_id)


def _keys_of_letter(letter: ReadLetter) -> Keys:
    content = letter.content
    if isinstance(content, Referral | Correspondence):
        return Keys(
            episodes=frozenset(filter(None, {episode_key(content.episode_id)})),
            citizens=frozenset({content.citizen.identifier}),
            objects=frozenset(named_objects(content.attachments)),
        )
    if isinstance(content, AttachmentMessage):
        return Keys(objects=frozenset(one.object_id for one in content.objects))
    if isinstance(content, ReceivedReceipt):
        named = {content.envelope_id, content.message_id or "", *(x.letter_id for x in content.letters)}
        return Keys(sent=frozenset(named - {""}))
    if content is None or isinstance(content, OtherLetter):
        return Keys()
    return Keys(
        episodes=frozenset(filter(None, {episode_key(content.episode_of_care_id)})),
        case_ids=frozenset(filter(None, {content.case_id})),
        files_of_cases=content.type in GIVES_A_TEAM,
    )


def stored(reading: Reading, known: Known, at: datetime) -> Outcome | None:
    """The outcome of a message that was handled before: its stored receipts in new envelopes; None for a new one.

    Other content under the message id of a network's envelope gets the stored receipts too, and is put aside visibly.
    """
    before = known.message(reading.digest, reading.arrival)
    if before is None:
        return None
    message = _replace(_message(reading, at), receipts=before.receipts)
    parked = _changed(reading, known) if before.digest != reading.digest else ()
    return Outcome(message=message, resend=before.receipts, parked=parked, duplicate=not parked)


def _changed(reading: Reading, known: Known) -> tuple[Parked, ...]:
    """Letters that were not in the message when it came first."""
    keys = [(n, letter, letter_key(letter, reading.arrival)) for n, letter in enumerate(reading.letters, start=1)]
    new = [
        (n, letter) for n, letter, key in keys if key not in known.letters or known.letters[key].digest != letter.digest
    ]
    return tuple(_park(reading, Fault(id="GW-151"), f"{n}", letter, None) for n, letter in new)


def recognise(letter: ReadLetter, reading: Reading, known: Known) -> Handled | None:
    """A known letter, or a new one in an envelope whose id was used before; None for an ordinary new letter."""
    key = letter_key(letter, reading.arrival)
    before = known.letters.get(key) if all(key) else None
    if before is not None:
        changed = letter.content is not None and before.digest != letter.digest
        parked = (Fault(id="GW-151"),) if changed else ()
        return Handled(known=before, fault=before.fault, case_id=before.case_id, parked=parked)
    if not letter.is_answered:
        return None
    if known.envelope_was_used(reading.arrival):
        return Handled(fault=Fault(id="GW-150"))
    return None


def remember(known: Known, letter: ReadLetter, handled: Handled, reading: Reading) -> Known:
    """What is known after a letter, for the next one of the same message."""
    return known.after(_inbox_letter(letter, handled, reading), handled.cases, handled.objects)


def digest_of(data: bytes) -> str:
    """Hex SHA-256 of a message's bytes: its name in the inbox."""
    return hashlib.sha256(data).hexdigest()


def put_aside(reading: Reading, fault: Fault, at: datetime) -> Outcome:
    """The outcome of a message that was given up on: parked, nobody told."""
    return Outcome(message=_message(reading, at), parked=(_park(reading, fault, "0", None, None),))


class Composed(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome without its letters to send, and the receipts that are still to be encoded."""

    outcome: Outcome
    receipts: tuple[Reply, ...]


def compose(reading: Reading, handled: Sequence[Handled], municipality: Municipality, at: datetime) -> Composed:
    """Everything but the encoded letters."""
    fault = reading.fault
    letters = tuple(_inbox_letter(x, h, reading) for x, h in zip(reading.letters, handled, strict=True))
    named = (
        AnsweredLetter(letter_id=x.letter_id, version=x.version, fault=h.fault)
        for x, h in zip(reading.letters, handled, strict=True)
        if _needs_receipt(x, h, reading)
    )
    answered = tuple(dict.fromkeys(named))
    outcome = Outcome(
        message=_message(reading, at),
        letters=tuple(letter for letter in letters if all(letter.key)),
        cases=tuple(case for h in handled for case in h.cases),
        resend=tuple(dict.fromkeys(h.known.receipt_id for h in handled if h.known and h.known.receipt_id)),
        parked=_parked(reading, handled),
        settled=tuple(s for h in handled for s in h.settled),
        objects=tuple(one for h in handled for one in h.objects),
        joined=tuple(dict.fromkeys(key for h in handled for key in h.joined)),
    )
    answerable = answered or (fault is not None and not reading.letters)
    replies = receipts(reading, answered, fault, municipality, at) if answerable else []
    return Composed(outcome=outcome, receipts=tuple(replies))


def finish(composed: Composed, sent: Sequence[Outgoing]) -> Outcome:
    """The outcome with its letters; the receipts come first in ``sent`` and are remembered with what they answer."""
    outcome = composed.outcome
    ids = {
        answered.letter_id: letter.letter_id
        for reply, letter in zip(composed.receipts, sent, strict=False)
        if isinstance(reply.content, Receipt)
        for answered in reply.content.letters
    }
    receipt_ids = tuple(letter.letter_id for letter in sent[: len(composed.receipts)])
    letters = tuple(_replace(x, receipt_id=ids.get(x.key[1], x.receipt_id)) for x in outcome.letters)
    message = _replace(outcome.message, receipts=(*receipt_ids, *outcome.resend))
    return _replace(outcome, message=message, letters=letters, outgoing=tuple(sent))


def _message(reading: Reading, at: datetime) -> InboxMessage:
    return InboxMessage(
        digest=reading.digest,
        type=reading.message_type,
        arrival=reading.arrival,
        received_at=at,
        fault=reading.fault,
        warnings=reading.warnings,
    )


def _inbox_letter(letter: ReadLetter, handled: Handled, reading: Reading) -> InboxLetter:
    content = letter.content
    return InboxLetter(
        key=letter_key(letter, reading.arrival),
        type=letter.type,
        version=letter.version,
        digest=handled.known.digest if handled.known else letter.digest,
        fault=handled.fault or reading.fault,
        case_id=handled.case_id,
        receipt_id=handled.known.receipt_id if handled.known else None,
        decision=handled.decision,
        episode_id=content.episode_id if isinstance(content, Referral | Correspondence) else None,
        known=handled.known is not None,
    )


def _needs_receipt(letter: ReadLetter, handled: Handled, reading: Reading) -> bool:
    """A new letter; or a known one that was accepted without a receipt, if the sender asks for one now."""
    if not letter.is_answered:
        return False
    if handled.known is None:
        return True
    return handled.known.receipt_id is None and reading.arrival.positive_owed


def _parked(reading: Reading, handled: Sequence[Handled]) -> tuple[Parked, ...]:
    out = []
    if reading.fault is not None:
        out.append(_park(reading, reading.fault, "0", None, None))
    for n, (letter, result) in enumerate(zip(reading.letters, handled, strict=True), start=1):
        own = () if result.fault is None or result.known else (result.fault,)
        faults = list(dict.fromkeys((*own, *result.parked)))
        out += [_park(reading, f, at, letter, result) for f, at in zip(faults, _places(n, faults), strict=True)]
    return tuple(out)


def _places(letter: int, faults: list[Fault]) -> list[str]:
    """Where in the message each fault belongs; of one kind there may be several: each file waits for itself."""
    earlier = [[f.id for f in faults[:n]].count(fault.id) for n, fault in enumerate(faults)]
    return [f"{letter}.{n}" if n else f"{letter}" for n in earlier]


def _park(reading: Reading, fault: Fault, place: str, letter: ReadLetter | None, handled: Handled | None) -> Parked:
    cause = Cause(sender=reading.digest, id=place)
    return Parked(
        id=fhir_id(cause, "parked", fault.id),
        fault=fault,
        digest=reading.digest,
        sender=reading.arrival.sender_gln or "",
        letter_id=letter.letter_id if letter else "",
        case_id=handled.case_id if handled else None,
    )
