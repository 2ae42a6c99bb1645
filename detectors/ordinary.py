"""The ordinary hours of history that the forest is grown from, of a sample of the series."""

import numpy as np

from detectors.calendar import calibrated, days_of
from detectors.forest import forest_features
from detectors.profiles import History
from detectors.scale import Calibration
from detectors.scoring import drop_scores, window_z
from detectors.seasonal import DAY_HOURS, WEEK_DAYS, Shapes, day_levels, first_whole_day
from detectors.statistics import BoolArray, FloatArray, IntArray

_FOREST_SERIES = 256
"""Series whose history is offered to the forest: 280,000 hours, of which it takes `forest_rows`."""


def sampled_rows(trained: BoolArray, calibration: Calibration, *, seed: int) -> IntArray:
    """At most 256 of the series that spend and are scored, in their order."""
    rows = np.flatnonzero(trained & (calibration.hourly_mean > 0))
    if len(rows) > _FOREST_SERIES:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _FOREST_SERIES, replace=False))
    return rows


def ordinary_features(history: History, shapes: Shapes, calibration: Calibration) -> FloatArray:
    """(rows, features) of the hours that had an expectation; all arguments are of the same series."""
    days = days_of(history.learnt, history.first_weekday)
    past = calibrated(days)
    first_day = np.maximum(first_whole_day(days), history.first_weekday)
    actual = days[:, past].reshape(len(days), (past.stop - past.start) * DAY_HOURS)
    forecast = expected_hours(day_levels(days, first_day, 0), shapes)[:, past].reshape(actual.shape)
    known = ~np.isnan(forecast)
    mean = np.where(known, forecast, actual)
    z = window_z(actual, mean, calibration)[known]
    return forest_features(z, drop_scores(actual, mean, calibration)[known])


def expected_hours(levels: FloatArray, shapes: Shapes) -> FloatArray:
    """(series, days, 24) from the level of each day and the shares of its weekday."""
    weekday = np.arange(levels.shape[1]) % WEEK_DAYS
    return np.asarray(levels[..., None] * shapes.shares[:, weekday])
