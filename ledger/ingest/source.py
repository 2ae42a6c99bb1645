"""What a format of usage has to say for itself so that its files can be loaded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import duckdb

from ledger.errors import RefusedError
from ledger.ingest.preflight import Physical, UsageFile
from ledger.ingest.table import ContractTable, RawTable

SourceFormat = Literal["usage", "focus", "litellm", "bedrock"]

Tags = Mapping[str, str]
"""The tag of a bill or a gateway that holds a dimension: team, user or feature."""

DEFAULT_TAGS: Tags = {"team": "team", "user": "user", "feature": "feature"}

_TELLTALES: Sequence[tuple[str, frozenset[str]]] = (
    ("focus", frozenset({"chargeperiodstart", "effectivecost"})),
    ("litellm", frozenset({"request_id", "starttime", "spend"})),
    ("litellm", frozenset({"data", "page", "total"})),
    ("otlp", frozenset({"resourcemetrics"})),
    ("otlp", frozenset({"resourcespans"})),
    ("bedrock", frozenset({"modelid", "requestid", "schematype"})),
)
"""Columns by which a file of another format is known."""


def refuse_other_format(file: UsageFile, names: Sequence[str]) -> None:
    """Say which `--format` a file needs that is no usage file but looks like one we know."""
    lower = {name.lower() for name in names}
    for other, columns in _TELLTALES:
        if columns <= lower:
            raise RefusedError(f"{file.name}: these look like {other} rows; pass --format {other}")


@dataclass(frozen=True, slots=True)
class Source:
    """How files of one format are read."""

    physical: tuple[Physical, ...]
    required: tuple[str, ...]
    """Columns without which no row can be taken."""
    json_keys: tuple[str, ...]
    """The keys taken from JSON rows."""
    other_json_keys: Literal["refused", "ignored"]
    check_columns: Callable[[UsageFile, Sequence[str]], None]
    """Refuses a file with unknown or missing columns; names are in lower case, except the keys of JSON."""
    adapt: Callable[[duckdb.DuckDBPyConnection, RawTable, Tags], ContractTable]
    """Maps the rows onto the contract, by SQL, inside the load's transaction."""
    json_paths: Mapping[str, str] = field(default_factory=dict)
    """Where a key of `json_keys` lies that is not at the top of a JSON row, as DuckDB writes a path."""
