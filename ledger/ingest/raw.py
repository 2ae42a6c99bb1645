"""A file as a DuckDB relation of raw columns, row by row findable again, nothing interpreted yet."""

import csv
import gzip
import io
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from ledger.errors import RefusedError
from ledger.ingest.contract import COLUMN, REQUIRED
from ledger.ingest.preflight import UsageFile, csv_header
from ledger.ingest.result import RowError

MAX_LINE_BYTES = 4_000_000

SECRET = r"(Bearer\s|sk[-_]|pk[-_]live|rk[-_]live|xox[a-z]-|xapp-|ghp_|gho_|github_pat_|glpat-|gsk_|hf_|AIza|AKIA|ASIA|eyJ)"
"""How the keys of providers and gateways begin; a `key_id` is an id or a hash, never one of these."""
_SECRET_WORD = re.compile(rf"\b{SECRET}[\w.~+/=-]{{6,}}")


@dataclass(frozen=True, slots=True)
class RawTable:
    """Raw columns by name with their DuckDB types; `row` is the SQL of a row's number from 0."""

    file: UsageFile
    relation: str
    row: str
    types: Mapping[str, str]
    unreadable: tuple[RowError, ...] = ()
    """Rows the parser itself refused; they are in no relation."""


@contextmanager
def open_raw(
    connection: duckdb.DuckDBPyConnection, file: UsageFile, *, columns: Iterable[str] | None
) -> Iterator[RawTable]:
    """Make the relation; `columns` are the only ones allowed (None: any). Temporary tables go on leaving."""
    with TemporaryDirectory(prefix="tokensleuth-") as folder:
        try:
            match file.physical:
                case "csv":
                    raw = _csv(connection, file)
                case "jsonl" | "json":
                    raw = _jsonl(connection, file, list(columns or COLUMN))
                case "parquet":
                    raw = _parquet(connection, file, Path(folder))
        except duckdb.Error as error:
            raise RefusedError(f"{file.name}: cannot be read: {first_line(error)}") from None
        if columns is not None:
            check_columns(file, list(raw.types), set(columns))
        try:
            yield raw
        finally:
            connection.execute("drop table if exists raw_rows")


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def check_columns(file: UsageFile, names: Sequence[str], known: set[str]) -> None:
    """Refuse unknown, duplicate and missing columns by name."""
    if unknown := sorted(set(names) - known):
        hint = "; is it separated by something other than commas?" if len(names) == 1 else ""
        raise RefusedError(f"{file.name}: unknown column {', '.join(f'`{name}`' for name in unknown)}{hint}")
    if missing := [name for name in REQUIRED if name in known and name not in names]:
        raise RefusedError(
            f"{file.name}: required column {', '.join(f'`{name}`' for name in missing)} is missing"
        )


def physical_lines(raw: RawTable, rows: Iterable[int]) -> dict[int, int]:
    """The line in the file of each row number: physical in text, counted from 1 in Parquet."""
    wanted = set(rows)
    if raw.file.physical != "csv":
        return {row: row + 1 for row in wanted}
    return _csv_lines(raw, wanted) if wanted else {}


def quoted(text: str) -> str:
    """A text as an SQL literal, for table functions that take no parameters."""
    return "'" + text.replace("'", "''") + "'"


def _csv(connection: duckdb.DuckDBPyConnection, file: UsageFile) -> RawTable:
    names = csv_header(file)
    _refuse_duplicates(file, names)
    spec = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in names)
    connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    connection.execute(
        f"""create or replace temp table raw_rows as select * from read_csv({quoted(file.name)},
        auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', nullstr = '',
        compression = '{"gzip" if file.gzipped else "none"}', columns = {{{spec}}},
        store_rejects = true, max_line_size = {MAX_LINE_BYTES})"""
    )
    return RawTable(
        file, "raw_rows", "rowid", dict.fromkeys(names, "VARCHAR"), _unreadable_lines(connection, file)
    )


def _jsonl(connection: duckdb.DuckDBPyConnection, file: UsageFile, columns: Sequence[str]) -> RawTable:
    """One JSON object a line; the raw columns are the known keys found in any line, as text."""
    connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    connection.execute(
        f"""create or replace temp table raw_lines as select line, {_IS_OBJECT} as is_object from read_csv({quoted(file.name)},
        auto_detect = false, header = false, delim = '\x01', quote = '', escape = '', strict_mode = false,
        compression = '{"gzip" if file.gzipped else "none"}', columns = {{'line': 'VARCHAR'}},
        store_rejects = true, max_line_size = {MAX_LINE_BYTES})"""
    )
    unreadable = _unreadable_lines(connection, file)
    _refuse_unknown_keys(connection, file, columns)
    _number_lines(connection, [e.line for e in unreadable if e.line is not None])
    paths = ", ".join(quoted(f'$."{name}"') for name in columns)
    values = ", ".join(f"nullif(fields[{i}], '') as \"{name}\"" for i, name in enumerate(columns, start=1))
    connection.execute(
        f"""create or replace temp table raw_rows as select line_row, {values}
        from (select n.line_row, json_extract_string(l.line, [{paths}]) as fields
            from raw_lines l join line_rows n on n.kept = l.rowid where l.is_object)"""
    )
    damaged = _damaged_lines(connection, file)
    connection.execute("drop table raw_lines; drop table line_rows")
    return RawTable(file, "raw_rows", "line_row", dict.fromkeys(columns, "VARCHAR"), (*unreadable, *damaged))


_IS_OBJECT = """coalesce(case when json_valid(line) then case when json_type(line) = 'OBJECT'
    then len(json_keys(line)) = len(list_distinct(json_keys(line))) end end, false)"""
"""A JSON object in which each key stands once; nested CASE because the JSON functions fail on what is no JSON."""


def _number_lines(connection: duckdb.DuckDBPyConnection, lost: Sequence[int]) -> None:
    """`line_rows`: the number from 0 of each line the parser kept, counting the ones it dropped."""
    connection.execute(
        """create or replace temp table line_rows as
        select row_number() over (order by n) - 1 as kept, n as line_row
        from range((select count(*) from raw_lines) + len($lost)) t(n)
        where not list_contains($lost, n + 1)""",
        {"lost": list(lost)},
    )


def _damaged_lines(connection: duckdb.DuckDBPyConnection, file: UsageFile) -> list[RowError]:
    rows = connection.execute(
        """select n.line_row + 1, l.line from raw_lines l join line_rows n on n.kept = l.rowid
        where not l.is_object and trim(l.line) <> '' order by 1"""
    ).fetchall()
    reason = "is not a JSON object with each key once"
    return [RowError(file.name, int(line), None, shortened(str(text)), reason) for line, text in rows]


def _refuse_unknown_keys(
    connection: duckdb.DuckDBPyConnection, file: UsageFile, columns: Sequence[str]
) -> None:
    rows = connection.execute(
        """select k.key, min(k.line_row) from (
            select unnest(case when is_object then json_keys(line) end) as key, rowid as line_row from raw_lines) k
        group by k.key order by 2"""
    ).fetchall()
    unknown = [(key, line) for key, line in rows if key not in columns]
    if unknown:
        names = ", ".join(f"`{key}` (line {line + 1})" for key, line in unknown[:5])
        raise RefusedError(f"{file.name}: unknown key {names}")


def _parquet(connection: duckdb.DuckDBPyConnection, file: UsageFile, folder: Path) -> RawTable:
    path = _unzipped(file, folder) if file.gzipped else file.path
    described = connection.execute(f"describe select * from read_parquet({quoted(str(path))})").fetchall()
    types = {str(name): str(kind) for name, kind, *_ in described}
    values = ", ".join(_absent_when_empty(name, kind) for name, kind in types.items())
    relation = (
        f"(select file_row_number, {values} from read_parquet({quoted(str(path))}, file_row_number = true))"
    )
    names = [name.lower() for name in types]
    _refuse_duplicates(file, names)
    if (
        types.get("started_at", "").startswith("TIMESTAMP")
        and types["started_at"] != "TIMESTAMP WITH TIME ZONE"
    ):
        raise RefusedError(f"{file.name}: column `started_at` has no time zone; store it as a UTC timestamp")
    return RawTable(file, relation, "file_row_number", {n.lower(): t for n, t in types.items()})


def _absent_when_empty(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    return f"nullif({column}, '') as {column}" if kind == "VARCHAR" else column


def _unzipped(file: UsageFile, folder: Path) -> Path:
    target = folder / "usage.parquet"
    try:
        with gzip.open(file.path) as source, target.open("wb") as plain:
            shutil.copyfileobj(source, plain)
    except (EOFError, gzip.BadGzipFile) as error:
        raise RefusedError(f"{file.name}: the gzip data is damaged or cut short: {error}") from None
    return target


def _refuse_duplicates(file: UsageFile, names: Sequence[str]) -> None:
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise RefusedError(f"{file.name}: column {', '.join(f'`{name}`' for name in doubled)} appears twice")
    if "" in names:
        raise RefusedError(f"{file.name}: column {names.index('') + 1} has no name")


def _unreadable_lines(connection: duckdb.DuckDBPyConnection, file: UsageFile) -> tuple[RowError, ...]:
    rows = connection.execute(
        "select distinct on (line) line, error_type, csv_line, error_message from reject_errors order by line"
    ).fetchall()
    connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    return tuple(
        RowError(file.name, int(line), None, shortened(str(text)), _parser_reason(str(kind), str(message)))
        for line, kind, text, message in rows
    )


def _parser_reason(kind: str, message: str) -> str:
    match kind:
        case "MISSING COLUMNS" | "TOO MANY COLUMNS":
            expected, found = re.findall(r"\d+", message)[:2]
            return f"has {found} cells where the header has {expected}"
        case "INVALID ENCODING":
            return "is not UTF-8"
        case "UNQUOTED VALUE":
            return "a quote is opened and never closed; nothing after this line was read"
        case "LINE SIZE OVER MAXIMUM":
            return f"the line is longer than {MAX_LINE_BYTES:,} bytes"
        case _:
            return message


def shortened(text: str, limit: int = 120) -> str:
    """A raw value as it may be shown: one line, bounded, and of anything like a secret only the beginning."""
    flat = _SECRET_WORD.sub(r"\1…", text.replace("\r", " ").replace("\n", " ").rstrip())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def _csv_lines(raw: RawTable, wanted: set[int]) -> dict[int, int]:
    """Find lines by reading the file once more: only done for files with rejected rows."""
    opened = gzip.open(raw.file.path) if raw.file.gzipped else raw.file.path.open("rb")
    lines: dict[int, int] = {}
    with opened as binary, io.TextIOWrapper(binary, encoding="utf-8", errors="replace", newline="") as text:
        reader = csv.reader(text)
        next(reader, None)
        previous, row = reader.line_num, 0
        dropped = {error.line for error in raw.unreadable}
        for record in reader:
            line, previous = previous + 1, reader.line_num
            if not record or line in dropped:
                continue
            if row in wanted:
                lines[row] = line
                if len(lines) == len(wanted):
                    break
            row += 1
    return lines
