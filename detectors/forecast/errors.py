"""How far past forecasts of a series were off: which memory to believe, and how far to trust the whole."""

import numpy as np

from detectors.forecast.memory import GUESSES
from detectors.seasonal import WEEK_DAYS
from detectors.statistics import BoolArray, FloatArray

JUDGED_DAYS = (1, 3, WEEK_DAYS)
"""Lengths of the past forecasts that the guesses are weighed by."""
_MISS_KEPT = 0.5 ** (1 / 10)
"""What a miss of a guess counts one day later."""
_ERROR_KEPT = 0.5 ** (1 / 21)
"""What an error of the forecast counts one day later: a scale needs more days than a choice."""
_MISS_FLOOR = 0.015
"""Added to each guess's miss, as a share of spend: smaller differences are luck."""
_POWER = 2
"""A guess counts by the inverse of its miss to this power."""
_DOUBT = 0.5
"""Error of a day, as a share of the level, while none was seen; it counts as `_DOUBT_DAYS` seen ones."""
_DOUBT_DAYS = 3.0
_DOUBT_WEEKS = 7.0
"""The same for sums of a week, in forecasts of one; they overlap, so each tells less."""
_LIKELY_GROWTH = 0.8
"""Error of a sum of days by their number, as a power, until weeks were seen; independent days make 0.5."""


class Errors:
    """Past errors that fade, of each guess and of the forecast made from all of them."""

    def __init__(self, series: int) -> None:
        self._missed, self._judged = np.zeros((series, GUESSES)), np.zeros(series)
        self._day, self._days = np.zeros(series), np.zeros(series)
        self._week, self._weeks = np.zeros(series), np.zeros(series)

    def weighed(self, weeks: FloatArray) -> FloatArray:
        """(series, 7): one week from (series, GUESSES, 7), each counting by how well it foretold so far."""
        missed = self._missed / np.maximum(self._judged, 1e-12)[:, None]
        usual = np.maximum(weeks.mean(axis=(1, 2)), 1e-12)[:, None]
        weight = (missed / usual + _MISS_FLOOR) ** -_POWER
        return np.asarray((weeks * weight[..., None]).sum(axis=1) / weight.sum(axis=1)[:, None])

    def of_day(self, level: FloatArray) -> FloatArray:
        """(series,): what a forecast of one day is ordinarily off by."""
        return np.asarray((self._day + _DOUBT_DAYS * _DOUBT * level) / (self._days + _DOUBT_DAYS))

    def of_week(self, of_day: FloatArray) -> FloatArray:
        """(series,): what a forecast of the sum of a week is ordinarily off by."""
        likely = of_day * WEEK_DAYS**_LIKELY_GROWTH
        return np.asarray((self._week + _DOUBT_WEEKS * likely) / (self._weeks + _DOUBT_WEEKS))

    def fade(self) -> None:
        """One day later, the misses of the guesses count less."""
        self._missed *= _MISS_KEPT
        self._judged *= _MISS_KEPT

    def judge_guesses(self, foretold: FloatArray, spent: FloatArray, days: int, counts: BoolArray) -> None:
        """What each guess foretold of the last days, (series, GUESSES), against what they were."""
        self._missed += np.abs(foretold - spent[:, None]) / days * counts[:, None]
        self._judged += counts

    def judge_day(self, foretold: FloatArray, spent: FloatArray, counts: BoolArray) -> None:
        kept = np.where(counts, _ERROR_KEPT, 1.0)
        self._day = self._day * kept + np.abs(foretold - spent) * counts
        self._days = self._days * kept + counts

    def judge_week(self, foretold: FloatArray, spent: FloatArray, counts: BoolArray) -> None:
        kept = np.where(counts, _ERROR_KEPT, 1.0)
        self._week = self._week * kept + np.abs(foretold - spent) * counts
        self._weeks = self._weeks * kept + counts
