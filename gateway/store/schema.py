"""The tables. Keys and states stand in columns; whatever can name or describe a person is a sealed body (``codec``).

Times are UTC. The bodies of messages, cases and letters are the last column of their row; the database keeps large
ones apart from the keys that are searched (PostgreSQL out of line, SQLite on overflow pages; docs/adr/0023).
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

metadata = MetaData()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment. SQLite keeps no zone, so it is stored as UTC there and told so on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; naive moments are refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware again, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def _index_where(condition: str, name: str, *columns: str) -> Index:
    """An index of few rows among many: the others cost it nothing."""
    return Index(name, *columns, postgresql_where=text(condition), sqlite_where=text(condition))


def keys_of(table: Table) -> list[Column[Any]]:
    """All columns but the body, which is not to be read where it is not needed."""
    return [column for column in table.columns if column.name != "body"]


installation = Table(
    "installation",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("type", String(35), nullable=False),
    Column("sender", String(35), nullable=False),
    Column("envelope_id", String(64), nullable=False),
    Column("network_message_id", String(36), nullable=False),
    Column("network_envelope_id", String(36), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("fault_id", String(10)),
    Column("receipts", Text, nullable=False),
    # False: given up on (a bug); the same bytes may be handled again
    Column("handled", Boolean, nullable=False),
    # none once it is no longer kept
    Column("body", LargeBinary),
    Index("messages_envelope_id", "envelope_id"),
    Index("messages_sender", "sender", "received_at"),
    Index("messages_network_message", "network_message_id"),
    Index("messages_network_envelope", "network_envelope_id"),
    _index_where("type <> 'team-event'", "messages_received", "received_at"),
)

letters = Table(
    "letters",
    metadata,
    # first in the key: letters are looked up by it alone, too
    Column("letter_id", String(64), primary_key=True),
    Column("sender", String(64), primary_key=True),
    Column("message", String(64), nullable=False),
    Column("type", String(35), nullable=False),
    Column("version", String(35), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("fault", Text),
    Column("case_id", String(36)),
    Column("receipt_id", String(36)),
    Column("received_at", UtcDateTime, nullable=False),
    # hashed it takes a fifth of the room: digests are long, and only ever compared whole
    Index("letters_message", "message", postgresql_using="hash"),
    Index("letters_case", "case_id"),
)

cases = Table(
    "cases",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("sender", String(35), nullable=False),
    Column("episode_key", String(35), nullable=False),
    Column("citizen_index", String(32), nullable=False),
    Column("state", String(30), nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("review_team", String(60)),
    Column("respond_by", String(10), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    # what the promises board shows, so that no body is opened for it (referral/promises.py)
    Column("is_open", Boolean, nullable=False),
    # the next promise's deadline; none where nobody is kept waiting
    Column("due_at", UtcDateTime),
    Column("waits_for", String(20), nullable=False),
    Column("decided_at", UtcDateTime),
    Column("team_accepted_at", UtcDateTime),
    Column("talked_at", UtcDateTime),
    Column("discharged_at", UtcDateTime),
    # names between commas, with one at both ends
    Column("programmes", String(300), nullable=False),
    Column("teams", String(300), nullable=False),
    # sealed: the referring organisation as it calls itself, which may be a doctor's name
    Column("referrer", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("cases_episode", "episode_key"),
    Index("cases_citizen", "citizen_index"),
    Index("cases_received", "received_at", "state"),
    _index_where("is_open", "cases_open", "due_at"),
    Index("cases_waiting", "waits_for", "received_at"),
    Index("cases_sender", "sender", "received_at"),
)

# which letters name a file, and which files came under its id; sealed, without the files
objects = Table(
    "objects",
    metadata,
    # UUID without hyphens
    Column("object_id", String(32), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    # the case that waits for the file
    Column("awaited_by", String(36)),
    Column("body", LargeBinary, nullable=False),
    Index("objects_awaited", "awaited_by", "changed_at"),
)

files = Table(
    "files",
    metadata,
    Column("object_id", String(32), primary_key=True),
    # the attachment letter that it came in
    Column("sender", String(64), primary_key=True),
    Column("letter_id", String(64), primary_key=True),
    Column("extension", String(10), nullable=False),
    Column("size", Integer, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

clocks = Table(
    "clocks",
    metadata,
    # kind, subject and the case's number when it began: what begins again is another clock
    Column("id", String(120), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("case_id", String(36)),
    Column("started_at", UtcDateTime, nullable=False),
    Column("warn_at", UtcDateTime),
    Column("alarm_at", UtcDateTime),
    Column("due_at", UtcDateTime, nullable=False),
    # when it rings next; none where it has rung its last or is over
    Column("next_at", UtcDateTime),
    # warning | alarm | overdue; none while nothing has rung
    Column("level", String(10)),
    Column("raised_at", UtcDateTime),
    # what was waited for has happened; and since when everyone was told so
    Column("ended_at", UtcDateTime),
    Column("cleared_at", UtcDateTime),
    _index_where("next_at IS NOT NULL", "clocks_next", "next_at"),
    Index("clocks_case", "case_id"),
    _index_where("ended_at IS NULL", "clocks_running", "kind"),
    _index_where("level IS NOT NULL AND cleared_at IS NULL", "clocks_rung", "kind", "level"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("letter_id", String(36), primary_key=True),
    # by which the receiver may answer; the letter's own id where he is told no other
    Column("message_id", String(36), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("channel", String(10), nullable=False),
    Column("receiver", String(60), nullable=False),
    Column("case_id", String(36)),
    # draft | superseded (a draft nobody asks for any more) | pending | sent | parked
    Column("status", String(10), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("claimed_until", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    # how often it is to be sent again once it is sent (a stored receipt asked for anew)
    Column("repeats", Integer, nullable=False),
    Column("last_error", Text),
    # when and in which envelope it went last; a team message's envelope has the letter's own id
    Column("sent_at", UtcDateTime),
    Column("envelope_id", String(36)),
    Column("wants_receipt", Boolean, nullable=False),
    # since when its receipt is waited for: first sent, or sent anew after a refusal; none while nothing is waited for
    Column("waits_since", UtcDateTime),
    # the closing note; FHIR and EDIFACT write it as the same kind as a status letter
    Column("closing", Boolean, nullable=False),
    # delivered | refused
    Column("verdict", String(10)),
    Column("verdict_at", UtcDateTime),
    Column("verdict_why", Text),
    Column("body", LargeBinary, nullable=False),
    _index_where("status <> 'sent'", "outbox_due", "status", "due_at"),
    _index_where("message_id <> letter_id", "outbox_message", "message_id"),
    Index("outbox_case", "case_id"),
    _index_where("envelope_id <> letter_id", "outbox_envelope", "envelope_id"),
    _index_where("sent_at IS NOT NULL", "outbox_sent", "sent_at"),
    _index_where("waits_since IS NOT NULL", "outbox_waiting", "waits_since", "letter_id", "receiver"),
    _index_where("verdict = 'refused'", "outbox_refused", "verdict_at", "letter_id", "receiver"),
)

# of letters that were sent again: all transmissions but the last (``store/transmissions.py``)
earlier_transmissions = Table(
    "earlier_transmissions",
    metadata,
    Column("letter_id", String(36), primary_key=True),
    Column("envelope_id", String(36), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Index("earlier_transmissions_envelope", "envelope_id"),
    Index("earlier_transmissions_at", "at"),
)

parked = Table(
    "parked",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("fault_id", String(10), nullable=False),
    Column("detail", Text, nullable=False),
    Column("message", String(64), nullable=False),
    Column("entrance", String(10), nullable=False),
    Column("sender", String(64), nullable=False),
    Column("letter_id", String(64), nullable=False),
    Column("case_id", String(36)),
    Column("parked_at", UtcDateTime, nullable=False),
    # open | discarded | replayed | settled (what it waited for has come)
    Column("state", String(10), nullable=False),
    Column("closed_at", UtcDateTime),
    Column("closed_by", String(100)),
    Column("closed_why", Text),
    # who wants it discarded; a second person confirms
    Column("asked_at", UtcDateTime),
    Column("asked_by", String(100)),
    Column("asked_why", Text),
    # the message that was handled in its place: itself, or its corrected copy
    Column("handled_as", String(64)),
    Index("parked_state", "state", "parked_at"),
    Index("parked_message", "message"),
    _index_where("case_id IS NOT NULL", "parked_case", "case_id"),
)

# ------------------------------------------------------------------ delivery reports for KL
reports = Table(
    "reports",
    metadata,
    # Bundle.id
    Column("report_id", String(36), primary_key=True),
    Column("citizen_index", String(32), nullable=False),
    # the Danish day it covers
    Column("day", String(10), nullable=False),
    # how many reports of that citizen and day were refused before
    Column("ordinal", Integer, nullable=False),
    # case ids between commas
    Column("case_ids", Text, nullable=False),
    # built | delivered | refused
    Column("status", String(10), nullable=False),
    Column("built_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    # HTTP status, issue codes and places; never what KL writes in words
    Column("answer", Text),
    Index("reports_citizen_day", "citizen_index", "day", "ordinal", unique=True),
    Index("reports_status", "status", "day"),
    Index("reports_day", "day"),
)

report_bodies = Table(
    "report_bodies",
    metadata,
    Column("report_id", String(36), ForeignKey("reports.report_id"), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

# ------------------------------------------------------------------ people who use the page
accounts = Table(
    "accounts",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("display", String(100), nullable=False),
    # ``local``; a single sign-on will put its own name here
    Column("origin", String(20), nullable=False),
    Column("password_hash", String(200), nullable=False),
    # names between commas
    Column("rights", String(100), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # wrong passwords in a row, and until when no further one is looked at
    Column("failures", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
)

sessions = Table(
    "sessions",
    metadata,
    # SHA-256 of the cookie: who reads the table cannot use it
    Column("token_hash", String(64), primary_key=True),
    Column("account", String(100), ForeignKey("accounts.name"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Index("sessions_account", "account"),
)

# append only; ``chain`` is the place of the hash that will make tampering evident
audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(100), nullable=False),
    Column("what", String(40), nullable=False),
    # an id or a keyed hash, never a name or number of a citizen
    Column("subject", String(80), nullable=False),
    # sealed: what a person writes may speak of a citizen
    Column("why", LargeBinary, nullable=False),
    # the form's own key: the same click twice is one act
    Column("act_key", String(64)),
    Column("chain", String(64)),
    Index("audit_key", "act_key", unique=True),
    Index("audit_subject", "subject", "at"),
    Index("audit_at", "at"),
)

notes = Table(
    "notes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("case_id", String(36), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(100), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("notes_case", "case_id"),
)
