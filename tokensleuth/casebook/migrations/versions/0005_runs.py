"""What the service does by itself: scheduled runs, leadership, notices, digests, settings made by people."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _make_runs()
    _make_notices_and_digests()
    _make_tunings()


def _make_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("duty", sa.String(32), primary_key=True),
        sa.Column("slot", INSTANT, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("document", sa.Text),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT),
        sa.Column("finished_at", INSTANT),
        sa.Column("seconds", sa.Float),
        sa.Column("owner", sa.String(64)),
        sa.Column("lease_until", INSTANT),
    )
    op.create_index("runs_state", "runs", ["state", "next_at"])
    op.create_table(
        "leaders",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("since_at", INSTANT, nullable=False),
        sa.Column("until_at", INSTANT, nullable=False),
    )


def _make_notices_and_digests() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT),
        sa.Column("saved_at", INSTANT, nullable=False),
    )
    op.create_index("notices_kind", "notices", ["kind", "closed_at"])
    op.create_table(
        "digests",
        sa.Column("week", sa.String(8), primary_key=True),
        sa.Column("audience", sa.String(255), primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("markdown", sa.Text, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
    )


def _make_tunings() -> None:
    op.create_table(
        "tunings",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("from_at", INSTANT, nullable=False),
        sa.Column("until_at", INSTANT, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("incident_id", sa.String(64)),
        sa.Column("reason", sa.Text),
        sa.Column("given_by", sa.String(255), nullable=False),
        sa.Column("given_at", INSTANT, nullable=False),
    )
    op.create_index("tunings_id", "tunings", ["id"])
    op.create_index("tunings_until_at", "tunings", ["until_at"])
