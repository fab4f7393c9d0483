"""Finding cases and parked items by what people have in hand: an id, a sender, a citizen's number; indexed look-ups.

The number itself is never stored to search by: cases carry its keyed hash (``codec``).
"""

import re
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, false, or_, select

from gateway.referral.model import episode_key
from gateway.store.codec import Codec
from gateway.store.engine import reading
from gateway.store.overview import ParkedRow
from gateway.store.rows import Names, names_in
from gateway.store.schema import cases, keys_of, letters, messages, outbox, parked
from gateway.store.transmissions import transmissions

#: a CPR or its replacement, as people write it
_CITIZEN = re.compile(r"(\d{6})-?([0-9A-Za-z]{4})")
_CASE_PREFIX = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}")


class CaseHit(msgspec.Struct, frozen=True, kw_only=True):
    """A case that was found."""

    case_id: str
    state: str
    waits_for: str
    sender: str
    received_at: datetime
    programmes: Names
    teams: Names


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that fits, the latest first."""

    cases: tuple[CaseHit, ...] = ()
    parked: tuple[ParkedRow, ...] = ()
    #: there may be more
    cut: bool = False


def citizen_in(text: str) -> str | None:
    """The citizen's number that was typed, without hyphen; None for anything else.

    >>> citizen_in("010203-4567"), citizen_in("0102034567"), citizen_in("5790009999997")
    ('0102034567', '0102034567', None)
    """
    found = _CITIZEN.fullmatch(text.strip())
    return f"{found[1]}{found[2].upper()}" if found else None


class Search:
    """The one search box."""

    def __init__(self, engine: Engine, codec: Codec) -> None:
        self._engine = engine
        self._codec = codec

    def citizen_key(self, number: str) -> str:
        """What stands for a citizen where the number must not: in cases and in the audit log."""
        return self._codec.index(number)

    def of_citizen(self, number: str, limit: int = 50) -> Found:
        """The cases of a citizen."""
        key = self._codec.index(number)
        with reading(self._engine) as connection:
            return _found(connection, [select(cases.c.case_id).where(cases.c.citizen_index == key)], [], limit)

    def of_id(self, text: str, limit: int = 50) -> Found:
        """What an id stands for: case, episode, letter, message, envelope, parked item; or all of a sender."""
        written = text.strip()[:64]
        if not written:
            return Found()
        spellings = sorted({written, written.lower(), written.upper()})
        with reading(self._engine) as connection:
            digests = _digests(connection, spellings, limit)
            wanted = [*_cases_of(written, spellings, limit), _of(letters, letters.c.message.in_(digests))]
            own = [parked.c.id.in_(spellings), parked.c.letter_id.in_(spellings), parked.c.message.in_(digests)]
            by_sender = parked.c.sender == written
            return _found(connection, wanted, [*own, by_sender], limit)


def _cases_of(written: str, spellings: list[str], limit: int) -> list[Select[tuple[str]]]:
    """One small question for each thing the text may be; each has its index."""
    sent_in = select(transmissions.c.letter_id).where(
        transmissions.c.envelope_id.in_(spellings), transmissions.c.envelope_id != transmissions.c.letter_id
    )
    asked = [
        _of(letters, letters.c.letter_id.in_(spellings)),
        _of(outbox, outbox.c.letter_id.in_(spellings)),
        _of(outbox, outbox.c.message_id.in_(spellings) & (outbox.c.message_id != outbox.c.letter_id)),
        _of(outbox, outbox.c.letter_id.in_(sent_in)),
        select(cases.c.case_id).where(cases.c.sender == written).order_by(cases.c.received_at.desc()).limit(limit + 1),
    ]
    episode = episode_key(written)
    if episode is not None:
        asked.append(select(cases.c.case_id).where(cases.c.episode_key == episode[:35]))
    if _CASE_PREFIX.fullmatch(written.lower()):
        asked.append(select(cases.c.case_id).where(cases.c.case_id.between(written.lower(), f"{written.lower()}z")))
    return asked


def _of(table: Table, where: ColumnElement[bool]) -> Select[tuple[str]]:
    return select(table.c.case_id).where(table.c.case_id.is_not(None), where)


def _digests(connection: Connection, spellings: list[str], limit: int) -> list[str]:
    """A question per column: for an OR over several, a database may choose to read the whole table."""
    columns = (messages.c.digest, messages.c.envelope_id, messages.c.network_message_id, messages.c.network_envelope_id)
    asked = (select(messages.c.digest).where(column.in_(spellings)).limit(limit) for column in columns)
    return sorted({digest for query in asked for digest in connection.scalars(query)})


def _found(
    connection: Connection, wanted: list[Select[tuple[str]]], aside: list[ColumnElement[bool]], limit: int
) -> Found:
    ids = {case_id for query in wanted for case_id in connection.scalars(query.limit(limit + 1))}
    rows = select(*keys_of(cases)).where(cases.c.case_id.in_(ids)).order_by(cases.c.received_at.desc()).limit(limit)
    hits = connection.execute(rows).all() if ids else []
    put_aside = select(parked).where(or_(false(), *aside)).order_by(parked.c.parked_at.desc()).limit(limit)
    plain = ("case_id", "state", "waits_for", "sender", "received_at")
    return Found(
        cases=tuple(
            CaseHit(
                **{name: getattr(row, name) for name in plain},
                programmes=names_in(row.programmes),
                teams=names_in(row.teams),
            )
            for row in hits
        ),
        parked=tuple(
            ParkedRow(**{name: getattr(row, name) for name in ParkedRow.__struct_fields__})
            for row in (connection.execute(put_aside).all() if aside else [])
        ),
        cut=len(ids) > limit,
    )
