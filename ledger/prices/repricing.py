"""Re-costs what is stored after an alias, an override or a new catalogue: first shown, then written.

Works inside the caller's transaction and never commits. Billed cost is never touched.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import duckdb

from ledger.catalogue import utc_naive
from ledger.prices.book import PriceBook
from ledger.prices.costing import RateKey, insert_rates, join_rates
from ledger.prices.rates import same_price
from ledger.usage import TOKEN_CLASSES


@dataclass(frozen=True, slots=True)
class RepriceLine:
    """What changes for one model in one tier; costs in 1e-12 USD."""

    provider: str
    model: str
    service_tier: str
    cells: int
    """Hourly cells with another price version."""
    billed_cells: int
    """Those of them whose cost the source gave: their computed cost changes, what they count for does not."""
    old_computed_pico: int | None
    """None when nothing was priced."""
    new_computed_pico: int | None
    old_unpriced_tokens: int
    new_unpriced_tokens: int
    old_versions: tuple[str, ...]
    new_versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RepriceReport:
    """Nothing in `lines` means that stored costs are what the price book says."""

    lines: tuple[RepriceLine, ...]
    applied: bool


_TEMPORARY = ("repriced_rates", "reprice_cells", "repriced")

_CELLS_TO_REPRICE = f"""
create temp table reprice_cells as
select h.hour, h.scope_id, h.billed, {", ".join(f"h.{c}_tokens" for c in TOKEN_CLASSES)},
    h.computed_cost as old_cost, h.unpriced_tokens as old_unpriced, h.price_version as old_version
from usage_hourly h
join scopes s on s.scope_id = h.scope_id
where exists (
    select 1 from repriced_rates r
    where r.provider = s.provider and r.model = s.model and r.service_tier = s.service_tier
        and r.day = cast(h.hour as date)
)
"""

_LINES = """
select s.provider, s.model, s.service_tier, count(*), count(*) filter (where c.billed),
    sum(c.old_cost), sum(c.computed_cost), sum(c.old_unpriced), sum(c.unpriced_tokens),
    list(distinct c.old_version order by c.old_version) filter (where c.old_version is not null),
    list(distinct c.price_version order by c.price_version) filter (where c.price_version is not null)
from repriced c
join scopes s on s.scope_id = c.scope_id
group by s.provider, s.model, s.service_tier
order by s.provider, s.model, s.service_tier
"""

_KEEP_HISTORY = """
insert into cost_history
select hour, scope_id, billed, old_cost, old_unpriced, old_version, $now from repriced
"""

_DROP_OLD_RATES = """
delete from rates r
using (select distinct provider, model, service_tier, day from repriced_rates) n
where r.provider = n.provider and r.model = n.model and r.service_tier = n.service_tier and r.day = n.day
"""

_UPDATE_CELLS = """
update usage_hourly h
set computed_cost = n.computed_cost, unpriced_tokens = n.unpriced_tokens, price_version = n.price_version
from repriced n
where h.hour = n.hour and h.scope_id = n.scope_id and h.billed = n.billed
"""


def reprice(
    connection: duckdb.DuckDBPyConnection, book: PriceBook, *, now: datetime, apply: bool
) -> RepriceReport:
    """Compare stored rates with the book; with `apply` write what differs and keep the old in cost_history.

    A new release of the catalogue with the same rates changes nothing.
    """
    connection.execute("create temp table repriced_rates as select * from rates limit 0")
    insert_rates(connection, book, _outdated(connection, book), "repriced_rates")
    connection.execute(_CELLS_TO_REPRICE)
    join_rates(connection, cells="reprice_cells", rates="repriced_rates", priced="repriced")
    lines = _lines(connection)
    if apply:
        _write(connection, now)
    for table in _TEMPORARY:
        connection.execute(f"drop table {table}")
    return RepriceReport(lines, applied=apply)


def _outdated(connection: duckdb.DuckDBPyConnection, book: PriceBook) -> Iterable[RateKey]:
    stored = connection.execute(
        "select distinct provider, model, service_tier, day, price_version from rates"
    ).fetchall()
    for provider, model, service_tier, day, version in stored:
        key = RateKey(provider, model, service_tier, day)
        if not same_price(version, book.rates(*key)[0].price_version):
            yield key


def _lines(connection: duckdb.DuckDBPyConnection) -> tuple[RepriceLine, ...]:
    rows = connection.execute(_LINES).fetchall()
    return tuple(
        RepriceLine(
            provider, model, tier, cells, billed, old, new, lacked, lacks, tuple(was or ()), tuple(now or ())
        )
        for provider, model, tier, cells, billed, old, new, lacked, lacks, was, now in rows
    )


def _write(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    connection.execute(_KEEP_HISTORY, {"now": utc_naive(now)})
    connection.execute(_DROP_OLD_RATES)
    connection.execute("insert into rates by name select * from repriced_rates")
    connection.execute(_UPDATE_CELLS)
