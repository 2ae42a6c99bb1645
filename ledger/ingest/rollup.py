"""The hourly roll-up: cells computed again from the usage of their hours, priced."""

from datetime import datetime

import duckdb

from ledger.ingest.contract import MEASURES
from ledger.prices.book import PriceBook
from ledger.prices.costing import price_cells

_CELL = "hour, scope_id, billed"


def roll_up(connection: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    """Bring the cells named in the temp table `touched` up to date; within the caller's transaction."""
    span = connection.execute("select min(hour), max(hour) + interval 1 hour from touched").fetchone()
    if span is None or span[0] is None:
        return
    _build_cells(connection, *span)
    price_cells(connection, book, "cells", "priced")
    connection.execute(f"delete from usage_hourly where ({_CELL}) in (select ({_CELL}) from touched)")
    connection.execute("insert into usage_hourly by name select * from priced")


def _build_cells(connection: duckdb.DuckDBPyConnection, start: datetime, end: datetime) -> None:
    """`cells`: the usage of `[start, end)` by hour, scope and cost basis, where it is touched."""
    counts = [c.name for c in MEASURES if not c.name.endswith("characters")]
    sums = ", ".join(f"cast(coalesce(sum({name}), 0) as bigint) as {name}" for name in counts)
    lengths = ", ".join(
        f"case when count({name}) = count(*) then cast(sum({name}) as bigint) end as {name}"
        for name in ("input_characters", "output_characters")
    )
    connection.execute(
        f"""create or replace temp table cells as
        select c.* from (
            select date_trunc('hour', started_at) as hour, scope_id, billed_cost is not null as billed,
                count(*) as records, {sums}, {lengths}, cast(sum(billed_cost) as bigint) as billed_cost
            from usage where started_at >= $start and started_at < $end group by 1, 2, 3) c
        semi join touched t on t.hour = c.hour and t.scope_id = c.scope_id and t.billed = c.billed""",
        {"start": start, "end": end},
    )
