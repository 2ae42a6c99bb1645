"""`earlier_weeks`: the same hours of each earlier week, and the rank of the present among them."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.reader import Reader
from ledger.remembered import remembering
from ledger.scope import EVERYTHING, Scope
from ledger.usage import Measures
from ledger.window import Window, instant_text
from tests.ledger_builder import Cell, LedgerBuilder, at, span
from tools import compare, earlier_weeks
from tools.answer import usd
from tools.earlier_weeks import MOST_WEEKS

DAY = span(70)
K2 = Scope((("key_id", "k2"),))


def growing(hour: datetime, cell: Cell) -> Cell:
    return replace(cell, requests=cell.requests + (hour - at(0)).days // 7)


@cache
def company() -> Reader:
    """Ten weeks of a key that grows every week, and a key that ran in some of them."""
    builder = LedgerBuilder().run(Cell(), days=77).change(Window(at(0), at(77)), growing)
    builder.run(Cell(key_id="k2", requests=3), days=20, since=30, shape=lambda hour: float(hour.hour < 4))
    return remembering(builder.reader())


def total(window: Window, where: Scope) -> Measures:
    return next(iter(company().totals([window], where=where).values()), Measures())


@settings(max_examples=40, deadline=None)
@given(
    first=st.integers(0, 78 * 24),
    hours=st.one_of(st.integers(1, 168), st.integers(1, 600)),
    where=st.sampled_from([EVERYTHING, K2]),
)
def test_each_row_is_what_those_hours_cost(first: int, hours: int, where: Scope) -> None:
    window = span(0, first, hours=hours)
    answer = earlier_weeks(company(), window, where=where)
    assert len(answer.rows) == len(answer.baseline) == answer.facts["windows"]
    assert len(answer.rows) <= MOST_WEEKS
    for earlier, row in zip(answer.baseline, answer.rows, strict=True):
        there = total(earlier, where)
        assert earlier.end_at <= window.start_at
        assert row["start_at"] == instant_text(earlier.start_at)
        assert row["actual_usd"] == usd(there.cost_pico)
        assert (row["requests"], row["tokens"]) == (there.requests, there.tokens.total)


@settings(max_examples=40, deadline=None)
@given(first=st.integers(0, 78 * 24), hours=st.integers(1, 168))
def test_the_facts_are_those_of_the_rows(first: int, hours: int) -> None:
    answer = earlier_weeks(company(), span(0, first, hours=hours))
    costs = [Decimal(str(row["actual_usd"])) for row in answer.rows]
    if not costs:
        return
    facts = {name: Decimal(str(value)) for name, value in answer.facts.items()}
    assert (facts["most_usd"], facts["least_usd"]) == (max(costs), min(costs))
    assert abs(facts["mean_usd"] - sum(costs, Decimal()) / len(costs)) <= Decimal("0.0001")
    assert 1 <= facts["rank"] <= len(costs) + 1
    assert facts["rank"] == 1 + sum(cost > facts["actual_usd"] for cost in costs)


def test_weeks_are_listed_latest_first_as_far_as_the_ledger_reaches() -> None:
    rows = earlier_weeks(company(), DAY).rows
    assert [row["days_ago"] for row in rows] == [7 * i for i in range(1, 9)]
    assert len(earlier_weeks(company(), span(21)).rows) == 3


def test_a_window_of_over_a_week_steps_back_by_more_than_itself() -> None:
    answer = earlier_weeks(company(), span(60, hours=240))
    assert [row["days_ago"] for row in answer.rows] == [14, 28, 42, 56]


def test_a_young_ledger_gives_days() -> None:
    reader = LedgerBuilder().run(Cell(), days=6).reader()
    assert [row["days_ago"] for row in earlier_weeks(reader, span(5)).rows] == [1, 2, 3, 4, 5]


def test_a_record_ranks_first_and_a_quiet_week_last() -> None:
    record, quiet = earlier_weeks(company(), DAY).facts, span(70, 0)
    assert record["rank"] == 1
    assert float(str(record["ratio_to_most"])) > 1
    halved = LedgerBuilder().run(Cell(), days=71).change(quiet, lambda _, c: replace(c, requests=9)).reader()
    assert earlier_weeks(halved, DAY).facts["rank"] == 9


def test_an_ordinary_week_equals_the_others() -> None:
    facts = earlier_weeks(LedgerBuilder().run(Cell(), days=71).reader(), DAY).facts
    assert facts["actual_usd"] == facts["mean_usd"] == facts["most_usd"] == facts["least_usd"]
    assert (facts["rank"], facts["ratio_to_most"]) == (1, 1.0)


def test_with_four_weeks_the_mean_is_the_one_that_compare_tells() -> None:
    window = span(28)
    assert earlier_weeks(company(), window).facts["mean_usd"] == compare(company(), window).facts["mean_usd"]


def test_weeks_without_usage_are_rows_of_zero() -> None:
    answer = earlier_weeks(company(), span(49), where=K2)
    silent = [row for row in answer.rows if not row["requests"]]
    assert len(answer.rows) == 7
    assert len(silent) == 5
    assert {row["tokens_per_request"] for row in silent} == {None}


def test_no_earlier_window_and_no_usage_are_no_data() -> None:
    first = earlier_weeks(company(), span(0))
    assert (first.status, first.rows, "mean_usd" in first.facts) == ("no_data", (), False)
    never = Scope((("key_id", "k9"),))
    assert earlier_weeks(company(), DAY, where=never).status == "no_data"
    assert earlier_weeks(LedgerBuilder().reader(), DAY).status == "no_data"


def test_a_scope_that_stopped_still_has_its_past() -> None:
    window = Window(at(56), at(56) + timedelta(days=1))
    answer = earlier_weeks(company(), window, where=K2)
    assert (answer.status, answer.facts["actual_usd"], answer.facts["ratio_to_most"]) == ("ok", 0, 0.0)
