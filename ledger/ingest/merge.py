"""Staged rows into the ledger: duplicates left out, restatements replaced and kept, the roll-up brought up to date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from ledger.ingest.contract import MEASURES
from ledger.ingest.stage import Staged, insert_new_scopes
from ledger.prices.book import PriceBook
from ledger.prices.costing import price_cells

REPEATED = 254
"""`staged.problem` of a row that stands in the same file already, with the same values."""
CONFLICT = 255
"""`staged.problem` of rows with one identity and different values in one file."""

_CELL = "hour, scope_id, billed"


@dataclass(frozen=True, slots=True)
class Merged:
    new: int
    duplicate: int
    restated: int


def mark_doubled(connection: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    """Mark rows of one identity within the file: the same values twice is a repeat, else all are a conflict."""
    connection.execute(
        """create or replace temp table doubled as
        select identity from staged where problem = 0 group by identity having count(*) > 1"""
    )
    if not _count(connection, "select count(*) from doubled"):
        return
    values = ", ".join(["started_at", "scope_id", *staged.columns])
    connection.execute(
        f"""update staged t set problem = case when d.versions > 1 then {CONFLICT} else {REPEATED} end
        from (select identity, count(distinct row({values})) as versions, min(row_number) as first_row
            from staged where problem = 0 and identity in (select identity from doubled) group by identity) d
        where t.identity = d.identity and (d.versions > 1 or t.row_number <> d.first_row)"""
    )


def merge(connection: duckdb.DuckDBPyConnection, staged: Staged, book: PriceBook, *, load_id: int) -> Merged:
    """Insert what is new, replace what is restated, recompute the hours it touches; within the caller's transaction."""
    _find_known(connection, staged)
    duplicate = _count(connection, "select count(*) from known where same")
    restated = _count(connection, "select count(*) from known where not same")
    insert_new_scopes(connection)
    _collect_touched(connection, staged, restated=restated > 0)
    if restated:
        _set_aside(connection, load_id)
    new = _insert(connection, staged, load_id, anti_join=duplicate + restated > 0) - restated
    _roll_up(connection, book)
    repeated = _count(connection, f"select count(*) from staged where problem = {REPEATED}")
    return Merged(new, duplicate + repeated, restated)


def _find_known(connection: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    """`known`: the identities the ledger has already, and whether with the same values."""
    pairs = [
        (f"s.{name}" if name in staged.columns else default, f"u.{name}") for name, default in _measures()
    ]
    same = " and ".join(f"{ours} is not distinct from {theirs}" for ours, theirs in pairs)
    connection.execute(
        f"""create or replace temp table known as
        select s.identity, s.started_at = u.started_at and s.scope_id = u.scope_id and {same} as same
        from staged s join usage u on u.identity = s.identity where s.problem = 0"""
    )


def _measures() -> list[tuple[str, str]]:
    """The measure columns of `usage` with the SQL of their default."""
    defaults = [(c.name, str(c.default) if c.kind == "count" else "null") for c in MEASURES]
    return [*defaults, ("billed_cost", "null")]


def _collect_touched(connection: duckdb.DuckDBPyConnection, staged: Staged, *, restated: bool) -> None:
    """`touched`: the cells whose usage changes."""
    billed = "billed_cost is not null" if "billed_cost" in staged.columns else "false"
    old = (
        """union select distinct date_trunc('hour', u.started_at), u.scope_id, u.billed_cost is not null
        from usage u join known k on k.identity = u.identity and not k.same"""
        if restated
        else ""
    )
    connection.execute(
        f"""create or replace temp table touched as
        select distinct date_trunc('hour', started_at) as hour, scope_id, {billed} as billed
        from staged where problem = 0 and identity not in (select identity from known where same) {old}"""
    )


def _set_aside(connection: duckdb.DuckDBPyConnection, load_id: int) -> None:
    connection.execute(
        f"""insert into usage_restated select u.*, {load_id} from usage u
        join known k on k.identity = u.identity and not k.same"""
    )
    connection.execute("delete from usage where identity in (select identity from known where not same)")


def _insert(connection: duckdb.DuckDBPyConnection, staged: Staged, load_id: int, *, anti_join: bool) -> int:
    names = [name for name, _ in _measures()]
    values = [name if name in staged.columns else default for name, default in _measures()]
    anti = "and identity not in (select identity from known where same)" if anti_join else ""
    row = connection.execute(
        f"""insert into usage (identity, started_at, scope_id, {", ".join(names)}, load_id)
        select identity, started_at, scope_id, {", ".join(values)}, {load_id} from staged where problem = 0 {anti}"""
    ).fetchone()
    return int(row[0]) if row else 0


def _roll_up(connection: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    """Compute the touched cells again from the usage of their hours, priced."""
    span = connection.execute("select min(hour), max(hour) + interval 1 hour from touched").fetchone()
    if span is None or span[0] is None:
        return
    build_cells(connection, "cells", *span, only="touched")
    price_cells(connection, book, "cells", "priced")
    connection.execute(f"delete from usage_hourly where ({_CELL}) in (select ({_CELL}) from touched)")
    connection.execute("insert into usage_hourly by name select * from priced")


def build_cells(
    connection: duckdb.DuckDBPyConnection, table: str, start: datetime, end: datetime, *, only: str
) -> None:
    """Aggregate usage of `[start, end)` into `table`, restricted to the cells named in `only`."""
    counts = [c.name for c in MEASURES if not c.name.endswith("characters")]
    sums = ", ".join(f"cast(coalesce(sum({name}), 0) as bigint) as {name}" for name in counts)
    lengths = ", ".join(
        f"case when count({name}) = count(*) then cast(sum({name}) as bigint) end as {name}"
        for name in ("input_characters", "output_characters")
    )
    connection.execute(
        f"""create or replace temp table {table} as
        select c.* from (
            select date_trunc('hour', started_at) as hour, scope_id, billed_cost is not null as billed,
                count(*) as records, {sums}, {lengths}, cast(sum(billed_cost) as bigint) as billed_cost
            from usage where started_at >= $start and started_at < $end group by 1, 2, 3) c
        semi join {only} t on t.hour = c.hour and t.scope_id = c.scope_id and t.billed = c.billed""",
        {"start": start, "end": end},
    )


def rejected_rows(connection: duckdb.DuckDBPyConnection, staged: Staged) -> Sequence[tuple[int, int]]:
    """Row number and problem of every row that is not taken, in file order."""
    rows = connection.execute(
        f"select row_number, problem from staged where problem > 0 and problem <> {REPEATED} order by row_number"
    ).fetchall()
    return [(int(row), int(problem)) for row, problem in rows]


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0
