"""What the store knows about the keys of messages.

What nearly every message asks, about its bytes, its letters and its cases, is one statement: each statement more is a
round trip more, which for a message of its own costs as much as reading it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    literal_column,
    null,
    select,
    union,
    union_all,
)

from gateway.errors import Fault
from gateway.referral.case import Case
from gateway.referral.inbox import Keys, Known, KnownLetter, KnownMessage, SentLetter
from gateway.store.among import among
from gateway.store.codec import Codec
from gateway.store.files import tracked_objects
from gateway.store.schema import cases, letters, messages, outbox
from gateway.store.transmissions import transmissions

_CASE = msgspec.json.Decoder(Case)
_FAULT = msgspec.json.Decoder(Fault)
_WIDTH = 6
#: a row of that width; what its columns are, tells the kind of thing it is of
Texts = list[Any]


def _rows(what: str, columns: Sequence[Column[Any]], *wanted: ColumnElement[bool]) -> Select[Any]:
    """Rows of texts, all of one width, which say first what they are."""
    padded = (*columns, *repeat(null(), _WIDTH - len(columns)))
    named = (column.label(f"c{number}") for number, column in enumerate(padded))
    return select(literal_column(f"'{what}'").label("what"), *named).where(*wanted)


_OF_MESSAGES = (
    messages.c.digest,
    messages.c.sender,
    messages.c.envelope_id,
    messages.c.network_message_id,
    messages.c.network_envelope_id,
    messages.c.receipts,
)
_OF_LETTERS = (
    letters.c.sender,
    letters.c.letter_id,
    letters.c.digest,
    letters.c.fault,
    letters.c.case_id,
    letters.c.receipt_id,
)

# Built once. By envelope id and letter id alone, which have an index; the sender is compared afterwards.
# A condition each, never joined by OR: what was planned while a table was empty would read it from end to end for ever.
_ASKED_BY_ALL = union_all(
    *(
        _rows("message", _OF_MESSAGES, messages.c.handled, among(column, name))
        for column, name in (
            (messages.c.digest, "digests"),
            (messages.c.envelope_id, "envelopes"),
            (messages.c.network_message_id, "network"),
            (messages.c.network_envelope_id, "network"),
        )
    ),
    _rows("letter", _OF_LETTERS, among(letters.c.letter_id, "letters")),
    *(
        _rows("case", (cases.c.case_id,), among(column, name))
        for column, name in (
            (cases.c.case_id, "cases"),
            (cases.c.episode_key, "episodes"),
            (cases.c.citizen_index, "citizens"),
        )
    ),
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


def known(connection: Connection, codec: Codec, keys: Keys) -> Known:
    """What the store holds about these keys."""
    objects = {one.object_id: one for one in tracked_objects(connection, codec, keys.objects)}
    named = {naming.case_id for one in objects.values() for naming in one.namings if naming.case_id}
    found = _asked_by_all(connection, codec, keys | Keys(case_ids=frozenset(named)))
    cases = {case.case_id: case for case in _cases(connection, codec, {case_id for case_id, *_ in found["case"]})}
    if keys.files_of_cases:
        more = frozenset().union(*(case.named_objects for case in cases.values())) - objects.keys()
        objects |= {one.object_id: one for one in tracked_objects(connection, codec, more)}
    return Known(
        messages=tuple(_messages(found["message"], keys)),
        letters={letter.key: letter for letter in _letters(found["letter"], keys)},
        cases=cases,
        sent=tuple(_sent(connection, keys)),
        objects=objects,
    )


def _asked_by_all(connection: Connection, codec: Codec, keys: Keys) -> dict[str, list[Texts]]:
    wanted = {
        "digests": keys.digests,
        "envelopes": [envelope_id for sender, envelope_id in keys.envelopes if sender and envelope_id],
        "network": keys.network,
        "letters": [letter_id for sender, letter_id in keys.letters if sender and letter_id],
        "cases": keys.case_ids,
        "episodes": keys.episodes,
        "citizens": [codec.index(citizen) for citizen in keys.citizens],
    }
    found: dict[str, list[Texts]] = {"message": [], "letter": [], "case": []}
    for what, *texts in connection.execute(_ASKED_BY_ALL, wanted) if any(wanted.values()) else ():
        found[what].append(texts)
    return found


def _messages(rows: Iterable[Texts], keys: Keys) -> Iterator[KnownMessage]:
    """A message that was found by several keys is one."""
    by_digest = {row[0]: row for row in rows}
    for digest, sender, envelope_id, network_message_id, network_envelope_id, receipts in by_digest.values():
        found = KnownMessage(
            digest=digest,
            sender=sender,
            envelope_id=envelope_id,
            network_message_id=network_message_id,
            network_envelope_id=network_envelope_id,
            receipts=tuple(msgspec.json.decode(receipts)),
        )
        if _is_wanted(found, keys):
            yield found


def _is_wanted(found: KnownMessage, keys: Keys) -> bool:
    """An envelope id is told apart by its sender; the other ids are unique."""
    by_envelope = (found.sender, found.envelope_id) in keys.envelopes and found.sender and found.envelope_id
    by_network = {found.network_message_id, found.network_envelope_id} & keys.network
    return bool(found.digest in keys.digests or by_envelope or by_network)


def _letters(rows: Iterable[Texts], keys: Keys) -> Iterator[KnownLetter]:
    for sender, letter_id, digest, fault, case_id, receipt_id in rows:
        if (sender, letter_id) in keys.letters:
            yield KnownLetter(
                key=(sender, letter_id),
                digest=digest,
                accepted=fault is None,
                fault=_FAULT.decode(fault) if fault else None,
                case_id=case_id,
                receipt_id=receipt_id,
            )


def _cases(connection: Connection, codec: Codec, ids: set[str]) -> Iterator[Case]:
    for row in connection.execute(_CASES, {"ids": sorted(ids)}) if ids else ():
        yield _CASE.decode(codec.open(row.body))


def _sent(connection: Connection, keys: Keys) -> Iterator[SentLetter]:
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
