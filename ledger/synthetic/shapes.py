"""How traffic is spread over the hours: daily, weekly and monthly shapes in local time, and noise."""

from typing import Literal, assert_never

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Hours = npt.NDArray[np.int64]
"""Hours since 1970-01-01T00:00 UTC."""

Rhythm = Literal[
    "office", "consumer", "service", "nightly", "month_start", "intermittent", "developer", "idle"
]

_MONDAY_OFFSET_DAYS = 3
"""1970-01-01 was a Thursday: (day + 3) mod 7 is 0 on Mondays."""

_PERSISTENCE = 0.6 ** np.arange(8)
"""Noise of neighbouring hours is alike: weights of a moving average that dies off within 8 hours."""


def shape(rhythm: Rhythm, hours: Hours, *, utc_offset_hours: int, rng: np.random.Generator) -> Floats:
    """Relative traffic of each hour; the mean over `hours` is 1, or 0 where the rhythm never sounds."""
    curve = _curve(rhythm, hours + utc_offset_hours, rng)
    mean = curve.mean()
    return curve / mean if mean > 0 else curve


def noise_factors(workloads: int, hours: int, *, sigma: float, rng: np.random.Generator) -> Floats:
    """Log-normal factors around 1, one row per workload, each hour like the ones before it."""
    lag = len(_PERSISTENCE) - 1
    white = rng.standard_normal((workloads, hours + lag))
    weights = _PERSISTENCE / np.sqrt(np.square(_PERSISTENCE).sum())
    persistent = sum(w * white[:, lag - i : lag - i + hours] for i, w in enumerate(weights))
    return np.asarray(np.exp(sigma * persistent - sigma**2 / 2), dtype=np.float64)


def _curve(rhythm: Rhythm, local: Hours, rng: np.random.Generator) -> Floats:
    hour, weekday = local % 24, (local // 24 + _MONDAY_OFFSET_DAYS) % 7
    match rhythm:
        case "office":
            return _office(hour, weekday)
        case "consumer":
            return _consumer(hour, weekday)
        case "service":
            return _service(hour, weekday)
        case "nightly":
            return _nightly(hour, weekday)
        case "month_start":
            return _month_start(local, hour)
        case "intermittent" | "developer" | "idle":
            return _irregular(rhythm, local, rng)
        case _:
            assert_never(rhythm)


def _irregular(
    rhythm: Literal["intermittent", "developer", "idle"], local: Hours, rng: np.random.Generator
) -> Floats:
    hour, weekday = local % 24, (local // 24 + _MONDAY_OFFSET_DAYS) % 7
    match rhythm:
        case "intermittent":
            return _sessions(hour, rng)
        case "developer":
            return _office(hour, weekday) * _busy_days(local, rng)
        case "idle":
            return np.asarray(rng.random(len(local)) < 0.01, dtype=np.float64)
        case _:
            assert_never(rhythm)


def _bump(hour: Hours, centre: float, width: float) -> Floats:
    """A bell on the clock: hours wrap at midnight."""
    distance = np.abs((hour - centre + 12) % 24 - 12)
    return np.asarray(np.exp(-0.5 * np.square(distance / width)), dtype=np.float64)


def _office(hour: Hours, weekday: Hours) -> Floats:
    """Two humps around lunch, a thin evening, one tenth of it at weekends."""
    day = 0.06 + _bump(hour, 10.5, 1.8) + 0.9 * _bump(hour, 15, 2.2)
    return np.asarray(day * np.where(weekday >= 5, 0.1, np.where(weekday == 4, 0.85, 1.0)), dtype=np.float64)


def _consumer(hour: Hours, weekday: Hours) -> Floats:
    """Lunch and evening, more at weekends."""
    day = 0.15 + 0.6 * _bump(hour, 12.5, 3) + _bump(hour, 20, 2.5)
    return np.asarray(day * np.where(weekday >= 5, 1.2, 1.0), dtype=np.float64)


def _service(hour: Hours, weekday: Hours) -> Floats:
    """Machines calling machines: little difference between day and night."""
    day = 0.75 + 0.25 * _bump(hour, 15, 5)
    return np.asarray(day * np.where(weekday >= 5, 0.85, 1.0), dtype=np.float64)


def _nightly(hour: Hours, weekday: Hours) -> Floats:
    """One batch a night, done by five; none on Sundays."""
    runs = (hour >= 1) & (hour <= 4) & (weekday < 6)
    return np.where(runs, 1.0 - 0.15 * (hour - 1), 0.0)


def _busy_days(local: Hours, rng: np.random.Generator) -> Floats:
    """1 on the four days of five that somebody works on it, else 0."""
    day = local // 24 - local[0] // 24
    return np.asarray((rng.random(int(day[-1]) + 1) < 0.8)[day], dtype=np.float64)


def _month_start(local: Hours, hour: Hours) -> Floats:
    """Reports on the first two days of a month, and a short check run every Monday morning."""
    day = (local // 24).astype("datetime64[D]")
    day_of_month = (day - day.astype("datetime64[M]")).astype(np.int64) + 1
    weekday = (local // 24 + _MONDAY_OFFSET_DAYS) % 7
    closing = (day_of_month <= 2) & (hour >= 2) & (hour <= 9)
    checking = (weekday == 0) & (hour >= 5) & (hour <= 6)
    return np.asarray(closing * 1.0 + checking * 0.3, dtype=np.float64)


def _sessions(hour: Hours, rng: np.random.Generator) -> Floats:
    """Runs of 1 to 6 hours that begin at random, rarely at night; about 70 % of hours are empty."""
    starts = rng.random(len(hour)) < np.where((hour >= 7) & (hour <= 21), 0.12, 0.03)
    curve = np.zeros(len(hour))
    for start in np.flatnonzero(starts):
        curve[start : start + int(rng.integers(1, 7))] = rng.lognormal(0, 0.5)
    return curve
