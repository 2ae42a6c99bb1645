"""What is remembered of a series' days: weekday factors and levels by several memories, renewed daily."""

import numpy as np

from detectors.seasonal import WEEK_DAYS
from detectors.statistics import BoolArray, FloatArray, row_median

_HALF_LIVES = (1.0, 7.0, 28.0)
"""Days after which a day counts half in a mean: one soon follows a new level, one is calm."""
_CUT_HALF_LIVES = (7.0, 28.0)
"""The same for the means of days of which the top is cut off."""
_LEVELS = len(_HALF_LIVES) + len(_CUT_HALF_LIVES) + 1
"""The means, and the median of a week."""
_CUT_DAYS = 28
_CUT_SPREADS = 4 * 1.4826
"""A day is cut at the median plus so many median deviations: four sigmas where days are normal."""
_WEEKDAY_KEPT = 0.5 ** (1 / 28)
"""What a day counts in the weekday factors one day later."""
_USUAL_WEEKS = np.array([0.05, 2.0])
"""Weight of a week of equal days in the weekday factors, in weeks: for plain patterns, and for noisy ones."""
GUESSES = len(_USUAL_WEEKS) * _LEVELS + 1
"""Weeks that are guessed: each level with each weekday pattern, and the last week as it was."""
_LEAST_FACTOR = 0.2
"""A weekday with less spend than so much of the mean one tells of single days as if it had so much."""
_LEAST_BETWEEN_DAYS = 7.0
"""Two means tell of growth when their days lie so far apart on average."""
_MOST_GROWTH = 0.02
"""A day; it doubles spend in five weeks, and what grows faster will not go on for long."""


class Memory:
    """Sums that forget: taking in a day costs the same however long the history is."""

    def __init__(self, series: int) -> None:
        lives = np.array((*_HALF_LIVES, *_CUT_HALF_LIVES))
        self._kept = 0.5 ** (1 / lives)
        self._spend = np.zeros((series, len(lives)))
        self._days = np.zeros((series, len(lives), WEEK_DAYS))
        self._weekday_spend = np.zeros((series, WEEK_DAYS))
        self._weekday_days = np.zeros((series, WEEK_DAYS))
        self._ages = np.zeros((series, len(lives)))
        self._recent = np.full((series, _CUT_DAYS), np.nan)
        self._last_week = np.full((series, WEEK_DAYS), np.nan)

    def factors(self) -> FloatArray:
        """(series, patterns, 7): spend of each weekday by a mean day's, Monday first; their mean is 1."""
        days, prior = self._weekday_days[:, None], _USUAL_WEEKS[:, None]
        mean = self._weekday_spend.sum(axis=1) / np.maximum(self._weekday_days.sum(axis=1), 1e-12)
        times = self._weekday_spend / np.maximum(mean, 1e-12)[:, None]
        week = (times[:, None] + prior) / (days + prior)
        week = np.where((mean > 0)[:, None, None], week, 1.0)
        return np.asarray(week / week.mean(axis=2, keepdims=True))

    def levels(self, factors: FloatArray) -> FloatArray:
        """(series, patterns, levels): spend of a mean day by each memory, whichever weekdays it holds."""
        worth = (self._days[:, None] * factors[:, :, None]).sum(axis=3)
        means = self._spend[:, None] / np.maximum(worth, 1e-12)
        week = np.nan_to_num(row_median(self._recent[:, -WEEK_DAYS:]))
        return np.concatenate([means, np.broadcast_to(week[:, None, None], (*means.shape[:2], 1))], axis=2)

    def weeks(self, factors: FloatArray, levels: FloatArray) -> FloatArray:
        """(series, GUESSES, 7): spend of each weekday to come, by each memory."""
        made = (levels[..., None] * factors[:, :, None]).reshape(len(levels), -1, WEEK_DAYS)
        last = np.where(np.isnan(self._last_week), made[:, 0], self._last_week)
        return np.concatenate([made, last[:, None]], axis=1)

    def growth(self, levels: FloatArray, relative_error: FloatArray) -> FloatArray:
        """(series,): of the logarithm of spend, a day; 0 where it is not plainly more than luck.

        It is told by the means that forget soon and late, which are of different ages.
        """
        soon, late = levels[:, 0, 1], levels[:, 0, 2]
        days = np.maximum(self._days.sum(axis=2), 1e-12)
        between = (self._ages[:, 2] / days[:, 2]) - (self._ages[:, 1] / days[:, 1])
        known = (soon > 0) & (late > 0) & (between > _LEAST_BETWEEN_DAYS)
        times = np.where(known, soon, 1.0) / np.where(known, late, 1.0)
        growth = np.log(times) / np.maximum(between, _LEAST_BETWEEN_DAYS)
        luck = relative_error / np.maximum(between, _LEAST_BETWEEN_DAYS)
        plain = np.maximum(1 - np.square(luck / np.where(growth == 0, 1.0, growth)), 0.0)
        return np.asarray(np.clip(growth * plain, -_MOST_GROWTH, _MOST_GROWTH))

    def take_in(self, spend: FloatArray, factor: FloatArray, weekday: int, lives: BoolArray) -> None:
        """One more day; `factor` is its weekday's, and only series that live are changed by it."""
        plain = np.maximum(factor, _LEAST_FACTOR)
        cut = np.minimum(spend, self._top() * plain)
        day = np.where(np.arange(len(self._kept)) < len(_HALF_LIVES), spend[:, None], cut[:, None])
        self._ages = (self._ages + self._days.sum(axis=2)) * self._kept
        self._spend = self._spend * self._kept + day * lives[:, None]
        self._days = self._days * self._kept[:, None]
        self._days[:, :, weekday] += lives[:, None]
        self._weekday_spend *= _WEEKDAY_KEPT
        self._weekday_days *= _WEEKDAY_KEPT
        self._weekday_spend[:, weekday] += spend * lives
        self._weekday_days[:, weekday] += lives
        self._last_week[lives, weekday] = spend[lives]
        self._recent = np.roll(self._recent, -1, axis=1)
        self._recent[:, -1] = np.where(lives, spend / plain, np.nan)

    def _top(self) -> FloatArray:
        """(series,): where a mean day is cut; infinite where the days are too alike, or too few, to tell."""
        median = row_median(self._recent)
        spread = row_median(np.abs(self._recent - median[:, None]))
        return np.where(spread > 0, median + _CUT_SPREADS * spread, np.inf)
