"""The columns of a FOCUS Cost and Usage file: those of the specification, by version, and our own."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

FocusVersion = Literal["1.4", "1.2"]
FOCUS_VERSIONS: tuple[FocusVersion, ...] = get_args(FocusVersion)

DRAFT_KEY_PREFIX = "x_"
"""Token keys of the 1.5 draft (TokenDirection, TokenCacheAction, ModelId) are custom until it is ratified."""


class FocusColumn(BaseModel):
    """One column of the specification, as `focus_columns.json` has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    data_type: Literal["String", "Decimal", "Date/Time", "JSON"]
    feature_level: str
    allows_nulls: bool
    value_format: str
    allowed_values: tuple[str, ...] | None
    condition: str
    introduced: str
    in_1_2: bool
    in_1_4: bool


class _Reference(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    attribution: str
    sources: tuple[str, ...]
    columns: tuple[FocusColumn, ...]
    service_subcategory_parents: dict[str, str]


@dataclass(frozen=True, slots=True)
class OwnColumn:
    """A custom column; every one is told of in the conformance file."""

    name: str
    sql_type: str
    meaning: str


OWN_COLUMNS: tuple[OwnColumn, ...] = (
    OwnColumn("x_CredentialId", "varchar", "id of the API key, never the key itself"),
    OwnColumn("x_Model", "varchar", "model as the ledger names it"),
    OwnColumn("x_ServiceTier", "varchar", "batch, priority and the like"),
    OwnColumn("x_TokenClass", "varchar", "input (uncached), cache_read, cache_write_5m or _1h, output"),
    OwnColumn("x_InputTokens", "bigint", "uncached input tokens of the row"),
    OwnColumn("x_CacheReadTokens", "bigint", "input tokens read from a cache"),
    OwnColumn("x_CacheWrite5mTokens", "bigint", "input tokens written to a cache for 5 minutes"),
    OwnColumn("x_CacheWrite1hTokens", "bigint", "input tokens written to a cache for an hour"),
    OwnColumn("x_OutputTokens", "bigint", "output tokens of the row, reasoning included"),
    OwnColumn("x_ReasoningTokens", "bigint", "part of the output tokens"),
    OwnColumn("x_Requests", "bigint", "requests; on one row of a cell only, so that they add up"),
    OwnColumn("x_FailedRequests", "bigint", "part of the requests, on the same row"),
    OwnColumn("x_RetriedRequests", "bigint", "part of the requests, on the same row"),
    OwnColumn("x_CostBasis", "varchar", "billed by the source, computed from prices, or unpriced (cost 0)"),
    OwnColumn("x_GrantedCurrency", "varchar", "credits that a purchase brings, by their currency"),
    OwnColumn("x_GrantedQuantity", "decimal(38, 9)", "how many of them"),
    OwnColumn("x_Source", "varchar", "live source that told of a charge; null for those from files"),
    OwnColumn("x_PriceVersion", "varchar", "price list and hash of the rates the unit prices are from"),
)  # fmt: skip


@cache
def _reference() -> _Reference:
    text = files("tokensleuth.focus_export").joinpath("focus_columns.json").read_text("utf-8")
    return _Reference.model_validate_json(text)


def columns_of(version: FocusVersion) -> tuple[FocusColumn, ...]:
    """The columns of the specification in the order of their names."""
    chosen = (c for c in _reference().columns if (c.in_1_4 if version == "1.4" else c.in_1_2))
    return tuple(sorted(chosen, key=lambda c: c.column))


def attribution() -> str:
    return _reference().attribution


def service_parents() -> dict[str, str]:
    """The category that each service subcategory belongs to."""
    return dict(_reference().service_subcategory_parents)
