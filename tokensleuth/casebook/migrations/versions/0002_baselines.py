"""Accepted baselines: every acceptance and every undo of one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "baseline_changes",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("baseline_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("usual_usd_per_day", sa.Text, nullable=False),
        sa.Column("level_usd_per_day", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("decided_by", sa.String(255), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("baseline_changes_baseline_id", "baseline_changes", ["baseline_id"])
