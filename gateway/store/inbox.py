"""Saving what messages led to, in one transaction; and finding what is known about the keys of a message.

Rows are inserted with ``ON CONFLICT DO NOTHING RETURNING``: a key that does not come back was saved by someone else in
between, and the whole batch is redone singly (``ConflictError``).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, and_, select, union, union_all, update

from gateway.errors import ConflictError, Fault
from gateway.referral.case import Case, State
from gateway.referral.inbox import (
    Keys,
    Known,
    KnownLetter,
    KnownMessage,
    SentLetter,
)
from gateway.referral.letters import FHIR, Carrier, Outgoing
from gateway.referral.promises import Promises
from gateway.store.alarms import clock_rows
from gateway.store.among import among
from gateway.store.audit import record
from gateway.store.bulk import Clash, Put, put_all
from gateway.store.codec import Codec
from gateway.store.engine import reading, writing
from gateway.store.files import object_rows, settle_waiting, tracked_objects
from gateway.store.handover import hand_over
from gateway.store.outbox import send_again, settle
from gateway.store.replay import free_for_replay, settle_replay
from gateway.store.rows import Entry, case_row, letter_row, message_row, parked_row
from gateway.store.schema import (
    cases,
    letters,
    messages,
    outbox,
    parked,
)
from gateway.store.transmissions import transmissions

_CASE = msgspec.json.Decoder(Case)
_FAULT = msgspec.json.Decoder(Fault)

# The look-ups, built once. By envelope id and letter id alone, which have an index; the sender is compared afterwards.
# A condition each, never joined by OR: what was planned while a table was empty would read it from end to end for ever.
_MESSAGES = union(
    *(
        select(
            messages.c.digest,
            messages.c.sender,
            messages.c.envelope_id,
            messages.c.network_message_id,
            messages.c.network_envelope_id,
            messages.c.receipts,
        ).where(messages.c.handled, among(column, name))
        for column, name in (
            (messages.c.digest, "digests"),
            (messages.c.envelope_id, "envelopes"),
            (messages.c.network_message_id, "network"),
            (messages.c.network_envelope_id, "network"),
        )
    )
)
_LETTERS = select(
    letters.c.sender,
    letters.c.letter_id,
    letters.c.digest,
    letters.c.fault,
    letters.c.case_id,
    letters.c.receipt_id,
).where(among(letters.c.letter_id, "letters"))
_CASE_IDS = union_all(
    select(cases.c.case_id).where(among(cases.c.case_id, "cases")),
    select(cases.c.case_id).where(among(cases.c.episode_key, "episodes")),
    select(cases.c.case_id).where(among(cases.c.citizen_index, "citizens")),
)
_CASES = select(cases.c.body).where(among(cases.c.case_id, "ids"))
_SENT_IN = select(transmissions.c.letter_id).where(
    among(transmissions.c.envelope_id, "envelopes"), transmissions.c.envelope_id != transmissions.c.letter_id
)
_ENVELOPES = select(transmissions.c.letter_id, transmissions.c.envelope_id).where(
    among(transmissions.c.letter_id, "ids")
)
_SENT = union(
    *(
        select(outbox.c.letter_id, outbox.c.message_id, outbox.c.case_id, outbox.c.verdict).where(wanted)
        for wanted in (
            among(outbox.c.letter_id, "ids"),
            and_(among(outbox.c.message_id, "ids"), outbox.c.message_id != outbox.c.letter_id),
        )
    )
)


class Inbox:
    """The inbox side of the store."""

    def __init__(self, engine: Engine, codec: Codec) -> None:
        self._engine = engine
        self._codec = codec

    # -------------------------------------------------------------- known
    def known(self, keys: Keys) -> Known:
        """What the store holds about these keys."""
        with reading(self._engine) as connection:
            objects = {one.object_id: one for one in tracked_objects(connection, self._codec, keys.objects)}
            named = {naming.case_id for one in objects.values() for naming in one.namings if naming.case_id}
            keys |= Keys(case_ids=frozenset(named))
            cases = {case.case_id: case for case in self._cases(connection, keys)}
            if keys.files_of_cases:
                more = frozenset().union(*(case.named_objects for case in cases.values())) - objects.keys()
                objects |= {one.object_id: one for one in tracked_objects(connection, self._codec, more)}
            return Known(
                messages=tuple(self._messages(connection, keys)),
                letters={letter.key: letter for letter in self._letters(connection, keys)},
                cases=cases,
                sent=tuple(self._sent(connection, keys)),
                objects=objects,
            )

    def _messages(self, connection: Connection, keys: Keys) -> Iterable[KnownMessage]:
        envelopes = [envelope_id for sender, envelope_id in keys.envelopes if sender and envelope_id]
        wanted = {"digests": keys.digests, "envelopes": envelopes, "network": keys.network}
        for row in connection.execute(_MESSAGES, wanted):
            found = KnownMessage(
                digest=row.digest,
                sender=row.sender,
                envelope_id=row.envelope_id,
                network_message_id=row.network_message_id,
                network_envelope_id=row.network_envelope_id,
                receipts=tuple(msgspec.json.decode(row.receipts)),
            )
            if _is_wanted(found, keys):
                yield found

    def _letters(self, connection: Connection, keys: Keys) -> Iterable[KnownLetter]:
        wanted = [letter_id for sender, letter_id in keys.letters if sender and letter_id]
        for row in connection.execute(_LETTERS, {"letters": wanted}) if wanted else ():
            key = (row.sender, row.letter_id)
            if key not in keys.letters:
                continue
            yield KnownLetter(
                key=key,
                digest=row.digest,
                accepted=row.fault is None,
                fault=_FAULT.decode(row.fault) if row.fault else None,
                case_id=row.case_id,
                receipt_id=row.receipt_id,
            )

    def _cases(self, connection: Connection, keys: Keys) -> Iterable[Case]:
        citizens = [self._codec.index(citizen) for citizen in keys.citizens]
        wanted = {"cases": keys.case_ids, "episodes": keys.episodes, "citizens": citizens}
        ids = set(connection.scalars(_CASE_IDS, wanted)) if any(wanted.values()) else set()
        for row in connection.execute(_CASES, {"ids": sorted(ids)}) if ids else ():
            yield _CASE.decode(self._codec.open(row.body))

    def _sent(self, connection: Connection, keys: Keys) -> Iterable[SentLetter]:
        if not keys.sent:
            return
        by_envelope = connection.scalars(_SENT_IN, {"envelopes": keys.sent})
        found = connection.execute(_SENT, {"ids": keys.sent | set(by_envelope)}).all()
        envelopes: dict[str, set[str]] = {row.letter_id: set() for row in found}
        for letter_id, envelope_id in connection.execute(_ENVELOPES, {"ids": list(envelopes)}):
            envelopes[letter_id].add(envelope_id)
        for row in found:
            yield SentLetter(
                letter_id=row.letter_id,
                message_id=row.message_id,
                envelopes=frozenset(envelopes[row.letter_id]),
                case_id=row.case_id,
                verdict=row.verdict,
            )

    # -------------------------------------------------------------- save
    def save(self, entries: Sequence[Entry], now: datetime, claimed_until: datetime | None = None) -> frozenset[str]:
        """Save a batch in one transaction.

        Returns:
            The letter ids that are new in the outbox (claimed until ``claimed_until``, where given).

        Raises:
            ConflictError: someone saved one of these messages, letters or cases in between; nothing is saved.
            StoreError: the database does not answer; nothing is saved.
        """
        with writing(self._engine) as connection:
            self._save_acts(connection, entries, now)
            saved = put_all(connection, self._rows(connection, entries, now, claimed_until))
            _drop_drafts(connection, entries)
            self._save_rest(connection, entries, now)
            new = frozenset(letter_id for (letter_id,) in saved.get(outbox.name, ()))
            for entry in entries:
                settle_replay(connection, entry.replays, entry.outcome)
                new -= hand_over(connection, entry, now)
        return new

    def _rows(
        self, connection: Connection, entries: Sequence[Entry], now: datetime, claimed_until: datetime | None
    ) -> list[Put]:
        """Every row the batch leads to; what stands already and has changed is updated on the way."""
        return [
            *self._messages_in(entries),
            *self._letters_in(entries),
            *self._cases_in(connection, entries, now),
            *self._letters_out(entries, now, claimed_until),
            *object_rows(connection, self._codec, entries, now),
            Put(parked, [parked_row(e, n, now) for e in entries for n in range(len(e.outcome.parked))]),
        ]

    def _save_acts(self, connection: Connection, entries: Sequence[Entry], now: datetime) -> None:
        """What people did comes first: a second click on the same, or on what someone else settled, saves nothing."""
        for entry in entries:
            if entry.act is not None and not record(connection, self._codec, entry.act, now):
                raise ConflictError("this act is done already")
            if entry.act is not None and entry.replays is not None:
                free_for_replay(connection, entry.replays, entry.act, entry.outcome.message.digest, now)

    def _messages_in(self, entries: Sequence[Entry]) -> Iterable[Put]:
        by_digest = {e.outcome.message.digest: e for e in entries if not e.outcome.duplicate}
        new = [by_digest[digest] for digest in sorted(by_digest)]
        yield Put(messages, [message_row(entry, self._codec) for entry in new], Clash.REVIVE, all_new=True)

    def _letters_in(self, entries: Sequence[Entry]) -> Iterable[Put]:
        rows = {
            letter.key: letter_row(letter, e.outcome)
            for e in entries
            if e.handled
            for letter in e.outcome.letters
            if not letter.known and not letter.may_come_again
        }
        yield Put(letters, [rows[key] for key in sorted(rows)], all_new=True)

    def _cases_in(self, connection: Connection, entries: Sequence[Entry], now: datetime) -> Iterable[Put]:
        """New cases, and changed ones updated on top of the number they were read with."""
        first: dict[str, int] = {}
        last: dict[str, Case] = {}
        standing: dict[str, Promises] = {}
        for entry in entries:
            standing |= entry.promises
            for case in entry.outcome.cases:
                first.setdefault(case.case_id, case.number)
                last[case.case_id] = case
        for case_id in sorted(i for i in last if first[i] > 1):
            before = (cases.c.case_id == case_id) & (cases.c.number == first[case_id] - 1)
            row = self._case_row(last[case_id], standing, now)
            if connection.execute(update(cases).where(before).values(row)).rowcount != 1:
                raise ConflictError("a case was changed in between")
        created = [self._case_row(last[i], standing, now) for i in sorted(last) if first[i] == 1]
        yield Put(cases, created, all_new=True)
        changed = {i: last[i].number for i in last if first[i] > 1}
        yield clock_rows(connection, {i: standing[i].clocks for i in last}, changed, now)

    def _case_row(self, case: Case, standing: Mapping[str, Promises], now: datetime) -> dict[str, Any]:
        return case_row(case, standing[case.case_id], self._codec, now)

    def _letters_out(self, entries: Sequence[Entry], now: datetime, claimed_until: datetime | None) -> Iterable[Put]:
        sent = {letter.letter_id: letter for e in entries for letter in e.outcome.outgoing}
        rows = [
            {
                "letter_id": letter.letter_id,
                "message_id": letter.message_id if _is_told(letter) else letter.letter_id,
                "kind": letter.kind,
                "channel": letter.channel.value,
                "receiver": letter.receiver,
                "case_id": letter.case_id,
                "status": _first_status(letter),
                "created_at": now,
                "due_at": now,
                "claimed_until": None if letter.draft or letter.obstacle else claimed_until,
                "last_error": letter.obstacle or None,
                "attempts": 0,
                "repeats": 0,
                "wants_receipt": letter.wants_receipt,
                "closing": letter.closing,
                "body": self._codec.seal(msgspec.msgpack.encode(letter)),
            }
            for letter in sorted(sent.values(), key=lambda x: x.letter_id)
        ]
        yield Put(outbox, rows)

    def _save_rest(self, connection: Connection, entries: Sequence[Entry], now: datetime) -> None:
        for letter_id in (i for e in entries if e.answered_in is None for i in e.outcome.resend):
            send_again(connection, letter_id, now)
        for settled in (s for e in entries for s in e.outcome.settled if not s.again):
            settle(connection, settled, now)
        settle_waiting(connection, entries, now)


def _is_wanted(found: KnownMessage, keys: Keys) -> bool:
    """An envelope id is told apart by its sender; the other ids are unique."""
    by_envelope = (found.sender, found.envelope_id) in keys.envelopes and found.sender and found.envelope_id
    by_network = {found.network_message_id, found.network_envelope_id} & keys.network
    return bool(found.digest in keys.digests or by_envelope or by_network)


def _is_told(letter: Outgoing) -> bool:
    """Whether the receiver hears the message id: by the network's envelope or a FHIR MessageHeader."""
    return letter.carrier is not Carrier.BARE or letter.payload in FHIR


def _first_status(letter: Outgoing) -> str:
    if letter.draft:
        return "draft"
    return "parked" if letter.obstacle else "pending"


def _drop_drafts(connection: Connection, entries: Sequence[Entry]) -> None:
    """A drafted answer is asked for no longer once a person decided otherwise or the referrer sent a correction."""
    obsolete: dict[str, frozenset[str]] = {}
    for outcome, case in ((e.outcome, case) for e in entries for case in e.outcome.cases):
        decided = all(a.state is not State.DRAFTED_RETURN for a in case.assignments)
        if case.number > 1 and (decided or case.number == case.decided_as):
            obsolete[case.case_id] = frozenset(x.letter_id for x in outcome.outgoing if x.draft)
    if obsolete:
        mine = outbox.c.case_id.in_(sorted(obsolete)) & outbox.c.letter_id.not_in(frozenset().union(*obsolete.values()))
        connection.execute(update(outbox).where(mine, outbox.c.status == "draft").values(status="superseded"))
