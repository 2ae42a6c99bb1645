"""Cells priced by a join with rates, re-costed when the price book changes, and what stays unpriced."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import duckdb
import pandas as pd
import pytest

from ledger.errors import RefusedError
from ledger.migrations import migrate
from ledger.prices.book import PriceBook
from ledger.prices.costing import price_cells
from ledger.prices.coverage import unpriced_usage
from ledger.prices.overrides import ModelAlias, PriceOverride
from ledger.prices.repricing import RepriceReport, reprice

NOON = datetime(2026, 11, 2, 12)  # noqa: DTZ001
NOW = datetime(2026, 11, 5, tzinfo=UTC)
PICO = 10**12


@pytest.fixture
def ledger() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        migrate(connection)
        yield connection


def cell(
    model: str = "gpt-4o",
    *,
    provider: str = "openai",
    tier: str = "standard",
    at: datetime = NOON,
    **given: object,
) -> dict[str, object]:
    """One cell of `usage_hourly` and the names of its scope; tokens by class name."""
    known = {
        "input": 0,
        "cache_read": 0,
        "cache_write_5m": 0,
        "cache_write_1h": 0,
        "output": 0,
        "billed": None,
    }
    return {"provider": provider, "model": model, "service_tier": tier, "hour": at, **known, **given}


ADD_SCOPES = """
insert into scopes
select id, provider, model, 't', 'p', 'k', 'u', 'f', 'r', service_tier, 'c', '', 't' from given
"""

ADD_CELLS = """
create temp table cells as
select hour::timestamp as hour, id::integer as scope_id, billed is not null as billed, 1::bigint as records,
    1::bigint as requests, 0::bigint as failed_requests, 0::bigint as retried_requests,
    input::bigint as input_tokens, cache_read::bigint as cache_read_tokens,
    cache_write_5m::bigint as cache_write_5m_tokens, cache_write_1h::bigint as cache_write_1h_tokens,
    output::bigint as output_tokens, 0::bigint as reasoning_tokens,
    null::bigint as input_characters, null::bigint as output_characters, billed as billed_cost
from given
"""


def add_cells(connection: duckdb.DuckDBPyConnection, *cells: dict[str, object]) -> None:
    """Temp table `cells` with these, each in a scope of its own."""
    frame = pd.DataFrame(list(cells)).astype({"billed": "Int64"})
    connection.register("given", frame.assign(id=range(len(frame))))
    connection.execute(ADD_SCOPES)
    connection.execute(ADD_CELLS)
    connection.unregister("given")


def stored(
    connection: duckdb.DuckDBPyConnection, *cells: dict[str, object], book: PriceBook | None = None
) -> None:
    """These cells priced and in the ledger."""
    add_cells(connection, *cells)
    price_cells(connection, book or PriceBook(), "cells", "priced")
    connection.execute("insert into usage_hourly by name select * from priced")


def costs(connection: duckdb.DuckDBPyConnection, table: str = "usage_hourly") -> list[tuple[int | None, int]]:
    return connection.execute(
        f"select computed_cost, unpriced_tokens from {table} order by scope_id"
    ).fetchall()


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    return connection.execute(sql).fetchall()


def contract(value: object, kind: str = "percent_off", **changes: object) -> PriceOverride:
    terms = {"model": "gpt-4o", "valid_from": "2026-05-01", "source": "contract-7", **changes}
    return PriceOverride.model_validate({"kind": kind, "value": value, **terms})


def test_a_cell_costs_the_sum_over_its_classes(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell(input=1_000_000, cache_read=2_000_000, output=100_000))
    assert costs(ledger) == [(6 * PICO, 0)]
    assert rows(ledger, "select distinct split_part(price_version, ' ', 1) from usage_hourly") == [
        ("genai-prices-0.2.3",)
    ]


def test_an_unknown_model_is_unpriced_and_never_free(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell("gpt-x", input=10, output=5), cell("gpt-x"))
    assert costs(ledger) == [(None, 15), (0, 0)]


def test_a_class_without_a_rate_is_counted_beside_the_priced_ones(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell("text-embedding-3-small", input=100, output=7))
    assert costs(ledger) == [(2_000_000, 7)]


def test_a_tier_without_a_price_is_unpriced(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, *(cell("o1", input=100, tier=tier) for tier in ("", "batch", "flex")))
    assert costs(ledger) == [(1_500_000_000, 0), (750_000_000, 0), (None, 100)]


def test_a_long_context_price_is_never_applied_to_a_sum_of_requests(
    ledger: duckdb.DuckDBPyConnection,
) -> None:
    ten_requests = cell("gpt-5.6-sol", input=10 * 50_000, output=10 * 1_000)
    stored(ledger, ten_requests)
    assert costs(ledger) == [(2_200_000_000_000, 0)]


def test_peak_hours_cost_more(ledger: duckdb.DuckDBPyConnection) -> None:
    hours = [NOON.replace(hour=hour) for hour in (2, 12)]
    model, million = "deepseek-v4-flash", 10**6
    stored(ledger, *(cell(model, provider="deepseek", at=at, input=million, output=million) for at in hours))
    assert costs(ledger) == [(1_500_000_000_000, 0), (750_000_000_000, 0)]


def test_billed_cells_have_a_computed_cost_too(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell(input=1_000_000, billed=PICO))
    assert rows(ledger, "select billed_cost, computed_cost, cost from spend") == [
        (PICO, 2_500_000_000_000, PICO)
    ]


def test_differences_with_negative_tokens_cost_the_difference(ledger: duckdb.DuckDBPyConnection) -> None:
    add_cells(ledger, cell(input=-10, output=2), cell("gpt-x", input=-10))
    price_cells(ledger, PriceBook(), "cells", "priced")
    assert costs(ledger, "priced") == [(-25_000_000 + 20_000_000, 0), (None, -10)]


def test_stored_rates_hold_until_a_recosting(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell(input=1_000_000))
    price_cells(ledger, PriceBook([contract(50)]), "cells", "again")
    assert costs(ledger, "again") == costs(ledger)
    assert rows(ledger, "select count(*) from rates") == [(1,)]


@pytest.mark.parametrize("tokens", [10**15, 9 * 10**18, -(10**15)])
def test_a_cost_beyond_what_a_cell_holds_is_refused(ledger: duckdb.DuckDBPyConnection, tokens: int) -> None:
    add_cells(ledger, cell(input=tokens))
    with pytest.raises(
        RefusedError, match=r"^`gpt-4o` costs more than 9.2 million USD in the hour of 2026-11-02"
    ):
        price_cells(ledger, PriceBook(), "cells", "priced")


def test_only_names_of_tables_are_taken(ledger: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ValueError, match="not the name of a table"):
        price_cells(ledger, PriceBook(), "cells; drop table usage", "priced")


def aliased() -> PriceBook:
    return PriceBook(aliases=[ModelAlias(deployment="prod-chat", model="gpt-4o")])


def recost(connection: duckdb.DuckDBPyConnection, book: PriceBook, *, apply: bool = True) -> RepriceReport:
    return reprice(connection, book, now=NOW, apply=apply)


def test_a_recosting_shows_what_stored_usage_would_cost(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell("prod-chat", input=1_000_000), cell(input=5))
    (line,) = recost(ledger, aliased(), apply=False).lines
    assert (line.model, line.cells, line.billed_cells) == ("prod-chat", 1, 0)
    assert (line.old_computed_pico, line.new_computed_pico) == (None, 2_500_000_000_000)
    assert (line.old_unpriced_tokens, line.new_unpriced_tokens) == (1_000_000, 0)
    assert (line.old_versions, len(line.new_versions)) == ((), 1)
    assert costs(ledger) == [(None, 1_000_000), (12_500_000, 0)]


def test_an_applied_recosting_keeps_what_it_replaced(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell("prod-chat", input=1_000_000), cell(input=5))
    assert recost(ledger, aliased()).applied
    assert costs(ledger) == [(2_500_000_000_000, 0), (12_500_000, 0)]
    assert rows(
        ledger, "select computed_cost, unpriced_tokens, price_version, replaced_at from cost_history"
    ) == [(None, 1_000_000, None, NOW.replace(tzinfo=None))]


def test_a_second_recosting_finds_nothing(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell("prod-chat", input=1_000_000))
    recost(ledger, aliased())
    assert recost(ledger, aliased()).lines == ()
    assert rows(ledger, "select count(*) from cost_history") == [(1,)]


def test_an_override_recosts_its_days_only(ledger: duckdb.DuckDBPyConnection) -> None:
    days = [datetime(2026, 4, 30, 23), datetime(2026, 5, 1), datetime(2026, 6, 1)]  # noqa: DTZ001
    stored(ledger, *(cell(input=1_000_000, at=day) for day in days))
    (line,) = recost(ledger, PriceBook([contract(20, valid_to="2026-06-01")])).lines
    assert (line.cells, line.old_computed_pico, line.new_computed_pico) == (1, 25 * PICO // 10, 2 * PICO)
    assert [cost for cost, _ in costs(ledger)] == [25 * PICO // 10, 2 * PICO, 25 * PICO // 10]
    assert line.new_versions[0].endswith(" contract-7")


def test_a_recosting_to_unpriced_is_null_not_zero(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(
        ledger, cell("in-house", input=10), book=PriceBook([contract(1, "usd_per_mtok", model="in-house")])
    )
    recost(ledger, PriceBook())
    assert costs(ledger) == [(None, 10)]


def test_a_recosting_leaves_billed_cost_alone(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell(input=1_000_000, billed=7))
    (line,) = recost(ledger, PriceBook([contract(50)])).lines
    assert line.billed_cells == 1
    assert rows(ledger, "select cost, computed_cost from spend") == [(7, 1_250_000_000_000)]


def test_a_new_release_with_the_same_rates_recosts_nothing(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell(input=10))
    ledger.execute("update rates set price_version = replace(price_version, '0.2.3', '0.2.2')")
    assert recost(ledger, PriceBook()).lines == ()


def test_a_recosting_replaces_all_hours_of_a_model_with_peak_hours(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell("deepseek-v4-flash", provider="deepseek", input=10, at=NOON))
    recost(ledger, PriceBook([contract(50, model="deepseek-*")]))
    assert costs(ledger) == [(750_000, 0)]
    assert rows(ledger, "select count(*), max(input_rate) from rates") == [(24, 150_000)]


def test_a_recosting_is_part_of_the_callers_transaction(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell("prod-chat", input=10))
    ledger.execute("begin")
    recost(ledger, aliased())
    ledger.execute("rollback")
    assert costs(ledger) == [(None, 10)]


def test_the_summary_says_what_is_unpriced_and_why(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(
        ledger,
        cell("gpt-x", provider="acme", input=1_000, output=234),
        cell("o1", tier="flex", input=10),
        cell("gpt-x", provider="acme", input=5, billed=1),
        cell(input=100),
    )
    summary = unpriced_usage(ledger, PriceBook())
    assert [(u.model, u.tokens) for u in summary.unpriced] == [("gpt-x", 1_234), ("o1", 10)]
    assert (summary.tokens, summary.unpriced_tokens) == (1_344, 1_244)
    assert summary.unpriced[0].first_day == summary.unpriced[0].last_day == date(2026, 11, 2)
    assert summary.warnings()[0] == (
        "1,234 tokens are unpriced: no price for `gpt-x` (provider acme); "
        "add a [[model_alias]] or [[price_override]]"
    )


def test_the_summary_names_models_with_long_context_prices(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell("gpt-5.6-sol", input=10), cell("gpt-6-sol", input=10, billed=1), cell(input=10))
    summary = unpriced_usage(ledger, PriceBook())
    assert [usage.model for usage in summary.tiered] == ["gpt-5.6-sol"]
    assert summary.warnings()[0].startswith("`gpt-5.6-sol`: long prompts cost more than computed here")


def test_the_summary_asks_for_a_recosting_once_there_is_a_price(ledger: duckdb.DuckDBPyConnection) -> None:
    stored(ledger, cell("prod-chat", input=10))
    (usage,) = unpriced_usage(ledger, aliased()).unpriced
    assert usage.reason == "`prod-chat` (provider openai) has a price by now; run `tokensleuth reprice`"
