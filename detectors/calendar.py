"""Hours of history as days that begin on a Monday, and which of them scales are measured on."""

import numpy as np

from detectors.seasonal import DAY_HOURS
from detectors.statistics import FloatArray

_CALIBRATION_DAYS = 46


def days_of(hours: FloatArray, first_weekday: int) -> FloatArray:
    """(series, days, 24) from Monday on; the days before the history are 0."""
    padded = np.pad(hours, ((0, 0), (first_weekday * DAY_HOURS, 0)))
    return padded.reshape(len(hours), padded.shape[1] // DAY_HOURS, DAY_HOURS)


def calibrated(days: FloatArray) -> slice:
    """The last days, on which scales are measured."""
    return slice(max(days.shape[1] - _CALIBRATION_DAYS, 0), days.shape[1])
