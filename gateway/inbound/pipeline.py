"""Read, look up, receive, save: one batch in one transaction.

Used by the consumer, the HTTP entrance and the commands alike.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
import structlog

from gateway.errors import SECURITY_FAULTS, ConflictError, Fault
from gateway.inbound.source import Delivery
from gateway.mapping.edifact.interchange import MESSAGE_TYPES
from gateway.mapping.medcom.letter_types import LETTER_TYPES
from gateway.mapping.medcom.other_types import OTHER_TYPES
from gateway.metrics import HANDLED, HANDLING_SECONDS, PARKED, SECURITY
from gateway.municipality.model import Municipality
from gateway.receive import Entrance, read, receive
from gateway.referral import answer
from gateway.referral.inbox import Keys, Known, Outcome
from gateway.referral.letters import Outgoing
from gateway.referral.promises import promises
from gateway.referral.reading import Reading
from gateway.store.audit import Act
from gateway.store.replay import ParkedMessage, as_never_handled, without_second_receipt
from gateway.store.rows import Entry
from gateway.store.store import Store

log = structlog.get_logger()
_CONFLICT_TRIES = 5
Reader = Callable[[bytes, Entrance], Reading]
#: what a metric may be labelled with; a type that we do not know is the sender's own text
_TYPES = (
    frozenset({"VANS PositiveMessage", "VANS NegativeMessage", "team-event", "unknown"})
    | {row.type for row in LETTER_TYPES}
    | {row.type for row in MESSAGE_TYPES}
    | OTHER_TYPES
)


class Pipeline:
    """The way from bytes to the store. Thread-safe: all state is in the store."""

    def __init__(
        self,
        store: Store,
        municipality: Municipality,
        clock: Callable[[], datetime],
        offer: Callable[[list[Outgoing], datetime], None] | None = None,
        reader: Reader = read,
    ) -> None:
        """``offer`` takes freshly saved letters straight to the relay; without it they wait to be claimed.

        ``reader`` is ``read`` with the installation's settings.
        """
        self._store = store
        self._municipality = municipality
        self._clock = clock
        self._offer = offer
        self._read = reader

    def answer_one(self, delivery: Delivery, envelope_id: str) -> Outcome:
        """Handle one message whose Acknowledgement the caller hands over himself, in that envelope.

        It is marked as sent in the transaction that saves the outcome. What is refused without an Acknowledgement is
        not stored, because the caller hears the reason at once.
        """
        return _again_on_conflict(lambda: self._answer(delivery, envelope_id))

    def _answer(self, delivery: Delivery, envelope_id: str) -> Outcome:
        now = self._clock()
        outcome = self._received(delivery, now)
        if outcome.message.receipts or not outcome.parked:
            entry = self._entry(delivery, outcome)
            self._commit([msgspec.structs.replace(entry, answered_in=envelope_id)], now)
        return outcome

    def handle_one(self, delivery: Delivery, *, keep_refused: bool = True, act: Act | None = None) -> Outcome:
        """Handle one message; a conflict with another process is looked at anew.

        ``keep_refused`` False: what is refused is not stored, because the caller hears the reason at once.
        ``act`` is the person's act that the message stands for; it is written down with the message.
        """
        return _again_on_conflict(lambda: self._handle([delivery], keep_refused=keep_refused, act=act)[0])

    def replay(self, item: ParkedMessage, act: Act, corrected: bytes | None = None) -> Outcome:
        """Handle a parked message anew, or a corrected copy of it; the original bytes stay as they came.

        The item is closed in the transaction that saves the outcome, so that whoever comes second changes nothing.
        What fails again for the same reason waits again; a corrected copy that fails is not stored.

        Raises:
            ConflictError: it cannot be handled anew (``obstacle``), or someone settled it in between; nothing is saved.
        """
        if item.obstacle:
            raise ConflictError(f"the parked item cannot be handled anew: {item.obstacle}")
        delivery = Delivery(data=item.data if corrected is None else corrected, entrance=Entrance(item.entrance))
        now = self._clock()
        outcome = without_second_receipt(self._received(delivery, now, item), item)
        if corrected is None or not outcome.parked:
            entry = self._entry(delivery, outcome, act)
            self._commit([msgspec.structs.replace(entry, replays=item.id)], now)
        return outcome

    def handle(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """Handle a batch in one transaction; afterwards every outcome in the result is saved.

        Raises:
            NeighbourError: the store does not answer; nothing is saved.
            ConflictError: another process saved one of these letters or cases meanwhile; nothing is saved.
            Exception: a message that cannot be handled is among them; nothing is saved.
        """
        return self._handle(deliveries, keep_refused=True)

    def _handle(self, deliveries: Sequence[Delivery], *, keep_refused: bool, act: Act | None = None) -> list[Outcome]:
        started = time.perf_counter()
        readings = [self._read(d.data, d.entrance) for d in deliveries]
        keys = Keys()
        for reading in readings:
            keys |= answer.keys_of(reading)
        known = self._store.inbox.known(keys)
        now = self._clock()
        outcomes = []
        for delivery, reading in zip(deliveries, readings, strict=True):
            outcome = _bury(reading, known, now) if delivery.dead else receive(reading, known, self._municipality, now)
            known = known.fold(outcome)
            outcomes.append(outcome)
        if keep_refused or not any(outcome.parked for outcome in outcomes):
            entries = [self._entry(d, o, act) for d, o in zip(deliveries, outcomes, strict=True)]
            self._commit(entries, now)
        HANDLING_SECONDS.observe((time.perf_counter() - started) / len(deliveries))
        return outcomes

    def _received(self, delivery: Delivery, now: datetime, replayed: ParkedMessage | None = None) -> Outcome:
        """What one message leads to; nothing is saved. A parked one is looked at as if it had never been handled."""
        reading = self._read(delivery.data, delivery.entrance)
        known = self._store.inbox.known(answer.keys_of(reading))
        return receive(reading, as_never_handled(known, replayed) if replayed else known, self._municipality, now)

    def give_up(self, delivery: Delivery) -> Outcome:
        """Park a message that failed too often (GW-190); the same bytes may be handled again later."""
        reading = Reading(digest=answer.digest_of(delivery.data))
        now = self._clock()
        outcome = answer.put_aside(reading, Fault(id="GW-190"), now)
        try:
            self._commit([msgspec.structs.replace(self._entry(delivery, outcome), handled=False)], now)
        except ConflictError:
            log.info("message.handled_elsewhere", digest=reading.digest[:12])
            return Outcome(message=outcome.message, duplicate=True)
        return outcome

    def _entry(self, delivery: Delivery, outcome: Outcome, act: Act | None = None) -> Entry:
        return Entry(
            outcome=outcome,
            data=delivery.data,
            entrance=delivery.entrance.value,
            handled=not delivery.dead,
            promises={case.case_id: promises(case, self._municipality) for case in outcome.cases},
            act=act,
        )

    def _commit(self, entries: Sequence[Entry], now: datetime) -> None:
        until = now + self._store.outbox.claim_time if self._offer else None
        new = self._store.inbox.save(entries, now, until)
        outcomes = [entry.outcome for entry in entries]
        if self._offer and until and new:
            letters = [x for o in outcomes for x in o.outgoing if x.letter_id in new and not (x.draft or x.obstacle)]
            self._offer(letters, until)
        for outcome in outcomes:
            _tell(outcome)


def _fault_ids(outcome: Outcome) -> set[str]:
    letters = (letter.fault for letter in outcome.letters)
    parked = (item.fault for item in outcome.parked)
    return {fault.id for fault in (outcome.message.fault, *letters, *parked) if fault}


def _again_on_conflict(work: Callable[[], Outcome]) -> Outcome:
    """What another process saved in between is known at the next try."""
    for _ in range(_CONFLICT_TRIES - 1):
        try:
            return work()
        except ConflictError:
            log.info("message.conflict")
    return work()


def _bury(reading: Reading, known: Known, now: datetime) -> Outcome:
    """A dead letter is parked, unless it had been handled before the broker gave up on it."""
    outcome = answer.put_aside(reading, Fault(id="GW-191"), now)
    handled = any(message.digest == reading.digest for message in known.messages)
    return Outcome(message=outcome.message, duplicate=True) if handled else outcome


def _tell(outcome: Outcome) -> None:
    """One log line per message: ids, codes and counts only; one more where it may be an attack."""
    message = outcome.message
    for fault_id in sorted(_fault_ids(outcome) & SECURITY_FAULTS):
        SECURITY.labels(fault=fault_id).inc()
        log.warning("security.event", fault=fault_id, digest=message.digest[:12], sender=message.arrival.sender_gln)
    verdict = "duplicate" if outcome.duplicate else "parked" if outcome.parked else "accepted"
    HANDLED.labels(type=message.type if message.type in _TYPES else "other", verdict=verdict).inc()
    for item in outcome.parked:
        PARKED.labels(fault=item.fault.id).inc()
    log.info(
        "message.handled",
        digest=message.digest[:12],
        type=message.type,
        verdict=verdict,
        sender=message.arrival.sender_gln,
        envelope=message.arrival.envelope_id,
        letters=[letter.key[1] for letter in outcome.letters],
        faults=[item.fault.id for item in outcome.parked],
        outcomes=[letter.decision.outcome for letter in outcome.letters if letter.decision],
        sending=[f"{letter.kind} {letter.letter_id}" for letter in outcome.outgoing],
        settled=[f"{s.letter_id} {s.verdict}{' again' * s.again}" for s in outcome.settled],
    )
