"""The tables of the casebook and the column types that store the same value in SQLite and PostgreSQL.

`document` holds the whole object of the contract; the other columns repeat what queries select or order by.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

HEAD = "0005"
"""The newest migration under `migrations/versions`; numbered, so that older sorts before newer."""

VERSION_TABLE = "casebook_version"


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite keeps no zone, so it is attached on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class UsdText(TypeDecorator[str]):
    """Dollars as the decimal string of the contract: SQLite has no exact decimal type."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        if value is not None and not _is_decimal_text(value):
            raise ValueError(f"{value!r} is not a decimal string of dollars")
        return value


class Json(TypeDecorator[object]):
    """Any JSON value as text, a Decimal as its string; NaN and infinity are refused."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, _dialect: Dialect) -> str | None:
        return (
            None
            if value is None
            else json.dumps(value, allow_nan=False, separators=(",", ":"), default=_json_value)
        )

    def process_result_value(self, value: str | None, _dialect: Dialect) -> object:
        return None if value is None else json.loads(value)


def _json_value(value: object) -> object:
    match value:
        case Decimal():
            return str(value)
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(f"{value!r} is not a JSON value")


def _is_decimal_text(value: object) -> bool:
    try:
        return isinstance(value, str) and Decimal(value).is_finite()
    except InvalidOperation:
        return False


metadata = MetaData()

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("scope", Json, nullable=False),
    Column("verdict", String(32), nullable=False),
    Column("cause", String(32), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("expected_usd", UsdText, nullable=False),
    Column("actual_usd", UsdText, nullable=False),
    Column("delta_usd", UsdText, nullable=False),
    Column("investigation_id", String(64), nullable=False),
    Column("first_saved_at", Instant, nullable=False),
    Column("saved_at", Instant, nullable=False),
    Index("incidents_start_at", "start_at"),
)
"""One row per incident; `investigation_id` is the investigation that counts, the latest saved."""

investigations = Table(
    "investigations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("incident_id", String(64), ForeignKey("incidents.id"), nullable=False),
    Column("analyst", String(32), nullable=False),
    Column("degraded", Boolean, nullable=False),
    Column("document", Json, nullable=False),
    Column("saved_at", Instant, nullable=False),
    Index("investigations_incident_id", "incident_id"),
)
"""One row per conclusion about an incident; `document` is the contract's incident without proposals."""

evidence = Table(
    "evidence",
    metadata,
    Column("investigation_id", String(64), ForeignKey("investigations.id"), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("tool", String(64), nullable=False),
    Column("arguments", Json, nullable=False),
    Column("status", String(16), nullable=False),
    Column("rows", Json, nullable=False),
    Column("facts", Json, nullable=False),
    Index("evidence_id", "id"),
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("incident_id", String(64), ForeignKey("incidents.id"), nullable=False),
    Column("investigation_id", String(64), ForeignKey("investigations.id"), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("action", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("expected_saving_usd_per_day", UsdText),
    Column("expires_at", Instant, nullable=False),
    Column("document", Json, nullable=False),
    Column("payload_hash", String(64), nullable=False),
    Column("round", Integer, nullable=False),
    Column("requested_by", String(255), nullable=False),
    Column("spend_share", Float),
    Column("owner", String(255)),
    Column("proposed_at", Instant, nullable=False),
    Column("saved_at", Instant, nullable=False),
    Index("proposals_incident_id", "incident_id"),
    Index("proposals_state", "state", "expires_at"),
)
"""`rank` is the place in the list of its investigation; `proposed_at` is when it was first proposed.

`round` counts how often it was opened for decision; `payload_hash` names what exactly is decided in it.
`spend_share` is the target's part of all spend in the last 24 h of usage and `owner` the team that spent
it; null where nobody could tell.
"""

baseline_changes = Table(
    "baseline_changes",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("baseline_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("scope", Json, nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
    Column("usual_usd_per_day", UsdText, nullable=False),
    Column("level_usd_per_day", UsdText, nullable=False),
    Column("reason", Text),
    Column("decided_by", String(255), nullable=False),
    Column("decided_at", Instant, nullable=False),
    Index("baseline_changes_baseline_id", "baseline_id"),
)
"""Rows are only added; the last one of a baseline, by `number`, is its state."""

model_calls = Table(
    "model_calls",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("incident_id", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("model", String(255), nullable=False),
    Column("provider", String(255), nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cache_read_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Column("cost_pico", BigInteger),
    Index("model_calls_at", "at"),
)
"""Rows are only added; no foreign key, since a call is made before its incident is saved."""
