"""The 80 % interval of a sum of days ahead: quantiles of the errors of past forecasts as many days long.

Split conformal prediction with the series' own past as calibration set, and beside it the errors of many
other series, so that a series whose past holds few forecasts of that length has an interval too.
"""

import numpy as np

from detectors.forecast.walk import Walk
from detectors.statistics import FloatArray, IntArray

TAIL = 0.085
"""Share of past errors beyond each end of the interval, chosen on the tuned halves of the real series.

A tenth is meant to fall outside on each side; the unit of the errors is learnt too, which costs a little.
"""
LEAST_AGE_DAYS = 3
"""Forecasts from fewer whole days are not counted among a series' past errors."""
_USUAL_WEIGHT = 20.0
"""What other series' errors count, in forecasts of the series itself whose days do not overlap."""
USUAL_SCORES = (
    -1.66,
    -1.05,
    -0.78,
    -0.59,
    -0.46,
    -0.35,
    -0.25,
    -0.16,
    -0.07,
    0.02,
    0.1,
    0.19,
    0.3,
    0.42,
    0.58,
    0.77,
    1.02,
    1.41,
    2.16,
    6.13,
)
"""Errors of forecasts in units of what was ordinary: 20 quantiles in the middle of twentieths.

`python -m evals.forecasting --usual` makes them, from the half of the development series that is tuned on.
"""


def past_scores(known: Walk, totals: FloatArray, first_day: IntArray, days: int) -> FloatArray:
    """(series, past midnights): errors of the sum of so many days in units of what was expected of them.

    NaN where a series was too young, or where the days are not over.
    """
    midnights = max(totals.shape[1] - days + 1, 0)
    spent = np.pad(np.cumsum(totals, axis=1), ((0, 0), (1, 0)))
    actual = spent[:, days:] - spent[:, :midnights]
    foretold = known.daily(days)[:, :midnights].sum(axis=2)
    age = np.arange(midnights) - first_day[:, None]
    unit = error_unit(known.errors(np.array([days]))[:, :midnights, 0], days, age)
    told = (age >= LEAST_AGE_DAYS) & (unit > 0)
    return np.where(told, actual - foretold, np.nan) / np.where(told, unit, 1.0)


def error_unit(errors: FloatArray, days: float, age_days: IntArray) -> FloatArray:
    """Of a sum so far ahead; more than the ordinary error where it is further than the series is old."""
    return np.asarray(errors * np.sqrt(1 + days / np.maximum(age_days, 1)))


def tail_scores(own: FloatArray, days: int) -> tuple[FloatArray, FloatArray]:
    """The scores (series,) that bound the interval.

    Forecasts of overlapping days share their luck: each counts as one by their length.
    """
    usual = np.broadcast_to(USUAL_SCORES, (len(own), len(USUAL_SCORES)))
    scores = np.concatenate([own, usual], axis=1)
    weight = np.where(np.isnan(scores), 0.0, 1 / days)
    weight[:, own.shape[1] :] = _USUAL_WEIGHT / len(USUAL_SCORES)
    order = np.argsort(scores, axis=1)
    reached = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
    reached /= reached[:, -1:]
    ordered = np.take_along_axis(scores, order, axis=1)
    low, high = (
        np.take_along_axis(ordered, (reached < share).sum(axis=1, keepdims=True), axis=1)[:, 0]
        for share in (TAIL, 1 - TAIL)
    )
    return low, high
