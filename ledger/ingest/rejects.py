"""Rejected rows: told with file, line, column, value and reason, or written out whole for repair."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd

from ledger.errors import RefusedError
from ledger.ingest.merge import CONFLICT, REPEATED
from ledger.ingest.raw import lines_of
from ledger.ingest.result import MAX_ERRORS, RowError
from ledger.ingest.secrets import NOT_AN_ID, masked, masked_sql, shortened
from ledger.ingest.stage import Staged
from ledger.ingest.table import count, quoted

CONFLICT_REASON = "the same record stands in this file with other values"


class _Rejected(NamedTuple):
    row: int
    problem: int


def count_rejected(connection: duckdb.DuckDBPyConnection, staged: Staged) -> int:
    rows = count(connection, f"select count(*) from ({_rejected_sql(staged)})")
    return rows + count(connection, "select count(*) from unreadable")


def row_errors(connection: duckdb.DuckDBPyConnection, staged: Staged) -> tuple[RowError, ...]:
    """The first rejected rows and refused lines, in file order, up to MAX_ERRORS."""
    rejected = _rejected(connection, staged, limit=MAX_ERRORS)
    lines = lines_of(connection, staged.table.raw, {r.row for r in rejected})
    reasons = {r.row: _column_and_reason(staged, r.problem) for r in rejected}
    values = _values(connection, staged, {row: column for row, (column, _) in reasons.items()})
    name = staged.table.raw.file.name
    errors = [
        RowError(name, int(line), column, None if text is None else shortened(text), reason)
        for line, column, text, reason in connection.execute(
            f"select line, column_name, text, reason from unreadable order by line limit {MAX_ERRORS}"
        ).fetchall()
    ]
    for row, (column, reason) in reasons.items():
        value = values.get(row)
        shown = None if value is None else masked(value) if reason == NOT_AN_ID else shortened(value)
        errors.append(RowError(name, lines[row], column, shown, reason))
    return tuple(sorted(errors, key=lambda e: e.line or 0)[:MAX_ERRORS])


def write_rejects(connection: duckdb.DuckDBPyConnection, staged: Staged, path: Path) -> None:
    """Write every rejected row to a CSV: the raw columns, then line, column, reason, text of refused lines.

    Of what looks like a secret only the beginning is written. Raises RefusedError where it cannot be written.
    """
    try:
        path.open("w").close()
    except OSError as error:
        raise RefusedError(f"{path}: cannot be written: {error.strerror}") from None
    raw = staged.table.raw
    rejected = _rejected(connection, staged)
    lines = lines_of(connection, raw, {r.row for r in rejected})
    told_rows = [(r.row, lines[r.row], *_column_and_reason(staged, r.problem)) for r in rejected]
    cells = "".join(f'{masked_sql(_text(name))} as "{name}", ' for name in raw.types)
    blanks = "".join(f'null as "{name}", ' for name in raw.types)
    frame = pd.DataFrame(told_rows, columns=["row_id", "at_line", "in_column", "why"], dtype=object)
    connection.register("rejected_rows", frame)
    connection.execute(
        f"""copy (
            select {cells} cast(j.at_line as bigint) as line, j.in_column as column, j.why as reason,
                null as text
            from {raw.relation} r join rejected_rows j on cast(j.row_id as bigint) = r.{raw.row}
            union all select {blanks} line, column_name, reason, {masked_sql("text")} from unreadable
            order by line) to {quoted(str(path))} (format csv, header)"""
    )
    connection.unregister("rejected_rows")


def _rejected_sql(staged: Staged) -> str:
    """Every row that is not taken; a repeat is a duplicate, not wrong."""
    tables = ["staged", "staged_charges"] if staged.table.charges else ["staged"]
    return " union all ".join(
        f"select row_number, problem from {table} where problem > 0 and problem <> {REPEATED}"
        for table in tables
    )


def _rejected(
    connection: duckdb.DuckDBPyConnection, staged: Staged, *, limit: int | None = None
) -> list[_Rejected]:
    bound = "" if limit is None else f"limit {limit}"
    rows = connection.execute(f"{_rejected_sql(staged)} order by row_number {bound}").fetchall()
    return [_Rejected(int(row), int(problem)) for row, problem in rows]


def _column_and_reason(staged: Staged, problem: int) -> tuple[str, str]:
    if problem == CONFLICT:
        column, reason = ("record_id" if "record_id" in staged.table.types else "started_at"), CONFLICT_REASON
    else:
        found = staged.problems[problem - 1]
        column, reason = found.column, found.reason
    return staged.table.shown.get(column, column), reason


def _values(
    connection: duckdb.DuckDBPyConnection, staged: Staged, columns: Mapping[int, str]
) -> dict[int, str | None]:
    """The raw text of the column told of each row, from the file's own columns where it is one of them."""
    table = staged.table
    raw_names = {name.lower(): name for name in table.raw.types}
    in_raw = {
        row: raw_names[column.lower()] for row, column in columns.items() if column.lower() in raw_names
    }
    in_table = {row: column for row, column in columns.items() if column in table.extra and row not in in_raw}
    return {
        **_texts(connection, table.raw.relation, table.raw.row, in_raw),
        **_texts(connection, table.relation, table.row, in_table),
    }


def _texts(
    connection: duckdb.DuckDBPyConnection, relation: str, row: str, columns: Mapping[int, str]
) -> dict[int, str | None]:
    if not columns:
        return {}
    names: Sequence[str] = sorted(set(columns.values()))
    selected = ", ".join(map(_text, names))
    found = connection.execute(
        f"select {row}, {selected} from {relation} where {row} in (select unnest($rows))",
        {"rows": list(columns)},
    ).fetchall()
    texts = {int(at): dict(zip(names, values, strict=True)) for at, *values in found}
    return {at: texts[at][column] for at, column in columns.items()}


def _text(column: str) -> str:
    return f'cast("{column}" as varchar)'
