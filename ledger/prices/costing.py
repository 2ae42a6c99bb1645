"""Prices ledger cells by joining them with rates: rates are resolved once per provider, model, tier and day.

Works inside the caller's transaction and never commits.
"""

from collections.abc import Iterable
from dataclasses import astuple
from datetime import date
from typing import NamedTuple

import duckdb
import pandas as pd

from ledger.errors import RefusedError
from ledger.prices.book import PriceBook
from ledger.prices.rates import RateRow
from ledger.usage import TOKEN_CLASSES


class RateKey(NamedTuple):
    """What has a rate of its own."""

    provider: str
    model: str
    service_tier: str
    day: date


_ROW_TYPES = {
    "hour_of_day": "Int64",
    **{f"{c}_rate": "Int64" for c in TOKEN_CLASSES},
    "priced_as": "str",
    "tiered": "bool",
    "price_version": "str",
}

_MISSING_RATES = """
select distinct s.provider, s.model, s.service_tier, c.day
from (select distinct scope_id, cast(hour as date) as day from {cells}) c
join scopes s on s.scope_id = c.scope_id
where not exists (
    select 1 from rates r
    where r.provider = s.provider and r.model = s.model and r.service_tier = s.service_tier and r.day = c.day
)
"""

_LARGEST_COST = 92 * 10**17
"""9.2 million USD, just under what a BIGINT holds: a double it is compared with has coarse steps there."""

_ANY_TOKENS = " or ".join(f"c.{k}_tokens <> 0" for k in TOKEN_CLASSES)
_ANY_PRICED = " or ".join(f"(c.{k}_tokens <> 0 and r.{k}_rate is not null)" for k in TOKEN_CLASSES)
_COST = " + ".join(f"coalesce(c.{k}_tokens * r.{k}_rate, 0)" for k in TOKEN_CLASSES)
_MAGNITUDE = " + ".join(f"coalesce(abs(cast(c.{k}_tokens as double)) * r.{k}_rate, 0)" for k in TOKEN_CLASSES)
_UNPRICED = " + ".join(f"case when r.{k}_rate is null then c.{k}_tokens else 0 end" for k in TOKEN_CLASSES)

_PRICED_CELLS = f"""
create or replace temp table {{priced}} as
select c.*,
    case
        when not ({_ANY_TOKENS}) then 0
        when not ({_ANY_PRICED}) then null
        when {_MAGNITUDE} > {_LARGEST_COST}
            then error(concat('`', s.model, '` costs more than 9.2 million USD in the hour of ', c.hour))
        else {_COST}
    end as computed_cost,
    {_UNPRICED} as unpriced_tokens,
    r.price_version
from {{cells}} c
join scopes s on s.scope_id = c.scope_id
left join {{rates}} r on r.provider = s.provider and r.model = s.model and r.service_tier = s.service_tier
    and r.day = cast(c.hour as date) and coalesce(r.hour_of_day, hour(c.hour)) = hour(c.hour)
"""


def price_cells(connection: duckdb.DuckDBPyConnection, book: PriceBook, cells: str, priced: str) -> None:
    """Create temp table `priced`: `cells` and their computed_cost, unpriced_tokens and price_version.

    Rates the ledger lacks are resolved and stored first; stored rates hold until a re-costing. computed_cost
    is null when a cell has tokens and no class of them has a rate. Cells may be differences with negative
    tokens: cost and unpriced tokens are linear in tokens, so they add up.
    """
    missing = connection.execute(_MISSING_RATES.format(cells=_identifier(cells))).fetchall()
    insert_rates(connection, book, (RateKey(*row) for row in missing), "rates")
    join_rates(connection, cells=cells, rates="rates", priced=priced)


def insert_rates(
    connection: duckdb.DuckDBPyConnection, book: PriceBook, keys: Iterable[RateKey], table: str
) -> None:
    """Resolve keys through the book into a table with the columns of `rates`."""
    frame = _rates_frame([(key, row) for key in keys for row in book.rates(*key)])
    connection.register("resolved_rates", frame)
    connection.execute(f"insert into {_identifier(table)} by name select * from resolved_rates")
    connection.unregister("resolved_rates")


def join_rates(connection: duckdb.DuckDBPyConnection, *, cells: str, rates: str, priced: str) -> None:
    """The pricing itself; raises RefusedError for a cell that costs more than money can hold."""
    sql = _PRICED_CELLS.format(cells=_identifier(cells), rates=_identifier(rates), priced=_identifier(priced))
    try:
        connection.execute(sql)
    except (duckdb.InvalidInputException, duckdb.OutOfRangeException) as error:
        what = str(error).partition(": ")[2]
        raise RefusedError(f"{what}; the ledger cannot hold that, check the token counts") from error


def _rates_frame(resolved: list[tuple[RateKey, RateRow]]) -> pd.DataFrame:
    keys = pd.DataFrame([key for key, _ in resolved], columns=list(RateKey._fields))
    facts = [astuple(row)[: len(_ROW_TYPES)] for _, row in resolved]
    rows = pd.DataFrame(facts, columns=list(_ROW_TYPES), dtype=object)
    return pd.concat([keys, rows.astype(_ROW_TYPES)], axis="columns")


def _identifier(name: str) -> str:
    if not name.isidentifier():
        raise ValueError(f"`{name}` is not the name of a table")
    return name
