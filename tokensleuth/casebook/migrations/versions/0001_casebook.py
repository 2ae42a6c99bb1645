"""Incidents, investigations, evidence and proposals."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_incidents()
    _create_investigations()
    _create_evidence()
    _create_proposals()


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("cause", sa.String(32), nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("expected_usd", sa.Text, nullable=False),
        sa.Column("actual_usd", sa.Text, nullable=False),
        sa.Column("delta_usd", sa.Text, nullable=False),
        sa.Column("investigation_id", sa.String(64), nullable=False),
        sa.Column("first_saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("incidents_start_at", "incidents", ["start_at"])


def _create_investigations() -> None:
    op.create_table(
        "investigations",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("incident_id", sa.String(64), sa.ForeignKey("incidents.id"), nullable=False),
        sa.Column("analyst", sa.String(32), nullable=False),
        sa.Column("degraded", sa.Boolean, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("investigations_incident_id", "investigations", ["incident_id"])


def _create_evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("investigation_id", sa.String(64), sa.ForeignKey("investigations.id"), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("rows", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
    )
    op.create_index("evidence_id", "evidence", ["id"])


def _create_proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("incident_id", sa.String(64), sa.ForeignKey("incidents.id"), nullable=False),
        sa.Column("investigation_id", sa.String(64), sa.ForeignKey("investigations.id"), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("expected_saving_usd_per_day", sa.Text),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("proposals_incident_id", "proposals", ["incident_id"])
    op.create_index("proposals_state", "proposals", ["state", "expires_at"])
