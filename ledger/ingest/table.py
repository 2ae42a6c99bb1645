"""A file as DuckDB relations: the raw columns it has, and the same rows in the columns of the contract."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import duckdb

from ledger.ingest.preflight import UsageFile
from ledger.ingest.secrets import shortened


@dataclass(frozen=True, slots=True)
class Problem:
    """One way a row can be wrong; `when` is SQL over the columns of the relation it is checked on."""

    column: str
    when: str
    reason: str


@dataclass(frozen=True, slots=True)
class RawTable:
    """Columns as the file has them, by name with their DuckDB types; nothing interpreted yet."""

    file: UsageFile
    path: Path
    """The unpacked copy or link that DuckDB reads."""
    relation: str
    row: str
    """SQL of the number that finds a row again."""
    line: str | None
    """SQL of a row's line in the file; None where the text must be searched for it."""
    types: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ContractTable:
    """The rows of a raw table in the columns of the usage-file contract."""

    raw: RawTable
    relation: str
    row: str
    types: Mapping[str, str]
    """Contract columns only."""
    problems: tuple[Problem, ...] = ()
    """What the relation's column `problem` means (from 1; 0 is fine); empty where it has none."""
    shown: Mapping[str, str] = field(default_factory=dict)
    """The name in the file of a contract column, where it is another."""
    extra: tuple[str, ...] = ()
    """Columns of the relation beside the contract, whose values can be told in errors."""
    charges: bool = False
    """Whether rows that are no hourly token usage stand in the temp table `staged_charges`, and who pays for
    usage in `staged_funding`."""
    warnings: tuple[str, ...] = ()


class Unreadable(NamedTuple):
    """A line the parser refused; it is in no relation. `byte_at` and `newlines` matter in CSV only."""

    line: int
    column: str | None
    text: str | None
    reason: str
    byte_at: int = 0
    newlines: int = 0


TEMPORARY = (
    "raw_rows", "raw_lines", "line_rows", "unreadable", "reject_errors", "reject_scans", "adapted_rows",
    "file_scopes", "staged", "staged_charges", "staged_funding", "funded", "doubled",
    "known", "touched", "cells", "priced",
)  # fmt: skip
"""Every temporary table of a load."""


def drop_temporary(connection: duckdb.DuckDBPyConnection) -> None:
    """Free what a load left in memory."""
    connection.execute("".join(f"drop table if exists temp.{name};" for name in TEMPORARY))


def quoted(text: str) -> str:
    """A text as an SQL literal, for table functions that take no parameters."""
    return "'" + text.replace("'", "''") + "'"


def told(error: duckdb.Error, raw_path: Path, file: UsageFile) -> str:
    """DuckDB's message in one line, with the name the user knows and nothing secret."""
    first = str(error).strip().splitlines()[0].partition("  Input:")[0].replace(str(raw_path), file.name)
    return shortened(first, limit=300)


def count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    """The first value of a query that counts."""
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row and row[0] is not None else 0
