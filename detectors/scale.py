"""How far a series strays from its expectation in ordinary times, per window of hours and hour of day."""

from dataclasses import dataclass

import numpy as np

from detectors.seasonal import DAY_HOURS
from detectors.statistics import FloatArray, IntArray, rolling_sum, row_mean, row_quantiles

WINDOWS = (1, 3, 6, 24)
DROP_WINDOWS = (3, 6)

_PRIOR_DAYS = 7.0
_POOL_FROM_DAYS = 14
_PRIOR_SERIES = 10.0
"""Weight of the built-in prior in the pooled one, so that a handful of series does not decide it alone."""
_BUILT_IN_PRIOR = (0.55, 0.5, 0.7, 0.5)
"""Median over development series of scale / (window hours x mean hourly spend x burstiness)."""
_BURSTINESS = 0.8
"""Scales grow with the inverse share of used hours to this power."""
_LEAST_USED = 0.02
_LONGEST_BY_HOUR = 3
_DROP_SHARE = 0.35


@dataclass(frozen=True, slots=True)
class Calibration:
    """Ordinary deviations of each series."""

    scale: FloatArray
    """Shape (series, windows, 24): one sigma of the summed deviation, by the window's last hour of day."""
    hourly_mean: FloatArray
    drop_limit: FloatArray
    """Shape (series, drop windows): the share of expected spend that ordinarily goes missing; 1 if all."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What each series shows of itself, before it is compared with the others."""

    own_scale: FloatArray
    """Shape (series, windows, 24)."""
    hourly_mean: FloatArray
    used_share: FloatArray
    """Of its hours, at least 0.02."""
    days: IntArray
    """Days with an expectation."""
    drop_limit: FloatArray


def measure(actual: FloatArray, expected: FloatArray, hindsight: FloatArray | None = None) -> Measured:
    """Learn from (series, days, 24) of past hours; days without expectation are NaN in `expected`.

    What ordinarily goes missing is measured against `hindsight`, where that is given.
    """
    due = (expected if hindsight is None else hindsight).reshape(len(actual), -1)
    known = ~np.isnan(expected)
    hours = np.where(known, actual, np.nan).reshape(len(actual), -1)
    hourly_mean = np.maximum(row_mean(hours), 0.0)
    used = np.clip(row_mean(np.where(np.isnan(hours), np.nan, hours != 0)), _LEAST_USED, 1.0)
    deviation = hours - expected.reshape(len(actual), -1)
    return Measured(
        own_scale=np.stack([window_scale(deviation, window) for window in WINDOWS], axis=1),
        hourly_mean=hourly_mean,
        used_share=used,
        days=known.all(axis=2).sum(axis=1),
        drop_limit=drop_limits(actual.reshape(len(actual), -1), due, hourly_mean),
    )


def calibrate(measured: Measured, floor: float) -> Calibration:
    """Scales drawn to what is usual among all the series.

    `floor` is the least one-hour scale; it keeps a series that stood at zero from scoring cents.
    """
    unit = np.asarray(WINDOWS) * measured.hourly_mean[:, None]
    usual = unit * measured.used_share[:, None] ** -_BURSTINESS
    scale = shrink(measured.own_scale, usual, measured.days) + 0.02 * unit[..., None]
    return Calibration(
        scale=np.maximum(scale, floor * np.sqrt(np.asarray(WINDOWS))[:, None]),
        hourly_mean=measured.hourly_mean,
        drop_limit=measured.drop_limit,
    )


def window_scale(deviation: FloatArray, window: int) -> FloatArray:
    """(series, 24) scale of the deviation summed over `window` hours, heavy tails included.

    Short windows lean on the spread at the same hour of day (the larger of it and its neighbours').
    """
    size = np.abs(np.where(np.isnan(deviation), np.nan, rolling_sum(deviation, window)))
    middle, tail = row_quantiles(size, 0.5, 0.99)
    overall = np.nan_to_num(np.maximum(1.4826 * middle, tail / 2.576))[:, None]
    if window > _LONGEST_BY_HOUR:
        return np.repeat(overall, DAY_HOURS, axis=1)
    by_hour = size.reshape(len(size), -1, DAY_HOURS).swapaxes(1, 2)
    (spread,) = row_quantiles(by_hour, 0.9)
    around = np.max([np.roll(spread, shift, axis=1) for shift in (-1, 0, 1)], axis=0)
    return np.asarray(0.1 * overall + 0.9 * np.nan_to_num(around) / 1.645)


def shrink(own: FloatArray, usual: FloatArray, days: IntArray) -> FloatArray:
    """Draw scales learnt from few days to what is usual for such a series; never to less than its own.

    `own` is (series, windows, 24), `usual` (series, windows) up to a factor per window: the pooled median.
    """
    prior = np.asarray(_BUILT_IN_PRIOR)
    pool = (days >= _POOL_FROM_DAYS) & (usual[:, 0] > 0)
    if pool.any():
        pooled = np.median(own[pool].mean(axis=2) / usual[pool], axis=0)
        prior = (pool.sum() * pooled + _PRIOR_SERIES * prior) / (pool.sum() + _PRIOR_SERIES)
    n = days[:, None, None]
    at_least = np.maximum(own, (prior * usual)[..., None])
    return np.asarray((n * own + _PRIOR_DAYS * at_least) / (n + _PRIOR_DAYS))


def missing_share(
    actual: FloatArray, expected: FloatArray, hourly_mean: FloatArray, window: int
) -> FloatArray:
    """Share of the spend expected in `window` hours that did not come; NaN where little was expected."""
    due = rolling_sum(expected, window)
    enough = due > _DROP_SHARE * window * hourly_mean[:, None]
    came = rolling_sum(actual, window)
    share = 1 - np.divide(came, due, out=np.zeros_like(due), where=enough & (due > 0))
    return np.asarray(np.where(enough & (due > 0), share, np.nan))


def drop_limits(hours: FloatArray, expected: FloatArray, hourly_mean: FloatArray) -> FloatArray:
    shares = [missing_share(hours, expected, hourly_mean, window) for window in DROP_WINDOWS]
    limits = np.stack([row_quantiles(share, 0.995)[0] for share in shares], axis=1)
    return np.asarray(np.nan_to_num(limits, nan=1.0))
