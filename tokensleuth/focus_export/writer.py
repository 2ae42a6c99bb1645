"""Writes the rows of an export to a file of their own beside the target; the last step puts it in place."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import duckdb

from ledger.engine import DuckDbEngine
from ledger.errors import RefusedError, UnreachableError
from ledger.reader import Reader
from tokensleuth.focus_export.rows import RowsQuery
from tokensleuth.output import ProgressBar

FileKind = Literal["csv", "csv.gz", "parquet"]

_COPY_OPTIONS: dict[FileKind, str] = {
    "csv": "format csv, header true, timestampformat '%Y-%m-%dT%H:%M:%SZ'",
    "csv.gz": "format csv, header true, timestampformat '%Y-%m-%dT%H:%M:%SZ', compression gzip",
    "parquet": "format parquet, compression zstd",
}
_LOOK_S = 0.5


def file_kind(path: Path) -> FileKind:
    """By the ending; raises RefusedError for any other."""
    for kind in _COPY_OPTIONS:
        if path.name.lower().endswith(f".{kind}"):
            return kind
    raise RefusedError(f"`{path.name}` ends in no format that is written; use .csv, .csv.gz or .parquet")


@contextmanager
def aside(path: Path) -> Iterator[Path]:
    """A name beside `path` that is gone afterwards, unless it was renamed."""
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def write_rows(cursor: duckdb.DuckDBPyConnection, query: RowsQuery, target: Path, kind: FileKind) -> int:
    """Stream the rows to `target`; returns their number. Raises UnreachableError where that fails."""
    quoted = str(target).replace("'", "''")
    options = f"{_COPY_OPTIONS[kind]}, use_tmp_file false"
    try:
        found = cursor.execute(f"copy ({query.sql}) to '{quoted}' ({options})", query.parameters)
    except duckdb.IOException as error:
        raise UnreachableError(f"{target} cannot be written: {str(error).splitlines()[0]}") from None
    return int(found.fetchall()[0][0])


def write_with_progress(
    cursor: duckdb.DuckDBPyConnection, query: RowsQuery, target: Path, kind: FileKind, progress: ProgressBar
) -> int:
    """As `write_rows`, and tells how much is written; Ctrl-C stops the query."""
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write_rows, cursor, query, target, kind)
        try:
            while not writing.done():
                wait([writing], timeout=_LOOK_S)
                megabytes = target.stat().st_size // 10**6 if target.exists() else 0
                progress.update(0, 2, f"writing rows, {megabytes:,} MB")
        except KeyboardInterrupt:
            cursor.interrupt()
            raise
    return writing.result()


@contextmanager
def streaming_cursor(reader: Reader) -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor to stream from, in UTC; raises RefusedError where the ledger runs on another engine."""
    if not isinstance(reader.engine, DuckDbEngine):
        raise RefusedError("the FOCUS export streams from DuckDB; this ledger runs on another engine")
    with reader.engine.connection.cursor() as cursor:
        # Settings of a connection are not those of its cursors: without this, months would be the machine's.
        cursor.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
        yield cursor
