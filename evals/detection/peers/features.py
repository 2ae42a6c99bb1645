"""The row of features per hour that the peers without a sense of time are given."""

import numpy as np

from detectors.statistics import FloatArray
from evals.detection.peers.series import DAY_HOURS, WEEK_HOURS

_LAGS = (1, DAY_HOURS, WEEK_HOURS)


def change_features(hours: FloatArray) -> FloatArray:
    """(hours, 4): the value, and its change from the last hour, the last day and the last week.

    A change from before the first hour is 0.
    """
    return np.stack([hours, *(_change(hours, lag) for lag in _LAGS)], axis=1)


def clock_features(hours: FloatArray) -> FloatArray:
    """(hours, 2): the hour of the day on a circle, from the first hour on."""
    angle = np.arange(len(hours)) * (2 * np.pi / DAY_HOURS)
    return np.stack([np.sin(angle), np.cos(angle)], axis=1)


def warm_up_hours(known_hours: int) -> int:
    """Rows to leave out of a fit: those without a week before them, or a day in a young series."""
    return WEEK_HOURS if known_hours >= 3 * WEEK_HOURS else DAY_HOURS


def _change(hours: FloatArray, lag: int) -> FloatArray:
    change = np.zeros(len(hours))
    change[lag:] = hours[lag:] - hours[:-lag]
    return change
