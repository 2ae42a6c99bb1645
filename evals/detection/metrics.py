"""Measures of scores without a threshold, and intervals of any measure by resampling the series."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from detectors.statistics import BoolArray, FloatArray, IntArray
from evals.detection.alarms import NO_ROW, expect_shape
from evals.detection.count import Count
from evals.detection.meeting import Meeting, scored_hours
from evals.detection.pooled_ranking import PooledRanking
from evals.detection.spend_set import SpendSet
from evals.detection.vus import vus_pr

VUS_BUFFER_HOURS = 24
ROUNDS = 400
"""Draws of an interval."""


class HourLabels(NamedTuple):
    """Both (series, hours scored)."""

    anomalous: BoolArray
    """Inside a counted event."""
    judged: BoolArray
    """The series exists and the hour is not inside uncounted events alone."""


class Interval(NamedTuple):
    """95 % of the resampled values lie in it."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SeriesCounts:
    """The counts of each series, (series,) each, so that any choice of series is counted by sums."""

    true_alarms: FloatArray
    false_alarms: FloatArray
    hits: FloatArray
    misses: FloatArray
    missed_usd: FloatArray
    hours: FloatArray
    alarm_hours: FloatArray
    nowhere: int = 0
    """False alarms that name no series; in every choice."""

    def over(self, rows: IntArray) -> Count:
        """The count over these series, each as often as it is named; without delays."""
        return Count(
            true_alarms=int(self.true_alarms[rows].sum()),
            false_alarms=int(self.false_alarms[rows].sum()) + self.nowhere,
            hits=int(self.hits[rows].sum()),
            misses=int(self.misses[rows].sum()),
            delays=(),
            missed_usd=float(self.missed_usd[rows].sum()),
            series_weeks=int(self.hours[rows].sum()) / 168,
            alarm_hours=int(self.alarm_hours[rows].sum()),
        )


def series_counts(met: Meeting) -> SeriesCounts:
    series = len(met.spend.names)
    excess_usd = np.array([event.excess_usd for event in met.spend.events])
    hit = met.counted & ~np.isnan(met.delay)
    missed = met.counted & np.isnan(met.delay)

    def of_rows(rows: IntArray, weights: FloatArray | None = None) -> FloatArray:
        return np.bincount(rows, weights=weights, minlength=series).astype(np.float64)

    named = met.alarms.row != NO_ROW
    alarm_hours = (met.alarms.end - met.alarms.start)[named].astype(np.float64)
    return SeriesCounts(
        true_alarms=of_rows(met.alarms.row[met.true_alarm & named]),
        false_alarms=of_rows(met.alarms.row[met.false_alarm & named]),
        hits=of_rows(met.event_row[hit]),
        misses=of_rows(met.event_row[missed]),
        missed_usd=of_rows(met.event_row[missed], excess_usd[missed]),
        hours=scored_hours(met.spend).sum(axis=1).astype(np.float64),
        alarm_hours=of_rows(met.alarms.row[named], alarm_hours),
        nowhere=int((~named).sum()),
    )


def draws(rows: int, *, seed: int, rounds: int = ROUNDS) -> Iterator[IntArray]:
    """As many series as there are, drawn with replacement, again and again.

    Hours and events of a series are not independent, so whole series are drawn. One seed draws the same
    series for every method, which pairs them.
    """
    rng = np.random.default_rng(seed)
    return (rng.integers(rows, size=rows) for _ in range(rounds))


def bootstrap(value: Callable[[IntArray], float], rows: int, *, seed: int, rounds: int = ROUNDS) -> Interval:
    """Interval of `value(series)` over the draws."""
    return interval_of([value(drawn) for drawn in draws(rows, seed=seed, rounds=rounds)])


def interval_of(values: Sequence[float] | FloatArray) -> Interval:
    """Of the values over many draws; NaN is left out."""
    low, high = np.nanquantile(values, (0.025, 0.975))
    return Interval(float(low), float(high))


def hour_labels(spend: SpendSet) -> HourLabels:
    anomalous, inside = np.zeros((2, *spend.cost_usd.shape), dtype=bool)
    for event in spend.events:
        inside[event.row, event.start : event.end] = True
        anomalous[event.row, event.start : event.end] |= event.counts
    anomalous, inside = anomalous[:, spend.history_hours :], inside[:, spend.history_hours :]
    return HourLabels(anomalous, scored_hours(spend) & (anomalous | ~inside))


def pooled_ranking(scores: FloatArray, spend: SpendSet) -> PooledRanking:
    """The hours that count, of all series."""
    expect_shape(scores, spend)
    return PooledRanking.of(scores, *hour_labels(spend))


def average_precision(scores: FloatArray, spend: SpendSet) -> float:
    """Of the judged hours of all series in one ranking; a NaN score counts as 0."""
    return pooled_ranking(scores, spend).average_precision()


def series_vus_pr(scores: FloatArray, spend: SpendSet) -> FloatArray:
    """(series,): NaN where a series has no counted event; a NaN score counts as 0."""
    expect_shape(scores, spend)
    anomalous, judged = hour_labels(spend)
    rows = zip(anomalous, np.nan_to_num(scores), judged, strict=True)
    return np.array(
        [vus_pr(row, score, longest_buffer=VUS_BUFFER_HOURS, judged=kept) for row, score, kept in rows]
    )


def known_mean(values: FloatArray) -> float:
    """Without the NaN; NaN where there is nothing else."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
