"""What people decide and the service does: decisions, executions, queues, feedback, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _extend_proposals()
    _make_decisions_and_executions()
    _make_queues()
    _make_records()


def _extend_proposals() -> None:
    """Proposals of before carry no hash: nothing matches it, so they lapse until proposed again."""
    op.add_column("proposals", sa.Column("payload_hash", sa.String(64), nullable=False, server_default=""))
    op.add_column("proposals", sa.Column("round", sa.Integer, nullable=False, server_default="1"))
    op.add_column("proposals", sa.Column("requested_by", sa.String(255), nullable=False, server_default=""))
    op.add_column("proposals", sa.Column("spend_share", sa.Float))
    op.add_column("proposals", sa.Column("owner", sa.String(255)))


def _make_decisions_and_executions() -> None:
    op.create_table(
        "decisions",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("proposal_id", sa.String(64), sa.ForeignKey("proposals.id"), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(255), nullable=False),
        sa.Column("identity", sa.String(255), nullable=False),
        sa.Column("payload_hash", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.UniqueConstraint("proposal_id", "round", "decided_by", name="decisions_once_per_person"),
    )
    op.create_table(
        "executions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("proposal_id", sa.String(64), sa.ForeignKey("proposals.id"), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("gateway", sa.String(32), nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("place", "before", "wanted", "observed", "reason")),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("requested_by", sa.String(255), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT),
        sa.Column("undo_at", INSTANT),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        *_lease(),
        sa.UniqueConstraint("proposal_id", "round", "kind", name="executions_once"),
    )
    op.create_index("executions_state", "executions", ["state", "next_at"])
    op.create_table(
        "watches",
        sa.Column("execution_id", sa.String(64), sa.ForeignKey("executions.id"), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("until_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
    )
    op.create_index("watches_due", "watches", ["state", "due_at"])


def _make_queues() -> None:
    op.create_table(
        "inbox",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("handled_at", INSTANT),
        *_lease(),
    )
    op.create_index("inbox_state", "inbox", ["state", "number"])
    op.create_table(
        "outbox",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("lane", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("incident_id", sa.String(64)),
        sa.Column("letter", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("reply", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT),
        *_lease(),
    )
    op.create_index("outbox_state", "outbox", ["state", "lane", "number"])
    op.create_table(
        "messages",
        sa.Column("incident_id", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(255), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("ts", sa.String(64)),
        sa.Column("outbox_id", sa.String(64), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
    )
    op.create_index("messages_ts", "messages", ["channel", "ts"])


def _make_records() -> None:
    op.create_table(
        "feedback",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("incident_id", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("until_at", INSTANT),
        sa.Column("given_by", sa.String(255), nullable=False),
        sa.Column("given_at", INSTANT, nullable=False),
    )
    op.create_index("feedback_incident_id", "feedback", ["incident_id"])
    op.create_table(
        "timelines",
        sa.Column("incident_id", sa.String(64), primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
    )
    op.create_index("audit_subject", "audit", ["subject"])


def _lease() -> tuple[sa.Column[str], sa.Column[object]]:
    return sa.Column("owner", sa.String(64)), sa.Column("lease_until", INSTANT)
