"""Rows of bills that are no hourly token usage: kept apart, idempotent, replaced when restated."""

from collections.abc import Callable

import duckdb
import pandas as pd

from ledger.ingest.merge import REPEATED, Merged, mark_doubled
from ledger.ingest.scopes import Attribution, Owned
from ledger.ingest.table import count
from ledger.scope import UNALLOCATED

CHARGE_COLUMNS = (
    "start_at", "end_at", "category", "class", "description", "provider", "service", "project", "key_id",
    "unit", "quantity", "pricing_currency", "billed_cost", "effective_cost", "given_team", '"user"',
    "feature", "model", "region", "source", "frequency", "service_category", "service_subcategory",
    "resource_id", "resource_name", "resource_type", "sku", "sku_price", "meter", "sku_details",
    "pricing_category", "pricing_unit", "pricing_quantity", "list_cost", "contracted_cost", "list_price",
    "contracted_price", "currency_cost", "currency_list_price", "currency_contracted_price",
    "commitment_id", "commitment_name", "commitment_category", "commitment_type", "commitment_status",
    "commitment_unit", "commitment_quantity", "granted_currency", "granted_quantity",
)  # fmt: skip
"""What a bill says of a charge; `staged_charges` has row_number, identity, problem and these."""

_COMPARED = tuple(name for name in CHARGE_COLUMNS if name != "sku_details")
"""The facts of the SKU are a part of identity; how they are spelt differs between versions of FOCUS."""
_OWNED = ("provider", "project", "key_id", "user")


def mark_doubled_charges(connection: duckdb.DuckDBPyConnection) -> None:
    mark_doubled(connection, "staged_charges", _COMPARED)


def merge_charges(connection: duckdb.DuckDBPyConnection, attribution: Attribution, *, load_id: int) -> Merged:
    """Within the caller's transaction."""
    same = " and ".join(f"s.{name} is not distinct from c.{name}" for name in _COMPARED)
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
        f"""insert into charges (identity, {columns}, team, load_id)
        select identity, {columns}, coalesce(nullif(given_team, ''), '{UNALLOCATED}'), {load_id}
        from staged_charges
        where problem = 0 and identity not in (select identity from known where same)""",
    )
    if inserted:
        own_charges(connection, attribution.team_of)
    repeated = count(connection, f"select count(*) from staged_charges where problem = {REPEATED}")
    return Merged(inserted - restated, duplicate + repeated, restated)


def own_charges(connection: duckdb.DuckDBPyConnection, team_of: Callable[[Owned], str]) -> int:
    """Give charges that nobody owns the team the owner map leads to; returns how many got one."""
    unowned = connection.execute(
        f"""select distinct provider, project, key_id, "user" from charges
        where given_team = '' and team = '{UNALLOCATED}'"""
    ).fetchall()
    teams = [(*facts, team_of(_owned(facts))) for facts in unowned]
    owned = [row for row in teams if row[-1] != UNALLOCATED]
    if not owned:
        return 0
    connection.register("owned_charges", pd.DataFrame(owned, columns=[*_OWNED, "owner"]))
    same = " and ".join(f'c."{name}" = o."{name}"' for name in _OWNED)
    found = count(
        connection,
        f"""update charges c set team = o.owner from owned_charges o
        where c.given_team = '' and c.team = '{UNALLOCATED}' and {same}""",
    )
    connection.unregister("owned_charges")
    return found


def _owned(facts: tuple[object, ...]) -> Owned:
    return Owned(*("" if text == UNALLOCATED else str(text) for text in facts))
