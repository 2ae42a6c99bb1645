"""The most that each hour of the week has seen: what repeats at its usual time is no news.

Keys are bursty, and their bursts keep to hours of the week: a batch that ran on six of eight Saturdays is
far above any mean and yet normal. So a rise is measured from the largest sum of the same hours of past weeks.
"""

import numpy as np

from detectors.seasonal import DAY_HOURS, WEEK_DAYS
from detectors.statistics import FloatArray, IntArray, rolling_sum

ENVELOPE_WINDOWS = (1, 3, 6, 24)
"""Hours."""
MARGINS = (1.3, 1.3, 1.3, 0.9)
"""A rise begins at so many times the most seen, for each window; chosen on development series."""
WEEKS = 8
YOUNG_DAYS = 21
"""Under so many days there are too few weeks: the same hours of all days of the last week count too."""
_AROUND_HOURS = 1
_WEEK_HOURS = WEEK_DAYS * DAY_HOURS


def fit_envelope(learnt: FloatArray, actual: FloatArray, age_days: IntArray) -> FloatArray:
    """(series, windows, 168) from (series, days, 24) from a Monday on; hour 0 is Monday 00:00 UTC.

    The largest sum of the same hours, one more and one less, in the last 8 weeks of what is learnt from. What
    was flagged is not learnt, but the second largest of what really was counts too: a job that was told once
    and comes again every week has become a habit.
    """
    weeks = min(learnt.shape[1] // WEEK_DAYS, WEEKS)
    if not weeks:
        return np.zeros((len(learnt), len(ENVELOPE_WINDOWS), _WEEK_HOURS))
    first_weekday = learnt.shape[1] % WEEK_DAYS
    learnt, actual = (days[:, -weeks * WEEK_DAYS - 1 :] for days in (learnt, actual))
    most = _ranked(learnt, weeks, 1, first_weekday)
    flagged = np.flatnonzero((learnt != actual).any(axis=(1, 2))) if weeks > 1 else np.zeros(0, np.int64)
    if len(flagged):
        again = _ranked(actual[flagged], weeks, 2, first_weekday)
        most[flagged] = np.maximum(most[flagged], again)
    young = np.flatnonzero(age_days < YOUNG_DAYS)
    most[young, :-1] = np.maximum(most[young, :-1], _any_day(learnt[young])[:, :-1])
    return most


def _ranked(days: FloatArray, weeks: int, rank: int, first_weekday: int) -> FloatArray:
    """(series, windows, 168): the `rank`-th largest over the last weeks, which begin on `first_weekday`."""
    hours = days.reshape(len(days), days.shape[1] * DAY_HOURS)
    result = np.empty((len(days), len(ENVELOPE_WINDOWS), _WEEK_HOURS))
    for i, window in enumerate(ENVELOPE_WINDOWS):
        sums = rolling_sum(hours, window)[:, -weeks * _WEEK_HOURS :].reshape(len(days), weeks, _WEEK_HOURS)
        around = _around(np.roll(sums, first_weekday * DAY_HOURS, axis=2))
        result[:, i] = np.partition(around, weeks - rank, axis=1)[:, weeks - rank]
    return result


def _any_day(days: FloatArray) -> FloatArray:
    """(series, windows, 168): the largest of the last week's days, the same for every weekday."""
    hours = days.reshape(len(days), days.shape[1] * DAY_HOURS)
    result = np.empty((len(days), len(ENVELOPE_WINDOWS), _WEEK_HOURS))
    for i, window in enumerate(ENVELOPE_WINDOWS):
        sums = rolling_sum(hours, window)[:, -_WEEK_HOURS:].reshape(len(days), WEEK_DAYS, DAY_HOURS)
        result[:, i] = np.tile(_around(sums).max(axis=1), (1, WEEK_DAYS))
    return result


def _around(sums: FloatArray) -> FloatArray:
    """The largest of each hour and its neighbours, along the last axis, which is a cycle."""
    neighbours = np.maximum(np.roll(sums, -_AROUND_HOURS, axis=-1), np.roll(sums, _AROUND_HOURS, axis=-1))
    return np.asarray(np.maximum(neighbours, sums))
