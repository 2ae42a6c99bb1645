import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.statistics import FloatArray
from evals.detection.alarms import NO_ROW, Alarm, Alarms, alarms_over
from evals.detection.count import Count
from evals.detection.cross_validation import assign_folds, held_out_alarms, held_out_thresholds
from evals.detection.datasets import development_set, is_counted, monitoring_trial
from evals.detection.meeting import count, meet
from evals.detection.method import Method
from evals.detection.protocol import (
    Point,
    best_threshold,
    count_alarms,
    count_scores,
    recall_within,
    sweep,
    threshold_grid,
)
from evals.detection.spend_set import Event, SpendSet

START_AT = datetime(2026, 6, 1, tzinfo=UTC)
HISTORY = 48
SCORED = 168


def event(start: int, end: int, *, row: int = 0, kind: str = "spike", counts: bool = True) -> Event:
    """Hours are those scored: 0 is the first one after the history."""
    return Event(row, kind, HISTORY + start, HISTORY + end, 100.0, counts)


def spend_set(*events: Event, series: int = 1, families: Sequence[str] = ()) -> SpendSet:
    return SpendSet(
        "test",
        START_AT,
        tuple(f"s{row}" for row in range(series)),
        np.array(families or ["key"] * series),
        np.ones((series, HISTORY + SCORED)),
        None,
        np.zeros(series, dtype=np.int64),
        HISTORY,
        events,
    )


def scores(*hot: int, series: int = 1, row: int = 0) -> FloatArray:
    """9 in the named hours of one series, 1 elsewhere."""
    values = np.ones((series, SCORED))
    values[row, list(hot)] = 9.0
    return values


def alarm(start: int, end: int, row: int = 0) -> Alarm:
    return Alarm(row, HISTORY + start, HISTORY + end)


def bounds(alarms: Alarms) -> list[tuple[int, int]]:
    return [(one.start - HISTORY, one.end - HISTORY) for one in alarms.listed()]


def test_hours_over_the_threshold_less_than_a_day_apart_are_one_alarm() -> None:
    assert bounds(alarms_over(scores(10, 33), 9.0, spend_set())) == [(10, 34)]


def test_hours_a_day_apart_are_two_alarms() -> None:
    assert bounds(alarms_over(scores(10, 34), 9.0, spend_set())) == [(10, 11), (34, 35)]


def test_the_hours_apart_can_be_chosen() -> None:
    assert bounds(alarms_over(scores(10, 12), 9.0, spend_set(), apart_hours=2)) == [(10, 11), (12, 13)]


def test_alarms_of_two_series_do_not_merge() -> None:
    both = scores(SCORED - 1, series=2) + scores(0, series=2, row=1)
    assert [one.row for one in alarms_over(both, 9.0, spend_set(series=2)).listed()] == [0, 1]


def test_an_alarm_keeps_its_highest_score() -> None:
    values = scores(10, 11, 60)
    values[0, 11] = 12.0
    assert alarms_over(values, 9.0, spend_set()).peak.tolist() == [12.0, 9.0]


def test_an_hour_without_a_score_raises_no_alarm() -> None:
    assert len(alarms_over(np.full((1, SCORED), np.nan), 0.0, spend_set())) == 0


def test_each_series_can_have_its_own_threshold() -> None:
    both = scores(5, series=2) + scores(5, series=2, row=1)
    alarms = alarms_over(both, np.array([11.0, 10.0]), spend_set(series=2))
    assert alarms.row.tolist() == [1]


def test_scores_of_another_shape_are_refused_with_both_shapes() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 168\); expected \(2, 168\)"):
        alarms_over(scores(), 9.0, spend_set(series=2))


@settings(deadline=None)
@given(
    hot=st.sets(st.integers(0, SCORED - 1)),
    apart=st.integers(1, 48),
)
def test_alarms_hold_every_hot_hour_and_stay_apart(hot: set[int], apart: int) -> None:
    found = bounds(alarms_over(scores(*hot), 9.0, spend_set(), apart_hours=apart))
    assert {hour for hour in hot if any(start <= hour < end for start, end in found)} == hot
    assert all(start in hot and end - 1 in hot for start, end in found)
    assert all(b[0] - (a[1] - 1) >= apart for a, b in pairwise(found))


def test_an_alarm_inside_a_counted_event_is_a_hit() -> None:
    seen = count_alarms([alarm(12, 13)], spend_set(event(10, 14)))
    assert (seen.true_alarms, seen.false_alarms, seen.hits, seen.misses) == (1, 0, 1, 0)


def test_an_alarm_up_to_six_hours_after_an_event_still_hits_it() -> None:
    assert count_alarms([alarm(19, 20)], spend_set(event(10, 14))).hits == 1


def test_an_alarm_six_hours_after_an_event_is_false_and_the_event_missed() -> None:
    seen = count_alarms([alarm(20, 21)], spend_set(event(10, 14)))
    assert (seen.false_alarms, seen.misses, seen.missed_usd) == (1, 1, 100.0)


def test_an_alarm_that_ends_as_the_event_begins_is_false() -> None:
    assert count_alarms([alarm(8, 10)], spend_set(event(10, 14))).false_alarms == 1


def test_an_alarm_on_another_series_is_false() -> None:
    assert count_alarms([alarm(12, 13, row=1)], spend_set(event(10, 14), series=2)).false_alarms == 1


def test_an_alarm_on_an_uncounted_event_is_neither_true_nor_false() -> None:
    seen = count_alarms([alarm(12, 13)], spend_set(event(10, 14, counts=False)))
    assert (seen.true_alarms, seen.false_alarms, seen.hits, seen.misses) == (0, 0, 0, 0)


def test_an_alarm_on_a_counted_and_an_uncounted_event_is_true() -> None:
    seen = count_alarms([alarm(12, 60)], spend_set(event(10, 14, counts=False), event(50, 55)))
    assert (seen.true_alarms, seen.false_alarms, seen.hits) == (1, 0, 1)


def test_two_alarms_on_one_event_are_two_true_alarms_and_one_hit() -> None:
    seen = count_alarms([alarm(10, 11), alarm(60, 61)], spend_set(event(10, 70)))
    assert (seen.true_alarms, seen.hits) == (2, 1)


def test_a_rule_that_speaks_later_can_be_given_more_grace() -> None:
    seen = count_alarms([alarm(37, 38)], spend_set(event(10, 14)), grace_hours=24)
    assert (seen.hits, seen.delays) == (1, (27,))


def test_an_alarm_of_no_series_is_false_in_the_whole_and_in_no_family() -> None:
    seen = count_alarms([alarm(12, 13, row=NO_ROW)], spend_set(event(10, 14)))
    assert (seen.false_alarms, seen.misses) == (1, 1)
    assert seen.by_family["key"].false_alarms == 0


def test_the_delay_runs_to_the_first_alarm_hour() -> None:
    seen = count_alarms([alarm(30, 31), alarm(13, 14)], spend_set(event(10, 40)))
    assert seen.delays == (3,)


def test_an_alarm_open_before_the_event_knows_of_it_in_its_first_hour() -> None:
    assert count_alarms([alarm(5, 30)], spend_set(event(10, 40))).delays == (0,)


def test_an_alarm_of_the_history_is_left_out_and_one_that_reaches_past_it_is_clipped() -> None:
    met = meet([Alarm(0, 10, HISTORY), Alarm(0, 10, HISTORY + 2)], spend_set())
    assert met.alarms.start.tolist() == [HISTORY]


def test_ratios_follow_from_the_counts() -> None:
    seen = Count(3, 1, 2, 2, (1, 3), 50.0, 4.0, 67)
    assert (seen.precision, seen.recall, seen.false_per_series_week) == (0.75, 0.5, 0.25)
    assert seen.f1 == pytest.approx(0.6)
    assert seen.median_delay == 2.0
    assert seen.alarm_share == pytest.approx(67 / 672)


def test_no_alarms_and_no_events_give_zeros_and_no_delay() -> None:
    seen = count_alarms([], spend_set())
    assert (seen.precision, seen.recall, seen.f1, seen.false_per_series_week) == (0, 0, 0, 0)
    assert np.isnan(seen.median_delay)


def test_kinds_count_their_events_and_the_alarms_that_met_them() -> None:
    spend = spend_set(event(10, 14), event(60, 80, kind="level_shift"), event(120, 124))
    seen = count_alarms([alarm(10, 11), alarm(61, 62), alarm(100, 101)], spend).by_kind
    assert (seen["spike"].true_alarms, seen["spike"].hits, seen["spike"].misses) == (1, 1, 1)
    assert (seen["level_shift"].recall, seen["level_shift"].delays) == (1.0, (1,))
    assert seen["spike"].false_alarms == 0


def test_families_count_their_own_series_and_weeks() -> None:
    spend = spend_set(event(10, 14), event(10, 14, row=1), series=3, families=["key", "team", "team"])
    seen = count_alarms([alarm(10, 11), alarm(90, 91, row=2)], spend).by_family
    assert (seen["key"].f1, seen["key"].series_weeks) == (1.0, 1.0)
    assert (seen["team"].misses, seen["team"].false_per_series_week) == (1, 0.5)


def test_hours_before_a_series_begins_are_no_series_weeks() -> None:
    late = replace(spend_set(), first_hour=np.array([HISTORY + SCORED // 2]))
    assert count_alarms([], late).series_weeks == 0.5


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, SCORED - 1), st.integers(1, 40)), max_size=12),
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, SCORED - 2), st.integers(1, 30), st.booleans()),
        max_size=8,
    ),
)
def test_meeting_agrees_with_a_plain_loop(
    told: list[tuple[int, int, int]], happened: list[tuple[int, int, int, bool]]
) -> None:
    alarms = [alarm(start, start + hours, row) for row, start, hours in told]
    events = [event(at, at + hours, row=row, counts=counts) for row, at, hours, counts in happened]

    def touch(one: Alarm, other: Event) -> bool:
        return one.row == other.row and one.start < other.end + 6 and other.start < one.end

    seen = count(meet(alarms, spend_set(*events, series=3)))
    counted = [one for one in events if one.counts]
    assert seen.true_alarms == sum(any(touch(a, e) for e in counted) for a in alarms)
    assert seen.false_alarms == sum(not any(touch(a, e) for e in events) for a in alarms)
    assert seen.hits == sum(any(touch(a, e) for a in alarms) for e in counted)
    assert seen.hits + seen.misses == len(counted)


def test_the_grid_falls_from_the_highest_score_over_real_scores() -> None:
    values = np.arange(100.0).reshape(4, 25)
    values[0, 0] = np.nan
    grid = threshold_grid(values, points=10)
    assert grid[0] == 99.0
    assert grid[-1] == 70.0
    assert (np.diff(grid) < 0).all()
    assert np.isin(grid, values).all()


def test_scores_that_are_all_missing_raise_no_alarm_at_any_threshold() -> None:
    assert [p.count.alarm_hours for p in sweep(np.full((1, SCORED), np.nan), spend_set())] == [0]


def test_the_best_threshold_separates_events_from_noise() -> None:
    values = scores(10, 90)
    values[0, [40, 140]] = 5.0
    assert best_threshold(values, spend_set(event(10, 12), event(90, 92))) == 9.0


def test_a_threshold_that_keeps_a_series_under_endless_alarm_does_not_stand() -> None:
    values = np.ones((1, SCORED))
    values[0, ::20] = 2.0
    values[0, 10:12] = 3.0
    spend = spend_set(event(100, 102))
    assert count_scores(values, 2.0, spend).f1 == 1.0
    assert best_threshold(values, spend) == 3.0
    assert recall_within(sweep(values, spend), 1.0) == 0.0


def test_recall_at_a_budget_is_that_of_the_lowest_threshold_within_it() -> None:
    values = scores(10, 100)
    values[0, [60]] = 5.0
    values[0, [140]] = 4.0
    spend = spend_set(event(10, 12), event(60, 62))
    curve = sweep(values, spend)
    assert recall_within(curve, 1.0) == 1.0
    assert recall_within(curve, 0.5) == 0.0


def test_recall_within_a_budget_nothing_meets_is_nought() -> None:
    curve = [Point(1.0, Count(1, 5, 1, 0, (1,), 0.0, 1.0, 6))]
    assert recall_within(curve, 0.25) == 0.0


@settings(deadline=None)
@given(st.integers(2, 6), st.integers(0, 9), st.lists(st.sampled_from(["key", "team", "young"]), min_size=6))
def test_folds_share_out_every_family(folds: int, seed: int, families: list[str]) -> None:
    family = np.array(families)
    fold = assign_folds(family, folds, seed)
    for name in ("key", "team", "young"):
        sizes = np.bincount(fold[family == name], minlength=folds)
        assert sizes.max() - sizes.min() <= 1


def test_the_threshold_of_a_series_is_chosen_on_the_other_folds() -> None:
    """Series 0 alone would choose 2.0; the other two, in which 2.0 is noise, choose 9.0."""
    values = np.ones((3, SCORED))
    values[1:, 90] = 9.0
    values[1:, [20, 50, 140]] = values[0, 90] = 2.0
    spend = spend_set(*(event(90, 92, row=row) for row in range(3)), series=3)
    thresholds = held_out_thresholds(values, spend, folds=3)
    assert thresholds[0] == 9.0
    assert count_alarms(held_out_alarms(values, spend, folds=3), spend).hits == 2


def test_cross_validation_counts_every_series_once() -> None:
    rng = np.random.default_rng(0)
    spend = spend_set(*(event(30, 40, row=row) for row in range(6)), series=6)
    seen = count_alarms(held_out_alarms(rng.random((6, SCORED)), spend, folds=3), spend)
    assert (seen.hits + seen.misses, seen.series_weeks) == (6, 6.0)


class HourNumber:
    """Scores each hour with its own place among the hours scored."""

    @property
    def name(self) -> str:
        return "hour number"

    def scores(self, spend: SpendSet) -> FloatArray:
        return np.tile(np.arange(spend.hours_scored, dtype=np.float64), (len(spend.names), 1))


def write_parquet(file: Path, columns: str, rows: Sequence[tuple[object, ...]]) -> None:
    marks = ", ".join("?" for _ in rows[0])
    with duckdb.connect() as connection:
        connection.execute(f"create table rows ({columns})")
        connection.executemany(f"insert into rows values ({marks})", [list(row) for row in rows])
        connection.execute(f"copy rows to '{file}' (format parquet)")


def test_the_development_set_is_read_as_columns_of_hours(tmp_path: Path) -> None:
    first = datetime(2026, 6, 1)  # noqa: DTZ001 - the file holds naive UTC
    rows: list[tuple[object, ...]] = [
        (name, family, first + timedelta(hours=hour), cost, 10 * cost)
        for name, family, begins, cost in (("a", "key", 0, 2.0), ("b", "young", 1392, 4.0))
        for hour in range(begins, 1440 + 24)
    ]
    write_parquet(
        tmp_path / "spend_dev.parquet",
        "series varchar, family varchar, started_at timestamp, cost_usd double, tokens double",
        rows,
    )
    told = {"series": "b", "start_at": "2026-07-31 02:00:00Z", "end_at": "2026-07-31 05:00:00Z"}
    small, large = {"kind": "spike", "excess_usd": 23.9}, {"kind": "spike", "excess_usd": 24.0}
    (tmp_path / "spend_dev_events.json").write_text(json.dumps([told | small, told | large]))
    spend = development_set(tmp_path)
    assert (spend.names, spend.family.tolist(), spend.start_at) == (("a", "b"), ["key", "young"], START_AT)
    assert (spend.hours_scored, spend.first_hour.tolist()) == (24, [0, 1392])
    assert spend.cost_usd[1, 1391:1393].tolist() == [0.0, 4.0]
    assert spend.tokens is not None
    assert spend.tokens[0, 0] == 20.0
    assert [(e.row, e.start, e.end, e.counts) for e in spend.events] == [
        (1, 1442, 1445, False),
        (1, 1442, 1445, True),
    ]


def test_long_kinds_need_twice_the_excess_and_drops_count_by_size() -> None:
    assert is_counted("slow_ramp", 12.0, 1.0)
    assert not is_counted("slow_ramp", 11.9, 1.0)
    assert is_counted("drop_to_zero", -6.0, 1.0)


def test_monitoring_series_of_one_length_are_scored_together_and_judged_as_one_set(tmp_path: Path) -> None:
    first = datetime(2018, 6, 19)  # noqa: DTZ001 - the file holds naive UTC
    labelled = {("x-1", 167), ("x-1", 168), ("x-2", 180), ("y-1", 250)}
    rows: list[tuple[object, ...]] = [
        (
            name,
            first + timedelta(hours=hour),
            None if hour == 200 else float(hour),
            int((name, hour) in labelled),
        )
        for name, hours in (("x-1", 240), ("x-2", 240), ("y-1", 960))
        for hour in range(hours)
    ]
    write_parquet(
        tmp_path / "monitoring_dev.parquet",
        "series varchar, ts timestamp, value double, label bigint",
        rows,
    )
    found = monitoring_trial(tmp_path)
    method: Method = HourNumber()
    judged = found.judged
    assert [part.names for part in found.parts] == [("x-1", "x-2"), ("y-1",)]
    history_usd = found.parts[0].cost_usd[:, :168].mean(axis=1)
    assert history_usd.tolist() == pytest.approx([10.0, 10.0])
    assert found.parts[0].cost_usd[0, 199:202] / 10 * 83.5 == pytest.approx([199.0, 199.0, 201.0])
    assert judged.first_hour.tolist() == [648, 648, 0]
    assert judged.family.tolist() == ["x", "x", "y"]
    assert [(e.row, e.start, e.end, e.counts) for e in judged.events] == [
        (0, 648, 649, False),
        (1, 660, 661, True),
        (2, 10, 11, True),
    ]
    values = found.scores(method)
    assert np.isnan(values[0, :648]).all()
    assert (values[0, 648], values[2, 0], values[2, -1]) == (0.0, 0.0, 719.0)
    assert count_alarms([], judged).series_weeks == (72 + 72 + 720) / 168
