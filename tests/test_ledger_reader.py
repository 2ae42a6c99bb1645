from dataclasses import replace

import numpy as np
import pytest

from ledger.catalogue import bind
from ledger.own import OWN_NAME
from ledger.reader import Reader
from ledger.remembered import remembering
from ledger.scope import Scope
from ledger.window import HOUR, Window
from tests.ledger_builder import Cell, LedgerBuilder, at, span

SEARCH, CHAT = Scope.parse(["team=search"]), Scope.parse(["team=chat"])

OWN = Cell(team=OWN_NAME, client=OWN_NAME, feature="investigation", requests=4)


@pytest.fixture(scope="module")
def reader() -> Reader:
    builder = LedgerBuilder().run(Cell(), days=3)
    builder.run(Cell(team="chat", key_id="k2", model="gpt-mini", unpriced=True), days=1, since=1)
    return builder.reader()


def test_the_extent_reaches_from_the_first_hour_to_the_end_of_the_last(reader: Reader) -> None:
    assert reader.extent() == Window(at(0), at(3))


def test_an_empty_ledger_has_no_extent() -> None:
    assert LedgerBuilder().reader().extent() is None


def test_our_own_usage_does_not_move_the_extent() -> None:
    builder = LedgerBuilder().run(Cell(), days=2, since=3)
    for since in (0, 9):
        builder.run(OWN, days=1, since=since).run(replace(OWN, model="gpt-mini"), days=1, since=since)
    assert builder.reader().extent() == remembering(builder.reader()).extent() == Window(at(3), at(5))


def test_our_own_usage_alone_has_an_extent() -> None:
    assert LedgerBuilder().run(OWN, days=1, since=9).reader().extent() == Window(at(9), at(10))


@pytest.mark.parametrize("stranger", [replace(OWN, client="sdk/1"), replace(OWN, team="search")])
def test_usage_that_shares_only_one_of_our_names_is_not_ours(stranger: Cell) -> None:
    builder = LedgerBuilder().run(Cell(), days=1).run(stranger, days=1, since=2)
    assert builder.reader().extent() == Window(at(0), at(3))


def test_totals_by_team_add_up_to_the_total(reader: Reader) -> None:
    total = next(iter(reader.totals([span(1)]).values()))
    by_team = reader.totals([span(1)], by=["team"])
    assert set(by_team) == {SEARCH, CHAT}
    assert total.requests == sum(m.requests for m in by_team.values())
    assert total.cost_pico == sum(m.cost_pico for m in by_team.values())


def test_several_windows_are_summed_as_one(reader: Reader) -> None:
    both = reader.totals([span(0), span(2)])[Scope()]
    assert both.requests == sum(reader.totals([span(day)])[Scope()].requests for day in (0, 2))


def test_unpriced_tokens_are_counted_and_cost_nothing(reader: Reader) -> None:
    chat = reader.totals([span(1)], where=CHAT)[Scope()]
    assert chat.cost_pico == 0
    assert chat.unpriced_tokens == chat.tokens.total > 0


def test_a_window_without_usage_has_no_totals(reader: Reader) -> None:
    assert reader.totals([span(30)]) == {}


def test_characters_are_given_only_where_every_cell_has_them(reader: Reader) -> None:
    assert reader.totals([span(1)])[Scope()].input_characters is None


def test_hourly_series_are_dense_with_zeros_where_nothing_was_used(reader: Reader) -> None:
    series = reader.hourly(Window(at(0), at(3)), by=["team"], metric="requests")
    assert series.scopes == (CHAT, SEARCH)
    assert series.values.shape == (2, 72)
    assert not series.values[0, :24].any()
    assert series.values[0, 24:48].all()


def test_the_hourly_series_of_everything_is_the_sum_of_its_parts(reader: Reader) -> None:
    window = Window(at(0), at(3))
    total = reader.hourly(window, metric="tokens").values[0]
    assert np.array_equal(
        total, reader.hourly(window, by=["team", "model"], metric="tokens").values.sum(axis=0)
    )


def test_a_series_without_usage_has_no_scopes_but_the_total_is_zero(reader: Reader) -> None:
    nobody = Scope.parse(["team=nobody"])
    assert reader.hourly(span(0), by=["team"], where=nobody).scopes == ()
    assert not reader.hourly(span(0), where=nobody).values.any()


def test_first_seen_gives_the_life_of_each_key(reader: Reader) -> None:
    assert reader.first_seen("key_id") == {"k1": Window(at(0), at(3)), "k2": Window(at(1), at(2))}


def test_the_price_basis_tells_version_and_unpriced_tokens(reader: Reader) -> None:
    basis = {b.model: b for b in reader.price_basis([span(1)])}
    assert basis["gpt-big"].price_version == "book-1"
    assert basis["gpt-mini"].price_version is None
    assert basis["gpt-mini"].unpriced_tokens == basis["gpt-mini"].tokens
    assert basis["gpt-big"].last_hour == at(2) - HOUR


def test_rates_are_given_by_day(reader: Reader) -> None:
    rates = reader.rates(at(1).date(), at(1).date())
    assert {(r.model, r.input, r.output) for r in rates} == {
        ("gpt-big", 2_500_000, 10_000_000),
        ("gpt-mini", 250_000, 1_000_000),
    }


def test_a_scope_value_is_bound_and_never_becomes_sql(reader: Reader) -> None:
    hostile = Scope.parse(["team=x' or 1=1 --"])
    assert "or 1=1" not in bind("totals", where=hostile).sql
    assert reader.totals([span(1)], where=hostile) == {}
