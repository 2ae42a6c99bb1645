"""A file as a DuckDB relation of raw columns, row by row findable again, nothing interpreted yet."""

import gzip
import shutil
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import assert_never

import duckdb

from ledger.errors import RefusedError
from ledger.ingest.lines import record_lines
from ledger.ingest.preflight import UsageFile
from ledger.ingest.raw_csv import read_csv_rows
from ledger.ingest.raw_json import read_json_rows
from ledger.ingest.raw_parquet import read_parquet_rows
from ledger.ingest.source import Source
from ledger.ingest.table import RawTable, drop_temporary, told

_HEADER_LINES = 1


@contextmanager
def open_raw(connection: duckdb.DuckDBPyConnection, file: UsageFile, source: Source) -> Iterator[RawTable]:
    """Make the relation and the table `unreadable`; every temporary table of the load goes on leaving."""
    if file.physical not in source.physical:
        known = ", ".join(f".{physical}" for physical in source.physical)
        raise RefusedError(f"{file.name}: this format comes as {known}, not as .{file.physical}")
    drop_temporary(connection)
    with TemporaryDirectory(prefix="tokensleuth-") as folder:
        path = _working_copy(file, Path(folder))
        try:
            yield _read(connection, file, path, source)
        finally:
            drop_temporary(connection)


def lines_of(connection: duckdb.DuckDBPyConnection, raw: RawTable, rows: Collection[int]) -> dict[int, int]:
    """The line in the file of each row number: physical in text, counted from 1 in Parquet and JSON lists."""
    if not rows:
        return {}
    if raw.line is not None:
        sql = f"select {raw.row}, {raw.line} from {raw.relation} where {raw.row} in (select unnest($rows))"
        found: Iterable[tuple[int, int]] = connection.execute(sql, {"rows": list(rows)}).fetchall()
        return {int(row): int(line) for row, line in found}
    refused = dict(connection.execute("select byte_at, newlines from unreadable").fetchall())
    found_lines = record_lines(raw.path, set(rows), refused)
    return {row: found_lines.get(row, row + _HEADER_LINES + 1) for row in rows}


def _read(connection: duckdb.DuckDBPyConnection, file: UsageFile, path: Path, source: Source) -> RawTable:
    try:
        match file.physical:
            case "csv":
                raw = read_csv_rows(connection, file, path)
            case "jsonl" | "json":
                raw = read_json_rows(connection, file, path, source)
            case "parquet":
                raw = read_parquet_rows(connection, file, path)
            case _:
                assert_never(file.physical)
    except duckdb.Error as error:
        raise RefusedError(f"{file.name}: cannot be read: {told(error, path, file)}") from None
    source.check_columns(file, list(raw.types))
    return raw


def _working_copy(file: UsageFile, folder: Path) -> Path:
    """The file under a name without glob characters or `key=value` folders, unpacked.

    Unpacking checks the gzip checksum, which DuckDB does not: it would lose rows of a damaged file silently.
    """
    path = folder / f"usage.{file.physical}"
    if not file.gzipped:
        path.symlink_to(file.path.absolute())
        return path
    try:
        with gzip.open(file.path) as packed, path.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise RefusedError(f"{file.name}: the gzip data is damaged or cut short: {error}") from None
    except OSError as error:
        raise RefusedError(f"{file.name}: cannot be unpacked into {folder}: {error.strerror}") from None
    return path
