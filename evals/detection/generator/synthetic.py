"""Smooth series made from a weekly pattern: offices, offices with a nightly batch, round the clock, flat."""

import numpy as np

from detectors.statistics import FloatArray
from evals.detection.generator.calendar import Calendar
from evals.detection.generator.noise import HOURS_PER_DAY, autoregression, daily_level

HOURS_OF_WEEK = 7 * HOURS_PER_DAY
NIGHT_BATCH = slice(1, 4)
"""Hours of the day of a nightly batch."""
MONTH_BATCH = slice(2, 6)


def smooth_series(rng: np.random.Generator, calendar: Calendar) -> FloatArray:
    """Shape (hours,), about 1 on average: pattern, drift, holidays, a clock change, batches and bursts."""
    pattern = rng.choice(4, p=(0.35, 0.2, 0.25, 0.2))
    week = (_office, _office_with_batch, _round_the_clock, _flat)[pattern](rng)
    usd = week[calendar.hour_of_week(shifted_from=_clock_change(rng, calendar), by=int(rng.choice((-1, 1))))]
    usd = usd * daily_level(rng, calendar.days, deviation=rng.uniform(0.03, 0.07))
    usd = usd * calendar.holidays(rng) * _noise(rng, calendar.hours)
    return np.asarray(usd + _month_batches(rng, calendar))


def _clock_change(rng: np.random.Generator, calendar: Calendar) -> int:
    """The hour from which the clock is shifted; one in three series never sees it."""
    if rng.random() < 1 / 3:
        return calendar.hours
    return int(rng.integers(20, max(21, calendar.days - 5))) * HOURS_PER_DAY


def _office(rng: np.random.Generator) -> FloatArray:
    hour = np.arange(HOURS_PER_DAY)
    angle = 2 * np.pi * (hour - rng.uniform(9, 15)) / HOURS_PER_DAY
    day = rng.uniform(0.02, 0.05) + np.exp(rng.uniform(1.1, 1.8) * (np.cos(angle) - 1))
    return _week(day, rng.uniform(0.12, 0.35))


def _office_with_batch(rng: np.random.Generator) -> FloatArray:
    week = _office(rng)
    week.reshape(7, HOURS_PER_DAY)[:, NIGHT_BATCH] += rng.uniform(1.5, 2.2)
    return np.asarray(week / week.mean())


def _round_the_clock(rng: np.random.Generator) -> FloatArray:
    angle = 2 * np.pi * (np.arange(HOURS_PER_DAY) - rng.uniform(10, 14)) / HOURS_PER_DAY
    day = 1 + rng.uniform(0.25, 0.42) * np.cos(angle) + rng.uniform(0.05, 0.15) * np.cos(2 * angle + 0.6)
    return _week(day, rng.uniform(0.82, 1.03))


def _flat(rng: np.random.Generator) -> FloatArray:
    angle = 2 * np.pi * (np.arange(HOURS_PER_DAY) - rng.uniform(9, 16)) / HOURS_PER_DAY
    return _week(1 + rng.uniform(0.0, 0.08) * np.cos(angle), rng.uniform(0.97, 1.02))


def _week(day: FloatArray, weekend: float) -> FloatArray:
    """Shape (168,), mean 1, Monday first."""
    week = np.concatenate([np.tile(day, 5), np.tile(day * weekend, 2)])
    return np.asarray(week / week.mean())


def _noise(rng: np.random.Generator, hours: int) -> FloatArray:
    """Log-normal, correlated from hour to hour, with single hours of up to a threefold burst."""
    walk = autoregression(rng, hours, memory=rng.uniform(0, 0.6), deviation=rng.uniform(0.07, 0.28))
    bursts = rng.random(hours) < rng.uniform(0, 5) / 1440
    return np.asarray(np.exp(walk) * np.where(bursts, rng.uniform(1.6, 2.8, hours), 1.0))


def _month_batches(rng: np.random.Generator, calendar: Calendar) -> FloatArray:
    """USD added at the start of each month, for three series in ten."""
    added = np.zeros(calendar.hours)
    if rng.random() > 0.3:
        return added
    size = rng.uniform(0.5, 3.0)
    for day in calendar.days_of_month(int(rng.integers(1, 5))):
        hours = added[day * HOURS_PER_DAY :][MONTH_BATCH]
        hours += size * np.exp(0.3 * rng.standard_normal(hours.size))
    return added
