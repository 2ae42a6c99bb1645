"""CSV as DuckDB reads it, with the lines it refuses set aside."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from ledger.errors import RefusedError
from ledger.ingest.lines import MAX_LINE_BYTES, Begin, begins_at
from ledger.ingest.preflight import UsageFile, csv_header
from ledger.ingest.table import RawTable, Unreadable, quoted
from ledger.ingest.unreadable import create_unreadable, note_unreadable

_KEPT_TEXT = 1_000
"""Characters kept of a refused line."""


def read_csv_rows(connection: duckdb.DuckDBPyConnection, file: UsageFile, path: Path) -> RawTable:
    """Make `raw_rows`, all text, and `unreadable`."""
    names = csv_header(file)
    refuse_doubled(file, names)
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in names)
    options = (
        f"""header = true, delim = ',', quote = '"', escape = '"', nullstr = '', columns = {{{columns}}}"""
    )
    try:
        read_text(connection, path, into="raw_rows", select="*", options=options)
    except duckdb.InvalidInputException as error:
        # DuckDB's reader stops at the first line that ends otherwise than the header does.
        if "invalid state" not in str(error):
            raise
        path = _with_one_line_end(file, path)
        read_text(connection, path, into="raw_rows", select="*", options=options)
    note_refused_lines(connection, path)
    return RawTable(file, path, "raw_rows", "rowid", None, dict.fromkeys(names, "VARCHAR"))


def read_text(
    connection: duckdb.DuckDBPyConnection, path: Path, *, into: str, select: str, options: str
) -> None:
    """Read a text file into a temp table; what the parser refuses goes to DuckDB's `reject_errors`."""
    connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    connection.execute(
        f"""create or replace temp table {into} as select {select} from read_csv({quoted(str(path))},
        auto_detect = false, compression = 'none', hive_partitioning = false, store_rejects = true,
        max_line_size = {MAX_LINE_BYTES}, {options})"""
    )


def refuse_doubled(file: UsageFile, names: Sequence[str]) -> None:
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise RefusedError(f"{file.name}: column {', '.join(f'`{name}`' for name in doubled)} appears twice")
    if "" in names:
        raise RefusedError(f"{file.name}: column {names.index('') + 1} has no name")


def note_refused_lines(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make `unreadable` of what DuckDB refused, with physical lines."""
    create_unreadable(connection)
    rows = connection.execute(
        """select line_byte_position - 1, nullif(column_idx, 0), column_name, error_type, error_message,
            length(refused) - length(replace(refused, '\n', ''))
        from (select distinct on (line_byte_position) *, ltrim(csv_line, '\r\n') as refused from reject_errors
            order by line_byte_position, column_idx)
        order by line_byte_position"""
    ).fetchall()
    begins = begins_at(path, [int(at) for at, *_ in rows])
    note_unreadable(
        connection, [_unreadable(begin, *row) for begin, (_, *row) in zip(begins, rows, strict=True)]
    )
    connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")


def _unreadable(
    begin: Begin, cell: int | None, column: str | None, kind: str, message: str, newlines: int
) -> Unreadable:
    text, named = begin.text, None
    # In JSON lines DuckDB sees the line as one cell.
    if kind == "INVALID ENCODING" and cell is not None and column != "line":
        text, named = _cell(text, cell), column
    return Unreadable(begin.line, named, text[:_KEPT_TEXT], _reason(kind, message), begin.byte_at, newlines)


def _cell(text: str, number: int) -> str:
    """One cell of a line, from 1; the whole line where it cannot be cut."""
    try:
        return next(csv.reader(io.StringIO(text, newline="")))[number - 1]
    except (csv.Error, IndexError, StopIteration):
        return text


def _reason(kind: str, message: str) -> str:
    match kind:
        case "MISSING COLUMNS" | "TOO MANY COLUMNS":
            expected, found = re.findall(r"\d+", message)[:2]
            return f"has {found} cells where the header has {expected}"
        case "INVALID ENCODING":
            return "is not UTF-8"
        case "UNQUOTED VALUE":
            return "a quote is opened and not closed where the cell ends"
        case "LINE SIZE OVER MAXIMUM":
            return f"the line is longer than {MAX_LINE_BYTES:,} bytes"
        case _:
            return message


def _with_one_line_end(file: UsageFile, path: Path) -> Path:
    """A copy in which every line ends with a line feed; line numbers stay."""
    copy = path.with_name("one-line-end.csv")
    with path.open("rb") as mixed, copy.open("wb") as plain:
        for line in mixed:
            text = line.rstrip(b"\r\n")
            if b"\r" in text:
                raise RefusedError(
                    f"{file.name}: lines end in more than one way; save it with one kind of line end"
                )
            plain.write(text + b"\n")
    return copy
