"""The columns of usage files, as documented in docs/usage-files.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ledger.scope import DIMENSIONS

Kind = Literal["instant", "text", "count", "optional_count", "money"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the contract; a `count` that is absent is its `default`."""

    name: str
    kind: Kind
    required: bool = False
    default: int = 0


TEXT_COLUMNS: tuple[str, ...] = (*DIMENSIONS, "prompt_template")
"""What a row belongs to; together with the instant the identity of rows without a `record_id`."""

COLUMNS: tuple[Column, ...] = (
    Column("started_at", "instant", required=True),
    *(Column(name, "text", required=name == "model") for name in TEXT_COLUMNS),
    Column("requests", "count", default=1),
    Column("failed_requests", "count"),
    Column("retried_requests", "count"),
    Column("input_tokens", "count"),
    Column("cache_read_tokens", "count"),
    Column("cache_write_5m_tokens", "count"),
    Column("cache_write_1h_tokens", "count"),
    Column("output_tokens", "count"),
    Column("reasoning_tokens", "optional_count"),
    Column("input_characters", "optional_count"),
    Column("output_characters", "optional_count"),
    Column("cost_usd", "money"),
    Column("record_id", "text"),
)
COLUMN: Mapping[str, Column] = {column.name: column for column in COLUMNS}
REQUIRED: tuple[str, ...] = tuple(column.name for column in COLUMNS if column.required)
MEASURES: tuple[Column, ...] = tuple(column for column in COLUMNS if column.kind.endswith("count"))

PARTS: tuple[tuple[str, str], ...] = (
    ("failed_requests", "requests"),
    ("retried_requests", "requests"),
    ("reasoning_tokens", "output_tokens"),
)
"""Columns that count a part of another."""

MAX_COUNT = 10**12
"""A trillion in one row is a fault of the source; at ordinary prices its cost would still fit a cell."""
MAX_COST_USD = 1_000_000
"""One row above it is a unit error (cents, micro-dollars), not usage."""
MAX_TEXT = 512
"""Characters of a dimension, a prompt template or a record id."""
