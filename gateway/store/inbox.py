"""Saving what messages led to, in one transaction; and finding what is known about the keys of a message.

Rows are inserted with ``ON CONFLICT DO NOTHING RETURNING``: a key that does not come back was saved by someone else in
between, and the whole batch is redone singly (``ConflictError``).
"""

from collections.abc import Iterable, Mapping, Sequence, Sized
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, or_, select, tuple_, update

from gateway.errors import ConflictError, Fault
from gateway.referral.case import Case, State
from gateway.referral.inbox import (
    Keys,
    Known,
    KnownLetter,
    KnownMessage,
    SentLetter,
)
from gateway.referral.letters import Outgoing
from gateway.referral.promises import Promises
from gateway.store.alarms import save_clocks
from gateway.store.audit import record
from gateway.store.bulk import Clash, put
from gateway.store.codec import Codec
from gateway.store.engine import reading, writing
from gateway.store.files import save_objects, settle_waiting, tracked_objects
from gateway.store.handover import hand_over
from gateway.store.outbox import send_again, settle
from gateway.store.replay import free_for_replay, settle_replay
from gateway.store.rows import Entry, case_row, letter_row, message_row, parked_row
from gateway.store.schema import (
    bodies,
    case_bodies,
    cases,
    decisions,
    events,
    letters,
    messages,
    outbox,
    outbox_bodies,
    parked,
    transmissions,
)

_CASE = msgspec.json.Decoder(Case)
_FAULT = msgspec.json.Decoder(Fault)
Rows = list[dict[str, Any]]


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
            return Known(
                messages=tuple(self._messages(connection, keys)),
                letters={letter.key: letter for letter in self._letters(connection, keys)},
                cases={case.case_id: case for case in self._cases(connection, keys)},
                sent=tuple(self._sent(connection, keys)),
                objects=objects,
            )

    def _messages(self, connection: Connection, keys: Keys) -> Iterable[KnownMessage]:
        envelopes = [key for key in keys.envelopes if all(key)]
        wanted = [messages.c.digest.in_(keys.digests)]
        if envelopes:
            wanted.append(tuple_(messages.c.sender, messages.c.envelope_id).in_(envelopes))
        if keys.vans:
            wanted += [messages.c.vans_message_id.in_(keys.vans), messages.c.vans_envelope_id.in_(keys.vans)]
        for row in connection.execute(select(messages).where(messages.c.handled, or_(*wanted))):
            yield KnownMessage(
                digest=row.digest,
                sender=row.sender,
                envelope_id=row.envelope_id,
                vans_message_id=row.vans_message_id,
                vans_envelope_id=row.vans_envelope_id,
                receipts=tuple(msgspec.json.decode(row.receipts)),
            )

    def _letters(self, connection: Connection, keys: Keys) -> Iterable[KnownLetter]:
        wanted = [key for key in keys.letters if all(key)]
        if not wanted:
            return
        query = select(letters).where(tuple_(letters.c.sender, letters.c.letter_id).in_(wanted))
        for row in connection.execute(query):
            yield KnownLetter(
                key=(row.sender, row.letter_id),
                digest=row.digest,
                accepted=row.fault is None,
                fault=_FAULT.decode(row.fault) if row.fault else None,
                case_id=row.case_id,
                receipt_id=row.receipt_id,
            )

    def _cases(self, connection: Connection, keys: Keys) -> Iterable[Case]:
        wanted = []
        if keys.case_ids:
            wanted.append(cases.c.case_id.in_(keys.case_ids))
        if keys.episodes:
            wanted.append(cases.c.episode_key.in_(keys.episodes))
        if keys.citizens:
            wanted.append(cases.c.citizen_index.in_([self._codec.index(c) for c in keys.citizens]))
        if not wanted:
            return
        query = select(case_bodies.c.body).join(cases, cases.c.case_id == case_bodies.c.case_id).where(or_(*wanted))
        for row in connection.execute(query):
            yield _CASE.decode(self._codec.open(row.body))

    def _sent(self, connection: Connection, keys: Keys) -> Iterable[SentLetter]:
        if not keys.sent:
            return
        by_envelope = select(transmissions.c.letter_id).where(transmissions.c.envelope_id.in_(keys.sent))
        wanted = or_(
            outbox.c.letter_id.in_(keys.sent), outbox.c.message_id.in_(keys.sent), outbox.c.letter_id.in_(by_envelope)
        )
        for row in connection.execute(select(outbox).where(wanted)).all():
            sent_in = select(transmissions.c.envelope_id).where(transmissions.c.letter_id == row.letter_id)
            yield SentLetter(
                letter_id=row.letter_id,
                message_id=row.message_id,
                envelopes=frozenset(connection.scalars(sent_in)),
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
            self._save_messages(connection, entries)
            self._save_letters(connection, entries)
            self._save_cases(connection, entries, now)
            self._save_history(connection, entries, now)
            new = self._save_outbox(connection, entries, now, claimed_until)
            _drop_drafts(connection, entries)
            save_objects(connection, self._codec, entries, now)
            self._save_rest(connection, entries, now)
            settle_waiting(connection, entries, now)
            for entry in entries:
                settle_replay(connection, entry.replays, entry.outcome)
                new -= hand_over(connection, entry, now)
        return new

    def _save_acts(self, connection: Connection, entries: Sequence[Entry], now: datetime) -> None:
        """What people did comes first: a second click on the same, or on what someone else settled, saves nothing."""
        for entry in entries:
            if entry.act is not None and not record(connection, self._codec, entry.act, now):
                raise ConflictError("this act is done already")
            if entry.act is not None and entry.replays is not None:
                free_for_replay(connection, entry.replays, entry.act, entry.outcome.message.digest, now)

    def _save_messages(self, connection: Connection, entries: Sequence[Entry]) -> None:
        rows = {e.outcome.message.digest: message_row(e) for e in entries if not e.outcome.duplicate}
        _all_new(put(connection, messages, [rows[digest] for digest in sorted(rows)], Clash.REVIVE), rows)
        sealed = [
            {"digest": e.outcome.message.digest, "body": self._codec.seal(e.data)}
            for e in entries
            if e.outcome.message.digest in rows
        ]
        put(connection, bodies, sealed)

    def _save_letters(self, connection: Connection, entries: Sequence[Entry]) -> None:
        rows = {
            letter.key: letter_row(letter, e.outcome)
            for e in entries
            if e.handled
            for letter in e.outcome.letters
            if not letter.known and not letter.may_come_again
        }
        _all_new(put(connection, letters, [rows[key] for key in sorted(rows)]), rows)

    def _save_cases(self, connection: Connection, entries: Sequence[Entry], now: datetime) -> None:
        """New cases inserted, changed ones updated on top of the number they were read with."""
        first: dict[str, int] = {}
        last: dict[str, Case] = {}
        standing: dict[str, Promises] = {}
        for entry in entries:
            standing |= entry.promises
            for case in entry.outcome.cases:
                first.setdefault(case.case_id, case.number)
                last[case.case_id] = case
        created = [self._case_row(last[i], standing, now) for i in sorted(last) if first[i] == 1]
        _all_new(put(connection, cases, created), created)
        for case_id in sorted(i for i in last if first[i] > 1):
            before = (cases.c.case_id == case_id) & (cases.c.number == first[case_id] - 1)
            row = self._case_row(last[case_id], standing, now)
            if connection.execute(update(cases).where(before).values(row)).rowcount != 1:
                raise ConflictError("a case was changed in between")
        sealed = [{"case_id": i, "body": self._codec.seal(msgspec.json.encode(case))} for i, case in last.items()]
        put(connection, case_bodies, sealed, Clash.REPLACE_BODY)
        changed = {i: last[i].number for i in last if first[i] > 1}
        save_clocks(connection, {i: standing[i].clocks for i in last}, changed, now)

    def _case_row(self, case: Case, standing: Mapping[str, Promises], now: datetime) -> dict[str, Any]:
        return case_row(case, standing[case.case_id], self._codec, now)

    def _save_history(self, connection: Connection, entries: Sequence[Entry], now: datetime) -> None:
        happened: dict[tuple[str, str], dict[str, Any]] = {}
        decided: Rows = []
        for case in (case for e in entries for case in e.outcome.cases):
            for event in case.events[-1:]:
                happened[case.case_id, event.event_id] = {
                    "case_id": case.case_id,
                    "event_id": event.event_id,
                    "type": event.type.value,
                    "team": event.team,
                    "occurred": event.occurred,
                    "received_at": now,
                    "body": self._codec.seal(msgspec.json.encode(event)),
                }
            if case.number == case.decided_as:
                decided.append(self._decision_row(case))
        put(connection, events, list(happened.values()))
        put(connection, decisions, decided)

    def _decision_row(self, case: Case) -> dict[str, Any]:
        return {
            "case_id": case.case_id,
            "number": case.number,
            "decided_at": case.earlier[-1].replaced_at if case.earlier else case.received_at,
            "outcome": case.decision.outcome,
            "made_by": case.decision.made_by[:200],
            "body": self._codec.seal(msgspec.json.encode(case.decision)),
        }

    def _save_outbox(
        self, connection: Connection, entries: Sequence[Entry], now: datetime, claimed_until: datetime | None
    ) -> frozenset[str]:
        sent = {letter.letter_id: letter for e in entries for letter in e.outcome.outgoing}
        rows = [
            {
                "letter_id": letter.letter_id,
                "message_id": letter.message_id,
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
            }
            for letter in sorted(sent.values(), key=lambda x: x.letter_id)
        ]
        new = frozenset(key for (key,) in put(connection, outbox, rows))
        sealed = [{"letter_id": i, "body": self._codec.seal(msgspec.msgpack.encode(sent[i]))} for i in sorted(new)]
        put(connection, outbox_bodies, sealed)
        return new

    def _save_rest(self, connection: Connection, entries: Sequence[Entry], now: datetime) -> None:
        for letter_id in (i for e in entries if e.answered_in is None for i in e.outcome.resend):
            send_again(connection, letter_id, now)
        for settled in (s for e in entries for s in e.outcome.settled if not s.again):
            settle(connection, settled, now)
        put(connection, parked, [parked_row(e, n, now) for e in entries for n in range(len(e.outcome.parked))])


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


def _all_new(saved: Sized, rows: Sized) -> None:
    if len(saved) != len(rows):
        raise ConflictError("a message, letter or case was saved in between")
