"""Loads one file in one transaction: all of it counts or none, also after a kill in the middle."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from ledger.errors import RefusedError
from ledger.ingest.contract import COLUMN
from ledger.ingest.merge import CONFLICT, Merged, mark_doubled, merge, rejected_rows
from ledger.ingest.preflight import inspect_file
from ledger.ingest.raw import RawTable, first_line, open_raw, physical_lines, shortened
from ledger.ingest.result import MAX_ERRORS, IngestResult, RowError
from ledger.ingest.stage import Attribution, Staged, stage
from ledger.prices.book import PriceBook
from ledger.sources import SOURCES, SourceFormat


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a file is to be read and judged; `now` is naive UTC."""

    now: datetime
    format: SourceFormat = "usage"
    strict: bool = False
    rejects: Path | None = None
    """Where to write the rejected rows for repair."""


def load_file(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    options: LoadOptions,
    *,
    attribution: Attribution,
    book: PriceBook,
) -> IngestResult:
    """Load one file; raises RefusedError where it is refused as a whole (then nothing of it is in the ledger)."""
    file = inspect_file(path)
    source = SOURCES[options.format]
    with open_raw(connection, file, columns=source.columns) as raw:
        connection.execute("begin")
        try:
            result = _load(connection, source.adapt(connection, raw), options, attribution, book)
        except duckdb.Error as error:
            connection.execute("rollback")
            raise RefusedError(f"{file.name}: cannot be loaded: {first_line(error)}") from error
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")
    return result


def _load(
    connection: duckdb.DuckDBPyConnection,
    raw: RawTable,
    options: LoadOptions,
    attribution: Attribution,
    book: PriceBook,
) -> IngestResult:
    staged = stage(connection, raw, attribution, now=options.now)
    mark_doubled(connection, staged)
    rejected = rejected_rows(connection, staged)
    errors = _row_errors(connection, staged, rejected[:MAX_ERRORS])
    rejected_count = len(rejected) + len(raw.unreadable)
    if options.strict and rejected_count:
        raise RefusedError(f"{raw.file.name}: {rejected_count:,} wrong rows, first: {errors[0]}")
    load_id = _next_load_id(connection)
    merged = merge(connection, staged, book, load_id=load_id)
    result = _result(merged, rejected_count, errors)
    _record_load(connection, load_id, raw, options, result)
    return result


def _result(merged: Merged, rejected: int, errors: Sequence[RowError]) -> IngestResult:
    return IngestResult(
        read=merged.new + merged.duplicate + merged.restated + rejected,
        new=merged.new,
        duplicate=merged.duplicate,
        restated=merged.restated,
        rejected=rejected,
        errors=tuple(errors),
    )


def _row_errors(
    connection: duckdb.DuckDBPyConnection, staged: Staged, rejected: Sequence[tuple[int, int]]
) -> list[RowError]:
    """Tell each rejected row with its line, column, value and reason; parser errors among them, by line."""
    raw = staged.raw
    lines = physical_lines(raw, [row for row, _ in rejected])
    values = _raw_values(connection, raw, [row for row, _ in rejected])
    errors = list(raw.unreadable)
    for row, problem in rejected:
        if problem == CONFLICT:
            column, reason = _identity_column(raw), "the same record stands in this file with other values"
        else:
            found = staged.problems[problem - 1]
            column, reason = found.column, found.reason
        value = values[row].get(column)
        errors.append(RowError(raw.file.name, lines[row], column, _told(value), reason))
    return sorted(errors, key=lambda e: e.line or 0)[:MAX_ERRORS]


def _identity_column(raw: RawTable) -> str:
    return "record_id" if "record_id" in raw.types else "started_at"


def _told(value: str | None) -> str | None:
    return None if value is None else shortened(value)


def _raw_values(
    connection: duckdb.DuckDBPyConnection, raw: RawTable, rows: Sequence[int]
) -> dict[int, dict[str, str | None]]:
    """The raw text of every column of some rows."""
    if not rows:
        return {}
    names = [name for name in raw.types if name in COLUMN]
    selected = ", ".join(f'cast("{name}" as varchar)' for name in names)
    found = connection.execute(
        f"select {raw.row}, {selected} from {raw.relation} where {raw.row} in (select unnest($rows))",
        {"rows": list(rows)},
    ).fetchall()
    return {int(row): dict(zip(names, values, strict=True)) for row, *values in found}


def _next_load_id(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("select coalesce(max(load_id), 0) + 1 from loads").fetchone()
    return int(row[0]) if row else 1


def _record_load(
    connection: duckdb.DuckDBPyConnection,
    load_id: int,
    raw: RawTable,
    options: LoadOptions,
    result: IngestResult,
) -> None:
    counts = [result.read, result.new, result.duplicate, result.restated, result.rejected]
    connection.execute(
        "insert into loads values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [load_id, raw.file.path.name, options.format, options.now, *counts],
    )
