"""Rows of bills that are no hourly token usage: kept apart, idempotent, replaced when restated."""

import duckdb

from ledger.ingest.merge import REPEATED, Merged, mark_doubled
from ledger.ingest.table import count

CHARGE_COLUMNS = (
    "start_at", "end_at", "category", "class", "description", "provider", "service", "project", "key_id",
    "unit", "quantity", "pricing_currency", "billed_cost", "effective_cost",
)  # fmt: skip
"""Columns of `charges` after identity; `staged_charges` has row_number, identity, problem and these."""


def mark_doubled_charges(connection: duckdb.DuckDBPyConnection) -> None:
    mark_doubled(connection, "staged_charges", CHARGE_COLUMNS)


def merge_charges(connection: duckdb.DuckDBPyConnection, *, load_id: int) -> Merged:
    """Within the caller's transaction."""
    same = " and ".join(f"s.{name} is not distinct from c.{name}" for name in CHARGE_COLUMNS)
    connection.execute(
        f"""create or replace temp table known as
        select s.identity, {same} as same from staged_charges s join charges c on c.identity = s.identity
        where s.problem = 0"""
    )
    duplicate = count(connection, "select count(*) from known where same")
    restated = count(connection, "select count(*) from known where not same")
    connection.execute("delete from charges where identity in (select identity from known where not same)")
    columns = ", ".join(CHARGE_COLUMNS)
    inserted = count(
        connection,
        f"""insert into charges (identity, {columns}, load_id)
        select identity, {columns}, {load_id} from staged_charges
        where problem = 0 and identity not in (select identity from known where same)""",
    )
    repeated = count(connection, f"select count(*) from staged_charges where problem = {REPEATED}")
    return Merged(inserted - restated, duplicate + repeated, restated)
