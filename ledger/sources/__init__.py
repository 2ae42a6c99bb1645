"""The formats usage comes in; each turns its raw rows into the columns of the usage-file contract."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import duckdb

from ledger.ingest.contract import COLUMN
from ledger.ingest.raw import RawTable

SourceFormat = Literal["usage"]


@dataclass(frozen=True, slots=True)
class Source:
    """`columns` are the raw columns allowed (None: any); `adapt` maps them onto the contract."""

    columns: Iterable[str] | None
    adapt: Callable[[duckdb.DuckDBPyConnection, RawTable], RawTable]


def _as_is(_connection: duckdb.DuckDBPyConnection, raw: RawTable) -> RawTable:
    return raw


SOURCES: Mapping[SourceFormat, Source] = {"usage": Source(tuple(COLUMN), _as_is)}
