"""All that belongs to one case: the case, what came and what went for it, notes, and the messages themselves."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Engine, Row, Select, Table, select

from gateway.errors import ConflictError
from gateway.referral.case import Case
from gateway.store.audit import Act, record
from gateway.store.codec import Codec
from gateway.store.engine import reading, writing
from gateway.store.schema import cases, letters, messages, notes, outbox, parked

_CASE = msgspec.json.Decoder(Case)
_Kind = TypeVar("_Kind", bound=msgspec.Struct)


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """A letter or team event that came for the case."""

    type: str
    letter_id: str
    sender: str
    #: of the message it came in
    message: str
    received_at: datetime
    receipt_id: str | None


class Went(msgspec.Struct, frozen=True, kw_only=True):
    """A letter of ours, as the outbox has it."""

    letter_id: str
    kind: str
    channel: str
    receiver: str
    status: str
    created_at: datetime
    sent_at: datetime | None
    last_error: str | None
    wants_receipt: bool
    closing: bool
    verdict: str | None
    verdict_at: datetime | None
    verdict_why: str | None


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Words of a colleague for colleagues; they never leave the house."""

    at: datetime
    who: str
    text: str


class Aside(msgspec.Struct, frozen=True, kw_only=True):
    """A parked item that speaks of the case."""

    id: str
    fault_id: str
    parked_at: datetime
    state: str


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """A case with its history."""

    case: Case
    came: tuple[Came, ...]
    went: tuple[Went, ...]
    notes: tuple[Note, ...]
    asides: tuple[Aside, ...]


class Dossiers:
    """Cases, one at a time."""

    def __init__(self, engine: Engine, codec: Codec) -> None:
        self._engine = engine
        self._codec = codec

    def find(self, case_id: str) -> Dossier | None:
        """Everything about one case; None when there is none."""
        with reading(self._engine) as connection:
            body = connection.scalar(select(cases.c.body).where(cases.c.case_id == case_id))
            if body is None:
                return None
            came = connection.execute(_columns(Came, letters, letters.c.case_id == case_id)).all()
            receipts = [row.receipt_id for row in came if row.receipt_id]
            ours = (outbox.c.case_id == case_id) | outbox.c.letter_id.in_(receipts)
            went = connection.execute(_columns(Went, outbox, ours)).all()
            told = connection.execute(select(notes).where(notes.c.case_id == case_id)).all()
            asides = connection.execute(_columns(Aside, parked, parked.c.case_id == case_id)).all()
        return Dossier(
            case=_CASE.decode(self._codec.open(body)),
            came=_as(Came, came),
            went=_as(Went, went),
            notes=tuple(Note(at=r.at, who=r.who, text=self._codec.open(r.body).decode()) for r in told),
            asides=_as(Aside, asides),
        )

    def message(self, case_id: str, digest: str) -> bytes | None:
        """The bytes of a message that belongs to the case; None for any other."""
        query = select(messages.c.body).join(letters, letters.c.message == messages.c.digest)
        with reading(self._engine) as connection:
            body = connection.scalar(query.where(letters.c.case_id == case_id, messages.c.digest == digest).limit(1))
        return self._codec.open(body) if body is not None else None

    def add_note(self, case_id: str, text: str, act: Act, now: datetime) -> None:
        """Keep a note with its audit row.

        Raises:
            ConflictError: this click is done already.
        """
        row = {"id": secrets.token_hex(16), "case_id": case_id, "at": now, "who": act.who}
        with writing(self._engine) as connection:
            if not record(connection, self._codec, act, now):
                raise ConflictError("this act is done already")
            connection.execute(notes.insert(), [row | {"body": self._codec.seal(text.encode())}])


def _columns(kind: type[msgspec.Struct], table: Table, where: ColumnElement[bool]) -> Select[Any]:
    return select(*(table.c[name] for name in kind.__struct_fields__)).where(where)


def _as(kind: type[_Kind], rows: Sequence[Row[Any]]) -> tuple[_Kind, ...]:
    return tuple(kind(**{name: getattr(row, name) for name in kind.__struct_fields__}) for row in rows)
