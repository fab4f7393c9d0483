"""The first tables: inbox, cases, decisions, events, outbox, parked."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_MOMENT = sa.DateTime(timezone=True)


def _index_where(condition: str, name: str, table: str, columns: list[str]) -> None:
    """An index of few rows among many."""
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=False, postgresql_where=where, sqlite_where=where)


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sender", sa.String(length=35), nullable=False),
        sa.Column("episode_key", sa.String(length=35), nullable=False),
        sa.Column("citizen_index", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("review_team", sa.String(length=60), nullable=True),
        sa.Column("respond_by", sa.String(length=10), nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=True),
        sa.Column("waits_for", sa.String(length=20), nullable=False),
        sa.Column("decided_at", _MOMENT, nullable=True),
        sa.Column("team_accepted_at", _MOMENT, nullable=True),
        sa.Column("talked_at", _MOMENT, nullable=True),
        sa.Column("discharged_at", _MOMENT, nullable=True),
        sa.Column("programmes", sa.String(length=300), nullable=False),
        sa.Column("teams", sa.String(length=300), nullable=False),
        sa.Column("referrer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("case_id"),
    )
    _index_where("is_open", "cases_open", "cases", ["due_at"])
    op.create_index("cases_waiting", "cases", ["waits_for", "received_at"], unique=False)
    op.create_index("cases_sender", "cases", ["sender", "received_at"], unique=False)
    op.create_index("cases_citizen", "cases", ["citizen_index"], unique=False)
    op.create_index("cases_episode", "cases", ["episode_key"], unique=False)
    op.create_index("cases_received", "cases", ["received_at", "state"], unique=False)
    op.create_table(
        "objects",
        sa.Column("object_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("awaited_by", sa.String(length=36), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("object_id"),
    )
    op.create_index("objects_awaited", "objects", ["awaited_by", "changed_at"], unique=False)
    op.create_table(
        "files",
        sa.Column("object_id", sa.String(length=32), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("letter_id", sa.String(length=64), nullable=False),
        sa.Column("extension", sa.String(length=10), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("object_id", "sender", "letter_id"),
    )
    op.create_table(
        "decisions",
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("decided_at", _MOMENT, nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "number"),
    )
    op.create_table(
        "events",
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=30), nullable=False),
        sa.Column("team", sa.String(length=60), nullable=False),
        sa.Column("occurred", _MOMENT, nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "event_id"),
    )
    op.create_index("events_occurred", "events", ["occurred"], unique=False)
    op.create_table(
        "installation",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "letters",
        sa.Column("letter_id", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=35), nullable=False),
        sa.Column("version", sa.String(length=35), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("case_id", sa.String(length=36), nullable=True),
        sa.Column("receipt_id", sa.String(length=36), nullable=True),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("letter_id", "sender"),
    )
    op.create_index("letters_case", "letters", ["case_id"], unique=False)
    op.create_index("letters_message", "letters", ["message"], unique=False)
    op.create_table(
        "messages",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=35), nullable=False),
        sa.Column("sender", sa.String(length=35), nullable=False),
        sa.Column("envelope_id", sa.String(length=64), nullable=False),
        sa.Column("network_message_id", sa.String(length=36), nullable=False),
        sa.Column("network_envelope_id", sa.String(length=36), nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("fault_id", sa.String(length=10), nullable=True),
        sa.Column("receipts", sa.Text(), nullable=False),
        sa.Column("handled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("messages_envelope_id", "messages", ["envelope_id"], unique=False)
    op.create_index("messages_sender", "messages", ["sender", "received_at"], unique=False)
    _index_where("type <> 'team-event'", "messages_received", "messages", ["received_at"])
    op.create_index("messages_network_envelope", "messages", ["network_envelope_id"], unique=False)
    op.create_index("messages_network_message", "messages", ["network_message_id"], unique=False)
    op.create_table(
        "clocks",
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=True),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("warn_at", _MOMENT, nullable=True),
        sa.Column("alarm_at", _MOMENT, nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("next_at", _MOMENT, nullable=True),
        sa.Column("level", sa.String(length=10), nullable=True),
        sa.Column("raised_at", _MOMENT, nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("cleared_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    _index_where("next_at IS NOT NULL", "clocks_next", "clocks", ["next_at"])
    op.create_index("clocks_case", "clocks", ["case_id"], unique=False)
    _index_where("ended_at IS NULL", "clocks_running", "clocks", ["kind"])
    _index_where("level IS NOT NULL AND cleared_at IS NULL", "clocks_rung", "clocks", ["kind", "level"])
    op.create_table(
        "outbox",
        sa.Column("letter_id", sa.String(length=36), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("receiver", sa.String(length=60), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("claimed_until", _MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("sent_at", _MOMENT, nullable=True),
        sa.Column("wants_receipt", sa.Boolean(), nullable=False),
        sa.Column("waits_since", _MOMENT, nullable=True),
        sa.Column("closing", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=True),
        sa.Column("verdict_at", _MOMENT, nullable=True),
        sa.Column("verdict_why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("letter_id"),
    )
    op.create_index("outbox_case", "outbox", ["case_id"], unique=False)
    op.create_index("outbox_due", "outbox", ["status", "due_at"], unique=False)
    _index_where("message_id <> letter_id", "outbox_message", "outbox", ["message_id"])
    _index_where("waits_since IS NOT NULL", "outbox_waiting", "outbox", ["waits_since", "letter_id", "receiver"])
    _index_where("verdict = 'refused'", "outbox_refused", "outbox", ["verdict_at", "letter_id", "receiver"])
    op.create_table(
        "parked",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("fault_id", sa.String(length=10), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("entrance", sa.String(length=10), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("letter_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=True),
        sa.Column("parked_at", _MOMENT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("closed_at", _MOMENT, nullable=True),
        sa.Column("closed_by", sa.String(length=100), nullable=True),
        sa.Column("closed_why", sa.Text(), nullable=True),
        sa.Column("asked_at", _MOMENT, nullable=True),
        sa.Column("asked_by", sa.String(length=100), nullable=True),
        sa.Column("asked_why", sa.Text(), nullable=True),
        sa.Column("handled_as", sa.String(64)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("parked_message", "parked", ["message"], unique=False)
    _index_where("case_id IS NOT NULL", "parked_case", "parked", ["case_id"])
    op.create_index("parked_state", "parked", ["state", "parked_at"], unique=False)
    op.create_table(
        "transmissions",
        sa.Column("letter_id", sa.String(length=36), nullable=False),
        sa.Column("envelope_id", sa.String(length=36), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("letter_id", "envelope_id"),
    )
    _index_where("envelope_id <> letter_id", "transmissions_envelope", "transmissions", ["envelope_id"])
    op.create_index("transmissions_at", "transmissions", ["at"], unique=False)
    op.create_table(
        "bodies",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"],
            ["messages.digest"],
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "case_bodies",
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.case_id"],
        ),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_table(
        "outbox_bodies",
        sa.Column("letter_id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["letter_id"],
            ["outbox.letter_id"],
        ),
        sa.PrimaryKeyConstraint("letter_id"),
    )
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("display", sa.String(length=100), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("rights", sa.String(length=100), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"]),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("sessions_account", "sessions", ["account"], unique=False)
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("why", sa.LargeBinary(), nullable=False),
        sa.Column("act_key", sa.String(length=64), nullable=True),
        sa.Column("chain", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("audit_at", "audit", ["at"], unique=False)
    op.create_index("audit_key", "audit", ["act_key"], unique=True)
    op.create_index("audit_subject", "audit", ["subject", "at"], unique=False)
    op.create_table(
        "notes",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("notes_case", "notes", ["case_id"], unique=False)
    op.create_table(
        "reports",
        sa.Column("report_id", sa.String(length=36), nullable=False),
        sa.Column("citizen_index", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("case_ids", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("built_at", _MOMENT, nullable=False),
        sa.Column("settled_at", _MOMENT, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("report_id"),
    )
    op.create_index("reports_citizen_day", "reports", ["citizen_index", "day", "ordinal"], unique=True)
    op.create_index("reports_status", "reports", ["status", "day"], unique=False)
    op.create_index("reports_day", "reports", ["day"], unique=False)
    op.create_table(
        "report_bodies",
        sa.Column("report_id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["reports.report_id"]),
        sa.PrimaryKeyConstraint("report_id"),
    )


def downgrade() -> None:
    for table in ("notes", "audit", "sessions", "accounts", "clocks"):
        op.drop_table(table)
    op.drop_table("report_bodies")
    op.drop_table("reports")
    op.drop_table("outbox_bodies")
    op.drop_table("case_bodies")
    op.drop_table("bodies")
    op.drop_index("transmissions_at", table_name="transmissions")
    op.drop_index("transmissions_envelope", table_name="transmissions")
    op.drop_table("transmissions")
    op.drop_index("parked_case", table_name="parked")
    op.drop_index("parked_message", table_name="parked")
    op.drop_index("parked_state", table_name="parked")
    op.drop_table("parked")
    op.drop_index("outbox_refused", table_name="outbox")
    op.drop_index("outbox_waiting", table_name="outbox")
    op.drop_index("outbox_message", table_name="outbox")
    op.drop_index("outbox_due", table_name="outbox")
    op.drop_index("outbox_case", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index("messages_sender", table_name="messages")
    op.drop_index("messages_envelope_id", table_name="messages")
    op.drop_index("messages_network_message", table_name="messages")
    op.drop_index("messages_network_envelope", table_name="messages")
    op.drop_index("messages_received", table_name="messages")
    op.drop_table("messages")
    op.drop_index("letters_message", table_name="letters")
    op.drop_index("letters_case", table_name="letters")
    op.drop_table("letters")
    op.drop_table("installation")
    op.drop_index("events_occurred", table_name="events")
    op.drop_table("events")
    op.drop_table("decisions")
    op.drop_index("cases_sender", table_name="cases")
    op.drop_index("cases_open", table_name="cases")
    op.drop_index("cases_received", table_name="cases")
    op.drop_index("cases_episode", table_name="cases")
    op.drop_index("cases_citizen", table_name="cases")
    op.drop_table("cases")
