"""Peers that compare an hour with the same hour of earlier weeks."""

from dataclasses import dataclass

import numpy as np

from detectors.statistics import FloatArray
from evals.detection.peers.scale import Sides, in_units, mad_sigma
from evals.detection.peers.series import (
    DAY_HOURS,
    WEEK_HOURS,
    hours_before,
    hours_earlier,
    known_cost,
    score_blocks,
    scored,
)
from evals.detection.spend_set import SpendSet


@dataclass(frozen=True, slots=True)
class SeasonalNaive:
    """An hour less the same hour a week ago (Hyndman and Athanasopoulos, "Forecasting", section 5.2).

    In standard deviations of that difference over the last 28 days; a day ago while a series is younger than
    a week.
    """

    window_days: int = 28
    sides: Sides = "up"
    name: str = "seasonal naive"

    def scores(self, spend: SpendSet) -> FloatArray:
        known = known_cost(spend)
        week_ago, day_ago = hours_earlier(known, WEEK_HOURS), hours_earlier(known, DAY_HOURS)
        residual = known - np.where(np.isnan(week_ago), day_ago, week_ago)
        std = hours_before(residual, self.window_days * DAY_HOURS).std().to_numpy().T
        mean = hours_before(known, self.window_days * DAY_HOURS).mean().to_numpy().T
        return scored(in_units(residual, std, mean, self.sides), spend)


@dataclass(frozen=True, slots=True)
class HourOfWeekMedian:
    """An hour less the median of the same hours of the last weeks, in robust standard deviations.

    The hour of the day stands in while a series is younger than two weeks. Refit every midnight.
    """

    weeks: int = 8
    sides: Sides = "up"
    name: str = "hour-of-week median + MAD"

    def scores(self, spend: SpendSet) -> FloatArray:
        return score_blocks(spend, self._score_day, window_days=7 * self.weeks)

    def _score_day(self, known: FloatArray, day: FloatArray) -> FloatArray:
        period = WEEK_HOURS if len(known) >= 2 * WEEK_HOURS else DAY_HOURS
        cycles = fold(known, period)
        median = np.nanmedian(cycles, axis=0)
        residual = (cycles - median)[~np.isnan(cycles)]
        return in_units(day - median[: len(day)], mad_sigma(residual), known.mean(), self.sides)


def fold(known: FloatArray, period: int) -> FloatArray:
    """(cycles, period), NaN before the first hour known; column 0 is the phase of the hour after the last."""
    missing = -len(known) % period
    return np.concatenate([np.full(missing, np.nan), known]).reshape(-1, period)
