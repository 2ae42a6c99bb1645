from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from detectors.statistics import FloatArray, IntArray
from evals.detection.alarms import Alarm
from evals.detection.meeting import meet, total
from evals.detection.metrics import (
    average_precision,
    bootstrap,
    hour_labels,
    known_mean,
    series_counts,
    series_vus_pr,
)
from evals.detection.spend_set import Event, SpendSet
from evals.detection.vus import vus_pr

HOURS = 48


def spend_set(*events: Event, series: int = 1) -> SpendSet:
    return SpendSet(
        "test",
        datetime(2026, 6, 1, tzinfo=UTC),
        tuple(f"s{row}" for row in range(series)),
        np.array(["key"] * series),
        np.ones((series, 24 + HOURS)),
        None,
        np.zeros(series, dtype=np.int64),
        24,
        events,
    )


def event(start: int, end: int, *, row: int = 0, counts: bool = True) -> Event:
    return Event(row, "spike", 24 + start, 24 + end, 10.0, counts)


def rising(series: int = 1) -> FloatArray:
    return np.tile(np.arange(HOURS, dtype=np.float64), (series, 1))


def test_average_precision_of_one_ranked_event_is_computed_by_hand() -> None:
    """The last hour is an event's, the two before are not, the fourth highest is: (1/1 + 2/4) / 2."""
    assert average_precision(rising(), spend_set(event(47, 48), event(44, 45))) == pytest.approx(0.75)


def test_hours_of_an_uncounted_event_are_left_out_of_the_ranking() -> None:
    spend = spend_set(event(44, 45), event(45, 48, counts=False))
    assert average_precision(rising(), spend) == 1.0


def test_an_hour_of_a_counted_event_stays_where_an_uncounted_one_overlaps() -> None:
    labels = hour_labels(spend_set(event(10, 12), event(11, 14, counts=False)))
    assert np.flatnonzero(labels.anomalous[0]).tolist() == [10, 11]
    assert np.flatnonzero(~labels.judged[0]).tolist() == [12, 13]


def test_hours_before_a_series_begins_are_not_judged() -> None:
    late = replace(spend_set(event(47, 48)), first_hour=np.array([24 + 40]))
    assert hour_labels(late).judged.sum() == 8


def test_a_missing_score_counts_as_nought() -> None:
    values = rising()
    values[0, 47] = np.nan
    ranked = np.nan_to_num(values)
    expected = average_precision_score(np.arange(HOURS) == 47, ranked[0])
    assert average_precision(values, spend_set(event(47, 48))) == pytest.approx(expected)


def test_average_precision_pools_the_hours_of_all_series() -> None:
    values = rising(2)
    values[1] += 100
    assert average_precision(values, spend_set(event(47, 48), series=2)) == pytest.approx(1 / 49)


def test_average_precision_without_events_is_not_a_number() -> None:
    assert np.isnan(average_precision(rising(), spend_set()))


def test_the_surface_is_averaged_over_the_series_that_have_events() -> None:
    spend = spend_set(event(47, 48), event(0, 1, row=1), series=3)
    values = series_vus_pr(rising(3), spend)
    assert np.isnan(values[2])
    assert known_mean(values) == pytest.approx((values[0] + values[1]) / 2)


def test_the_surface_without_events_is_not_a_number() -> None:
    assert np.isnan(known_mean(series_vus_pr(rising(), spend_set())))


def test_an_uncounted_event_costs_no_precision_on_the_surface() -> None:
    spend = spend_set(event(20, 21), event(45, 48, counts=False))
    values = np.zeros((1, HOURS))
    values[0, 20], values[0, 45:] = 5.0, 9.0
    judged = hour_labels(spend).judged[0]
    assert series_vus_pr(values, spend)[0] == vus_pr(
        hour_labels(spend).anomalous[0], np.where(judged, values[0], -1.0), judged=judged
    )
    assert series_vus_pr(values, spend)[0] > series_vus_pr(values, spend_set(event(20, 21)))[0]


def test_counts_of_the_series_add_up_to_the_whole() -> None:
    spend = spend_set(event(10, 14), event(30, 34), event(10, 14, row=1), series=3)
    alarms = [Alarm(0, 34, 36), Alarm(1, 60, 61), Alarm(2, 40, 42), Alarm(0, 70, 72)]
    met = meet(alarms, spend)
    whole, added = total(met), series_counts(met).over(np.arange(3))
    assert (added.true_alarms, added.false_alarms) == (whole.true_alarms, whole.false_alarms) == (1, 3)
    assert (added.hits, added.misses, added.missed_usd) == (whole.hits, whole.misses, whole.missed_usd)
    assert (added.series_weeks, added.alarm_hours) == (whole.series_weeks, whole.alarm_hours)


def test_a_series_drawn_twice_counts_twice() -> None:
    table = series_counts(meet([Alarm(1, 34, 35)], spend_set(event(10, 14, row=1), series=2)))
    assert table.over(np.array([1, 1])).hits == 2
    assert table.over(np.array([0, 0])).recall == 0.0


def test_the_interval_of_a_mean_has_the_width_that_theory_gives() -> None:
    values = np.random.default_rng(3).normal(size=400)
    found = bootstrap(lambda rows: float(values[rows].mean()), len(values), seed=1, rounds=2000)
    half = 1.96 * values.std() / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.15 * half)


def draws(seed: int) -> list[list[int]]:
    seen: list[list[int]] = []

    def value(rows: IntArray) -> float:
        seen.append(rows.tolist())
        return 0.0

    bootstrap(value, 5, seed=seed, rounds=3)
    return seen


def test_one_seed_draws_the_same_series_for_every_method() -> None:
    assert draws(seed=4) == draws(seed=4)
    assert draws(seed=4) != draws(seed=5)


def test_a_draw_without_a_value_is_left_out() -> None:
    table = np.array([np.nan, 2.0])
    found = bootstrap(lambda rows: float(table[rows[0]]), 2, seed=0, rounds=50)
    assert found == (2.0, 2.0)
