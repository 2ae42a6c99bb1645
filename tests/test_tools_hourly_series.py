"""`hourly_series`: every hour of the window is in exactly one row, whatever its length, and dated right."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.reader import Reader
from ledger.remembered import remembering
from ledger.scope import EVERYTHING, Scope
from ledger.usage import METRICS, Measures, Metric
from ledger.window import HOUR, Window, instant_text
from tests.ledger_builder import Cell, LedgerBuilder, at, span
from tools import compare, hourly_series
from tools.answer import ToolAnswer, usd
from tools.comparison import compare_with
from tools.hourly_series import MOST_ROWS, UNITS, hours_per_row

DAY = span(30)
K1 = Scope((("key_id", "k1"),))
K2 = Scope((("key_id", "k2"),))
UNIT_ENDINGS = [(metric, UNITS[metric]) for metric in METRICS]


def now_and_then(hour: datetime) -> float:
    return float(hour.hour % 7 == 3)


@cache
def company() -> Reader:
    builder = LedgerBuilder().run(Cell(input_tokens=333), days=40)
    builder.run(Cell(key_id="k2", requests=7, input_tokens=1), days=25, since=3, shape=now_and_then)
    return remembering(builder.reader())


def total(reader: Reader, window: Window, where: Scope) -> Measures:
    return next(iter(reader.totals([window], where=where).values()), Measures())


def column(answer: ToolAnswer, name: str) -> list[Decimal]:
    return [Decimal(str(row[name])) for row in answer.rows]


def exact(metric: Metric, measures: Measures) -> Decimal:
    match metric:
        case "cost_usd":
            return usd(measures.cost_pico)
        case "tokens":
            return Decimal(measures.tokens.total)
        case "requests":
            return Decimal(measures.requests)


@settings(max_examples=60, deadline=None)
@given(
    first=st.integers(0, 42 * 24),
    hours=st.one_of(st.integers(1, 60), st.integers(1, 1000)),
    where=st.sampled_from([EVERYTHING, K1, K2]),
    metric=st.sampled_from(METRICS),
)
def test_the_rows_add_up_to_the_total_of_any_window(
    first: int, hours: int, where: Scope, metric: Metric
) -> None:
    window = span(0, first, hours=hours)
    answer = hourly_series(company(), window, where=where, metric=metric)
    unit = UNITS[metric]
    assert sum(column(answer, f"actual_{unit}")) == Decimal(str(answer.facts[f"total_{unit}"]))
    assert answer.facts[f"total_{unit}"] == exact(metric, total(company(), window, where))
    assert min(column(answer, f"actual_{unit}")) >= 0
    if answer.baseline:
        told = float(str(answer.facts[f"mean_total_{unit}"]))
        assert float(sum(column(answer, f"mean_{unit}"))) == pytest.approx(told, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(first=st.integers(0, 900), hours=st.one_of(st.integers(1, 200), st.integers(1, 5000)))
def test_the_rows_cover_every_hour_once_and_are_bounded(first: int, hours: int) -> None:
    window = span(0, first, hours=hours)
    rows = hourly_series(company(), window).rows
    assert len(rows) <= MOST_ROWS
    covered = [int(str(row["hours"])) for row in rows]
    assert sum(covered) == hours
    assert set(covered[:-1]) <= {hours_per_row(hours)}
    starts = [window.start_at + sum(covered[:i]) * HOUR for i in range(len(rows))]
    assert [row["start_at"] for row in rows] == [instant_text(start) for start in starts]


@pytest.mark.parametrize(
    ("hours", "step"), [(1, 1), (48, 1), (49, 2), (168, 4), (720, 24), (1152, 24), (1153, 48), (8760, 192)]
)
def test_a_longer_window_is_told_in_steps_that_divide_days(hours: int, step: int) -> None:
    assert hours_per_row(hours) == step


def test_the_mean_is_the_one_that_compare_tells() -> None:
    series, compared = hourly_series(company(), DAY).facts, compare(company(), DAY).facts
    assert (series["total_usd"], series["mean_total_usd"]) == (compared["actual_usd"], compared["mean_usd"])
    assert series["windows_compared"] == compared["windows_compared"] == 4


def test_an_hour_stands_beside_the_mean_of_the_same_hour() -> None:
    reader = company()
    row = hourly_series(reader, DAY, metric="requests").rows[9]
    earlier = compare_with(reader, Window(at(30, 9), at(30, 10))).baseline
    assert row["mean_requests"] == sum(total(reader, w, EVERYTHING).requests for w in earlier) / 4


def test_a_burst_is_dated_by_its_hour_also_where_rows_are_longer() -> None:
    def burst(hour: datetime, cell: Cell) -> Cell:
        return replace(cell, requests=10 * cell.requests) if hour == at(32, 5) else cell

    reader = LedgerBuilder().run(Cell(), days=40).change(span(28, hours=168), burst).reader()
    facts = hourly_series(reader, span(28, hours=168)).facts
    assert facts["hours_per_row"] == 4
    assert facts["peak_at"] == facts["first_over_twice_at"] == "2026-11-06T05:00:00Z"
    assert facts["peak_usd"] == usd(total(reader, span(32, 5, hours=1), EVERYTHING).cost_pico)


def test_a_silence_is_dated_by_its_first_hour() -> None:
    reader = LedgerBuilder().run(Cell(), days=40).change(span(30, 14, hours=4), lambda *_: None).reader()
    facts = hourly_series(reader, DAY).facts
    assert facts["first_under_half_at"] == "2026-11-04T14:00:00Z"
    assert (facts["hours_active"], facts["hours"]) == (20, 24)
    assert "first_over_twice_at" not in facts


def test_what_starts_where_nothing_was_is_over_twice_the_usual() -> None:
    reader = LedgerBuilder().run(Cell(), days=40).run(Cell(key_id="k2"), days=1, since=30.5).reader()
    facts = hourly_series(reader, DAY, where=K2).facts
    assert facts["first_over_twice_at"] == "2026-11-04T12:00:00Z"


def test_the_same_as_ever_never_stands_out() -> None:
    facts = hourly_series(LedgerBuilder().run(Cell(), days=40).reader(), DAY).facts
    assert not {"first_over_twice_at", "first_under_half_at"} & facts.keys()


def test_without_earlier_hours_no_mean_is_made_up() -> None:
    answer = hourly_series(LedgerBuilder().run(Cell(), days=1).reader(), span(0))
    assert answer.status == "ok"
    assert not {name for name in (*answer.facts, *answer.rows[0]) if name.startswith("mean")}
    assert answer.facts["windows_compared"] == 0


@pytest.mark.parametrize(("metric", "unit"), UNIT_ENDINGS)
def test_names_end_in_the_unit(metric: Metric, unit: str) -> None:
    answer = hourly_series(company(), DAY, metric=metric)
    assert {f"total_{unit}", f"mean_total_{unit}", f"peak_{unit}"} <= answer.facts.keys()
    assert answer.arguments["metric"] == metric


def test_what_stopped_is_told_and_what_never_was_is_not() -> None:
    reader = company()
    stopped = hourly_series(reader, span(31), where=K2)
    never = hourly_series(reader, DAY, where=Scope((("key_id", "k9"),)))
    assert (stopped.status, never.status) == ("ok", "no_data")
    assert cast(Decimal, stopped.facts["total_usd"]) == 0
    assert "peak_at" not in stopped.facts
