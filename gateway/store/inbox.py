"""Saving what messages led to, in one transaction.

Rows are inserted with ``ON CONFLICT DO NOTHING RETURNING``: a key that does not come back was saved by someone else in
between, and the whole batch is redone singly (``ConflictError``).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, update

from gateway.errors import ConflictError
from gateway.referral.case import Case, State
from gateway.referral.inbox import Keys, Known
from gateway.referral.letters import FHIR, Carrier, Outgoing
from gateway.referral.promises import Promises
from gateway.store import lookups
from gateway.store.alarms import clock_rows
from gateway.store.audit import record
from gateway.store.bulk import Clash, Put, put_all
from gateway.store.codec import Codec
from gateway.store.engine import reading, writing
from gateway.store.files import object_rows, settle_waiting
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


class Inbox:
    """The inbox side of the store."""

    def __init__(self, engine: Engine, codec: Codec) -> None:
        self._engine = engine
        self._codec = codec

    # -------------------------------------------------------------- known
    def known(self, keys: Keys) -> Known:
        """What the store holds about these keys."""
        with reading(self._engine) as connection:
            return lookups.known(connection, self._codec, keys)

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
