"""What would have been forecast at every midnight of a history, each from the days before it only."""

from dataclasses import dataclass

import numpy as np

from detectors.forecast.errors import JUDGED_DAYS, Errors
from detectors.forecast.memory import GUESSES, Memory
from detectors.seasonal import WEEK_DAYS
from detectors.statistics import FloatArray, IntArray

_GROWTH = (0.4, 1.0)
"""Least and largest power by which errors grow with the days ahead: less than independent, and in step."""
_GROWTH_KEPT = 0.97
"""What is left of the growth of one day on the next."""
_LEVEL_AGE_DAYS = 7.0
"""How old the level is on average, being a mean of past days."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Known at each midnight: the first of the history to the one after its last day."""

    first_weekday: int
    """Of the first day; Monday is 0."""
    level: FloatArray
    """(series, days + 1): expected spend of a mean day."""
    factors: FloatArray
    """(series, days + 1, 7): spend of each weekday by that of a mean day, Monday first."""
    growth: FloatArray
    """(series, days + 1): of the logarithm of spend, a day."""
    day_error: FloatArray
    """(series, days + 1): what a forecast of one day is ordinarily off by."""
    week_error: FloatArray
    """(series, days + 1): the same of the sum of a week."""

    def daily(self, days: int) -> FloatArray:
        """(series, days + 1, days ahead): expected spend of each day after each midnight."""
        weekday = self.first_weekday + np.arange(self.level.shape[1])[:, None] + np.arange(days)
        flat = self.level[..., None] * np.take_along_axis(self.factors, weekday[None] % WEEK_DAYS, axis=2)
        return np.asarray(flat * _grown(self.growth, days))

    def errors(self, days: FloatArray) -> FloatArray:
        """(series, days + 1, days ahead): what a forecast of the sum of so many days is ordinarily off by."""
        known = (self.day_error > 0) & (self.week_error > 0)
        times = np.where(known, self.week_error, 1.0) / np.where(known, self.day_error, 1.0)
        growth = np.clip(np.log(times) / np.log(WEEK_DAYS), *_GROWTH)
        return np.asarray(self.day_error[..., None] * days ** growth[..., None])


def _grown(growth: FloatArray, days: int) -> FloatArray:
    """What growth makes of each day ahead: it dies down, and has gone on since the level was learnt."""
    steps = np.cumsum(_GROWTH_KEPT ** np.arange(days))
    return np.asarray(np.exp(growth[..., None] * (_LEVEL_AGE_DAYS + steps)))


def walk(totals: FloatArray, first_day: IntArray, first_weekday: int) -> Walk:
    """Walk through (series, days) of daily spend; a series counts from `first_day` on."""
    series, days = totals.shape
    memory, errors = Memory(series), Errors(series)
    guesses = np.zeros((series, days + 1, GUESSES, WEEK_DAYS))
    level, growth, day_error, week_error = np.zeros((4, series, days + 1))
    known = Walk(first_weekday, level, np.ones((series, days + 1, WEEK_DAYS)), growth, day_error, week_error)
    for day in range(days + 1):
        if day:
            _look_back(errors, known, guesses, totals[:, :day], first_day)
            weekday = (first_weekday + day - 1) % WEEK_DAYS
            factor = known.factors[:, day - 1, weekday]
            memory.take_in(totals[:, day - 1], factor, weekday, first_day < day)
        patterns = memory.factors()
        levels = memory.levels(patterns)
        guesses[:, day] = memory.weeks(patterns, levels)
        week = errors.weighed(guesses[:, day])
        level[:, day] = week.mean(axis=1)
        known.factors[:, day] = week / np.maximum(level[:, day], 1e-12)[:, None]
        day_error[:, day] = errors.of_day(level[:, day])
        week_error[:, day] = errors.of_week(day_error[:, day])
        relative = week_error[:, day] / WEEK_DAYS / np.maximum(level[:, day], 1e-12)
        growth[:, day] = memory.growth(levels, relative)
    return known


def _look_back(
    errors: Errors, known: Walk, guesses: FloatArray, totals: FloatArray, first_day: IntArray
) -> None:
    """Hold what was foretold of the days that ended with the last of `totals` against them."""
    errors.fade()
    today = totals.shape[1]
    for length in JUDGED_DAYS:
        start = today - length
        if start < 1:
            continue
        weekday = (known.first_weekday + start + np.arange(length)) % WEEK_DAYS
        spent, counts = totals[:, start:].sum(axis=1), first_day < start
        errors.judge_guesses(guesses[:, start][..., weekday].sum(axis=2), spent, length, counts)
        grown = _grown(known.growth[:, start], length)
        told = known.level[:, start] * (known.factors[:, start][:, weekday] * grown).sum(axis=1)
        if length == 1:
            errors.judge_day(told, spent, counts)
        if length == WEEK_DAYS:
            errors.judge_week(told, spent, counts)
