"""Who pays for usage that is not billed in cash: kept beside the usage rows of a bill, replaced with them."""

import duckdb

from ledger.ingest.table import count

FUNDING_COLUMNS = (
    "billed_cost", "effective_cost", "pricing_currency", "currency_cost", "pricing_category",
    "pricing_unit", "pricing_quantity", "list_cost", "contracted_cost", "list_price", "contracted_price",
    "currency_list_price", "currency_contracted_price", "commitment_id", "commitment_name",
    "commitment_category", "commitment_type", "commitment_status", "commitment_unit", "commitment_quantity",
)  # fmt: skip
"""Columns of `usage_funding` that a bill states; `staged_funding` has row_number and these."""

_COUNTS = (
    "requests", "failed_requests", "retried_requests", "input_tokens", "cache_read_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens", "reasoning_tokens",
)  # fmt: skip
_COLUMNS = ", ".join(["identity", "started_at", "scope_id", *_COUNTS, *FUNDING_COLUMNS])


def merge_funding(connection: duckdb.DuckDBPyConnection, *, load_id: int) -> int:
    """After the usage was merged, in its transaction: `staged` and `known` are those of the usage.

    Returns the rows whose usage is as it was and whose funding is not: they are restated, not duplicates.
    """
    counts = ", ".join(f"coalesce(s.{name}, 0) as {name}" for name in _COUNTS)
    stated = ", ".join(f"f.{name}" for name in FUNDING_COLUMNS)
    connection.execute(
        f"""create or replace temp table funded as
        select s.identity, s.started_at, s.scope_id, {counts}, {stated}
        from staged s join staged_funding f on f.row_number = s.row_number where s.problem = 0"""
    )
    if not count(connection, "select (select count(*) from funded) + (select count(*) from usage_funding)"):
        return 0
    changed = _changed(connection)
    connection.execute(
        "delete from usage_funding where identity in (select identity from staged where problem = 0)"
    )
    connection.execute(
        f"insert into usage_funding ({_COLUMNS}, load_id) select {_COLUMNS}, {load_id} from funded"
    )
    return changed


def _changed(connection: duckdb.DuckDBPyConnection) -> int:
    differs = " or ".join(f"o.{name} is distinct from n.{name}" for name in FUNDING_COLUMNS)
    return count(
        connection,
        f"""select count(*) from known k
        left join usage_funding o on o.identity = k.identity
        left join funded n on n.identity = k.identity
        where k.same and ({differs})""",
    )
