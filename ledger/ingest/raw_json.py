"""JSON rows: one object a line, or a list of objects, or pages of an API with their rows under `data`."""

import json
from pathlib import Path

import duckdb

from ledger.errors import RefusedError
from ledger.ingest.lines import MAX_LINE_BYTES
from ledger.ingest.preflight import UsageFile
from ledger.ingest.raw_csv import note_refused_lines, read_text
from ledger.ingest.source import Source, refuse_other_format
from ledger.ingest.table import RawTable, quoted
from ledger.ingest.unreadable import create_unreadable

_AS_ONE_COLUMN = """header = false, delim = '\x01', quote = '', escape = '', strict_mode = false,
    columns = {'line': 'VARCHAR'}"""

_DAMAGE = """case
    when not json_valid(line) then 'is not JSON'
    when json_type(line) <> 'OBJECT' then 'is not a JSON object'
    when len(json_keys(line)) > len(list_distinct(json_keys(line))) then 'has a key twice' end"""
_NESTED = """case when list_has_any(json_type(line, '$.*'), ['OBJECT', 'ARRAY'])
    then 'has a list or an object as a value' end"""


def read_json_rows(
    connection: duckdb.DuckDBPyConnection, file: UsageFile, path: Path, source: Source
) -> RawTable:
    """Make `raw_rows`, all text, of the source's keys found in any row; and `unreadable`."""
    if file.physical == "json" and not _has_row_per_line(path):
        _read_document(connection, path)
    else:
        _read_lines(connection, path)
    if source.other_json_keys == "ignored":
        _unfold_pages(connection)
    _set_aside(connection, _DAMAGE)
    keys = _spelled_keys(connection, file, source)
    if source.other_json_keys == "refused":
        _set_aside(connection, _NESTED)
    values = "".join(f", nullif(fields[{i}], '') as \"{key}\"" for i, key in enumerate(keys, start=1))
    paths = ", ".join(quoted(source.json_paths.get(key, f'$."{spelled}"')) for key, spelled in keys.items())
    connection.execute(
        f"""create or replace temp table raw_rows as select line_number{values}
        from (select line_number, json_extract_string(line, [{paths}]::varchar[]) as fields from raw_lines)"""
    )
    connection.execute("drop table raw_lines")
    return RawTable(file, path, "raw_rows", "rowid", "line_number", dict.fromkeys(keys, "VARCHAR"))


def _has_row_per_line(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(MAX_LINE_BYTES)
        while first and not first.strip():
            first = file.readline(MAX_LINE_BYTES)
    try:
        return first.endswith(b"\n") and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _read_lines(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """`raw_lines`: every line that is not blank, with its number, counting the ones the parser refused."""
    read_text(connection, path, into="raw_rows", select="line", options=_AS_ONE_COLUMN)
    note_refused_lines(connection, path)
    connection.execute(
        """create or replace temp table raw_lines as
        with kept as (
            select row_number() over (order by n) - 1 as row_id, n as line_number
            from range(1, (select count(*) from raw_rows) + (select count(*) from unreadable) + 1) t(n)
            where n not in (select line from unreadable))
        select k.line_number, r.line from raw_rows r join kept k on k.row_id = r.rowid
        where trim(r.line, ' \t\r') <> '' order by k.line_number"""
    )


def _read_document(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """`raw_lines`: the objects of one JSON document, numbered as they stand in it."""
    create_unreadable(connection)
    connection.execute(
        f"""create or replace temp table raw_lines as
        select unnest(range(1, len(rows) + 1)) as line_number, cast(unnest(rows) as varchar) as line
        from (
            select case when json_type(content) = 'ARRAY' then json_extract(content, '$[*]')
                else [content] end as rows
            from read_text({quoted(str(path))}))"""
    )


def _unfold_pages(connection: duckdb.DuckDBPyConnection) -> None:
    """Replace answers of an API by the rows they hold; those of a lone answer are numbered from 1."""
    connection.execute(
        """create or replace temp table raw_lines as
        with answers as (
            select line_number, count(*) over () as answers,
                case when json_valid(line) then case when json_type(line, '$.data') = 'ARRAY'
                    then json_extract(line, '$.data[*]') end end as page, line
            from raw_lines)
        select line_number, line from answers where page is null
        union all
        select case when answers = 1 then unnest(range(1, len(page) + 1)) else line_number end,
            cast(unnest(page) as varchar)
        from answers where page is not null"""
    )


def _set_aside(connection: duckdb.DuckDBPyConnection, damage: str) -> None:
    connection.execute(
        f"""insert into unreadable select line_number, null, left(line, 1000), {damage}, 0, 0
        from raw_lines where ({damage}) is not null"""
    )
    connection.execute(f"delete from raw_lines where ({damage}) is not null")


def _spelled_keys(connection: duckdb.DuckDBPyConnection, file: UsageFile, source: Source) -> dict[str, str]:
    """The source's keys that some row has, as the file spells them; raises RefusedError for unknown keys."""
    if source.other_json_keys == "ignored":
        _refuse_foreign_rows(connection, file, source.required[0])
        return {key: key for key in source.json_keys}
    found = connection.execute(
        """select k.key, min(k.line_number) from (
            select unnest(json_keys(line)) as key, line_number from raw_lines) k
        group by k.key order by 2, 1"""
    ).fetchall()
    unknown = [(key, line) for key, line in found if key.lower() not in source.json_keys]
    if unknown:
        refuse_other_format(file, [key for key, _ in found])
        names = ", ".join(f"`{key}` (line {line})" for key, line in unknown[:5])
        raise RefusedError(f"{file.name}: unknown key {names}")
    spelled = {key: key for key in source.required}
    seen: set[str] = set()
    for key, line in found:
        if key.lower() in seen:
            raise RefusedError(
                f"{file.name}: line {line}: key `{key}` is spelled `{spelled[key.lower()]}` before"
            )
        seen.add(key.lower())
        spelled[key.lower()] = key
    return spelled


def _refuse_foreign_rows(connection: duckdb.DuckDBPyConnection, file: UsageFile, key: str) -> None:
    """Where other keys are ignored, an answer that holds an error or other objects must not pass as rows."""
    path = quoted(f"$.{key}")
    having = f"select count(*), count(*) filter (json_exists(line, {path})) from raw_lines"
    rows, found = connection.execute(having).fetchall()[0]
    if rows and not found:
        raise RefusedError(f"{file.name}: none of its rows has `{key}`: this is another format, or an error")
