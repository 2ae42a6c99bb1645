"""Leaves of spend in a window and before it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.leaf_sums import leaf_sums, scope_table
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from tests.ledger_builder import NO_USE, Cell, LedgerBuilder, Use, leaves_of, side_of, span, use
from tools.comparison import compare_with
from tools.leaves import Leaves, gathered, mean_of, without_past

DAY = span(30)


def _gathered(reader: Reader, **renamed: str) -> Leaves:
    compared, table = compare_with(reader, DAY), scope_table(reader)
    sums = leaf_sums(reader, table, (compared.window, *compared.baseline))
    return gathered(sums, table, compared, renamed=renamed)


def _keys(leaves: Leaves) -> list[str]:
    return [str(name) for name in leaves.column("key_id")]


def test_a_leaf_is_one_combination_of_all_dimensions() -> None:
    builder = LedgerBuilder().run(Cell(), days=35).run(Cell(region="eu"), days=35)
    assert len(_gathered(builder.run(Cell(key_id="k2"), days=35).reader())) == 3


def test_templates_of_one_scope_are_one_leaf() -> None:
    reader = LedgerBuilder().run(Cell(), days=35).reader()
    reader.engine.rows("insert into scopes select 1, * exclude (scope_id) from scopes", {})
    reader.engine.rows("insert into usage_hourly select * replace (1 as scope_id) from usage_hourly", {})
    leaves = _gathered(reader)
    assert len(leaves) == 1
    assert leaves.after.cost_pico.tolist() == [reader.totals([DAY])[EVERYTHING].cost_pico]


def test_before_is_the_mean_of_the_four_weeks() -> None:
    reader = LedgerBuilder().run(Cell(), days=35).run(Cell(key_id="k2"), days=7, since=21).reader()
    leaves = _gathered(reader)
    k2 = _keys(leaves).index("k2")
    assert len(leaves.weeks) == 4
    assert leaves.before.requests[k2] == sum(w.requests[k2] for w in leaves.weeks) / 4 > 0
    assert leaves.after.requests[k2] == 0


def test_sums_of_all_leaves_are_those_of_the_reader() -> None:
    reader = LedgerBuilder().run(Cell(), days=35).run(Cell(key_id="k2"), days=35).reader()
    leaves = _gathered(reader)
    assert sum(leaves.after.cost_pico.tolist()) == reader.totals([DAY])[EVERYTHING].cost_pico


def test_a_renamed_key_counts_as_the_key_it_replaces() -> None:
    builder = LedgerBuilder().run(Cell(), days=30).run(Cell(key_id="k1-new"), days=5, since=30)
    leaves = _gathered(builder.reader(), **{"k1-new": "k1"})
    assert _keys(leaves) == ["k1"]
    assert leaves.after.requests[0] == pytest.approx(leaves.before.requests[0])


def test_an_empty_ledger_has_no_leaves() -> None:
    assert len(_gathered(LedgerBuilder().reader())) == 0


def test_a_scope_tells_its_leaves() -> None:
    leaves = leaves_of([{"key_id": "k1"}, {"key_id": "k2"}], [NO_USE] * 2, [NO_USE] * 2)
    assert leaves.inside(Scope((("key_id", "k2"),))).tolist() == [False, True]
    assert leaves.inside(Scope((("key_id", "k9"),))).tolist() == [False, False]
    assert leaves.inside(EVERYTHING).all()


def test_the_leaves_of_a_mask_keep_their_weeks() -> None:
    leaves = leaves_of([{"key_id": "k1"}, {"key_id": "k2"}], [use(1), use(2)], [use(3), use(4)])
    part = leaves.only(np.array([False, True]))
    assert _keys(part) == ["k2"]
    assert [week.requests.tolist() for week in part.weeks] == [[2.0]] * 4


def test_failed_retries_are_wasted_once() -> None:
    side = side_of([Use(10, failed=4, retried=3), Use(2, failed=0, retried=9)])
    assert side.wasted.tolist() == [4, 2]


def test_tokens_are_the_activity_where_no_requests_are_counted() -> None:
    side = side_of([use(5), Use(0, tokens=(30, 0, 0, 0, 12))])
    assert side.activity.tolist() == [5, 42]


def test_a_value_that_a_key_took_up_is_without_past() -> None:
    scopes: list[dict[str, str]] = [{"key_id": "k1", "model": m} for m in ("old", "new")]
    scopes.append({"key_id": "k2", "model": "new"})
    leaves = leaves_of(scopes, [use(5), NO_USE, use(5)], [NO_USE, use(5), use(5)])  # type: ignore[arg-type]
    assert without_past(leaves, "model").tolist() == [False, True, False]
    assert not without_past(leaves, "key_id").any()


def test_the_mean_of_no_weeks_is_nothing() -> None:
    like = side_of([use(5)])
    assert mean_of([], like).activity.tolist() == [0]


@given(st.lists(st.integers(0, 10**17), min_size=1, max_size=6))
def test_the_mean_of_money_is_exact_to_half_a_pico_dollar(money: list[int]) -> None:
    weeks = [side_of([Use(1, cost_pico=pico)]) for pico in money]
    mean = int(mean_of(weeks, weeks[0]).cost_pico[0])
    assert abs(2 * mean * len(money) - 2 * sum(money)) <= len(money)
