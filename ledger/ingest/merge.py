"""Staged rows into the ledger: duplicates left out, restatements replaced and kept, the roll-up renewed."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from ledger.ingest.contract import MEASURES
from ledger.ingest.rollup import roll_up
from ledger.ingest.scopes import insert_new_scopes
from ledger.ingest.stage import Staged
from ledger.ingest.table import count
from ledger.prices.book import PriceBook

REPEATED = 2**16 - 2
"""`problem` of a row that stands in the same file already, with the same values."""
CONFLICT = 2**16 - 1
"""`problem` of rows with one identity and different values in one file."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Rows by what became of them."""

    new: int = 0
    duplicate: int = 0
    restated: int = 0

    @property
    def rows(self) -> int:
        return self.new + self.duplicate + self.restated

    def with_restated(self, rows: int) -> "Merged":
        """The same with so many of the duplicates found to be restated."""
        return Merged(self.new, self.duplicate - rows, self.restated + rows)


def mark_doubled(connection: duckdb.DuckDBPyConnection, table: str, values: Sequence[str]) -> None:
    """Mark rows of one identity in the file: the same values twice is a repeat, else all are a conflict."""
    connection.execute(
        f"""create or replace temp table doubled as
        select identity from {table} where problem = 0 group by identity having count(*) > 1"""
    )
    if not count(connection, "select count(*) from doubled"):
        return
    connection.execute(
        f"""update {table} t set problem = case when d.versions > 1 then {CONFLICT} else {REPEATED} end
        from (
            select identity, count(distinct row({", ".join(values)})) as versions,
                min(row_number) as first_row
            from {table} where problem = 0 and identity in (select identity from doubled) group by identity) d
        where t.identity = d.identity and t.problem = 0 and (d.versions > 1 or t.row_number <> d.first_row)"""
    )


def mark_doubled_usage(connection: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    mark_doubled(connection, "staged", ["started_at", "scope_id", *staged.columns])


def merge(connection: duckdb.DuckDBPyConnection, staged: Staged, book: PriceBook, *, load_id: int) -> Merged:
    """Insert what is new, replace what is restated, renew the cells touched; in the caller's transaction."""
    _find_known(connection, staged)
    duplicate = count(connection, "select count(*) from known where same")
    restated = count(connection, "select count(*) from known where not same")
    insert_new_scopes(connection)
    unseen = "and identity not in (select identity from known where same)" if duplicate else ""
    _collect_touched(connection, staged, unseen, restated=restated > 0)
    if restated:
        _set_aside(connection, load_id)
    new = _insert(connection, staged, unseen, load_id=load_id) - restated
    roll_up(connection, book)
    repeated = count(connection, f"select count(*) from staged where problem = {REPEATED}")
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


def _collect_touched(
    connection: duckdb.DuckDBPyConnection, staged: Staged, unseen: str, *, restated: bool
) -> None:
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
        from staged where problem = 0 {unseen} {old}"""
    )


def _set_aside(connection: duckdb.DuckDBPyConnection, load_id: int) -> None:
    connection.execute(
        f"""insert into usage_restated select u.*, {load_id} from usage u
        join known k on k.identity = u.identity and not k.same"""
    )
    connection.execute("delete from usage where identity in (select identity from known where not same)")


def _insert(connection: duckdb.DuckDBPyConnection, staged: Staged, unseen: str, *, load_id: int) -> int:
    names = [name for name, _ in _measures()]
    values = [name if name in staged.columns else default for name, default in _measures()]
    return count(
        connection,
        f"""insert into usage (identity, started_at, scope_id, {", ".join(names)}, load_id)
        select identity, started_at, scope_id, {", ".join(values)}, {load_id}
        from staged where problem = 0 {unseen}""",
    )
