"""Loads one file in one transaction: all of it counts or none, also after a kill in the middle."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from ledger.errors import RefusedError
from ledger.ingest.charges import mark_doubled_charges, merge_charges
from ledger.ingest.funding import merge_funding
from ledger.ingest.hidden import hide_charge_users
from ledger.ingest.merge import Merged, mark_doubled_usage, merge
from ledger.ingest.preflight import inspect_file
from ledger.ingest.raw import open_raw
from ledger.ingest.rejects import count_rejected, row_errors, write_rejects
from ledger.ingest.result import IngestResult
from ledger.ingest.scopes import Attribution
from ledger.ingest.source import DEFAULT_TAGS, Source, SourceFormat, Tags
from ledger.ingest.stage import Staged, stage
from ledger.ingest.table import count, told
from ledger.prices.book import PriceBook


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a file is to be read and judged; `now` is naive UTC."""

    now: datetime
    format: SourceFormat = "usage"
    strict: bool = False
    rejects: Path | None = None
    """Where to write the rejected rows for repair; written only when there are some."""
    focus_tags: Tags = field(default_factory=lambda: DEFAULT_TAGS)
    """Which tag holds which dimension, in FOCUS files and in the request tags of LiteLLM."""


def load_file(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    options: LoadOptions,
    *,
    source: Source,
    attribution: Attribution,
    book: PriceBook,
) -> IngestResult:
    """Load one file; raises RefusedError where it is refused as a whole: then the ledger is as before."""
    file = inspect_file(path)
    with open_raw(connection, file, source) as raw:
        connection.execute("begin")
        try:
            staged = stage(
                connection, source.adapt(connection, raw, options.focus_tags), attribution, now=options.now
            )
            result = _load(connection, staged, options, book, attribution)
            connection.execute("commit")
        except duckdb.Error as error:
            _roll_back(connection)
            raise RefusedError(f"{file.name}: cannot be loaded: {told(error, raw.path, file)}") from error
        except BaseException:
            _roll_back(connection)
            raise
    return result


def _load(
    connection: duckdb.DuckDBPyConnection,
    staged: Staged,
    options: LoadOptions,
    book: PriceBook,
    attribution: Attribution,
) -> IngestResult:
    mark_doubled_usage(connection, staged)
    if staged.table.charges:
        mark_doubled_charges(connection)
    file = staged.table.raw.file
    rejected = count_rejected(connection, staged)
    errors = row_errors(connection, staged) if rejected else ()
    if rejected and options.rejects:
        write_rejects(connection, staged, options.rejects)
    if options.strict and rejected:
        raise RefusedError(f"{file.name}: {rejected:,} wrong rows, first: {errors[0]}")
    load_id = count(connection, "select coalesce(max(load_id), 0) + 1 from loads")
    usage = merge(connection, staged, book, load_id=load_id)
    charges = Merged()
    if staged.table.charges:
        attribution = hide_charge_users(connection, attribution)
        usage = usage.with_restated(merge_funding(connection, load_id=load_id))
        charges = merge_charges(connection, attribution, load_id=load_id)
    result = IngestResult(
        read=sum((usage.rows, charges.rows, rejected)),
        new=usage.new + charges.new,
        duplicate=usage.duplicate + charges.duplicate,
        restated=usage.restated + charges.restated,
        rejected=rejected,
        charges=charges.rows,
        warnings=staged.table.warnings,
        errors=errors,
    )
    _record_load(connection, load_id, path=file.path, options=options, result=result)
    return result if result.read else result.with_warnings(f"{file.name}: no rows in it")


def _record_load(
    connection: duckdb.DuckDBPyConnection,
    load_id: int,
    *,
    path: Path,
    options: LoadOptions,
    result: IngestResult,
) -> None:
    counts = [result.read, result.new, result.duplicate, result.restated, result.rejected]
    connection.execute(
        "insert into loads values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [load_id, path.name, options.format, options.now, *counts],
    )


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.execute("rollback")
    except duckdb.TransactionException:
        # A failed commit has ended the transaction already.
        return
