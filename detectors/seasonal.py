"""What a series is expected to spend: a slow level per day times a share per hour of that day.

The share of each hour comes from a seasonal decomposition (STL) where there is enough of a pattern, else from
the mean day; the level is a median of past days, which a burst or a past incident does not move.
"""

from dataclasses import dataclass

import numpy as np
from statsmodels.tsa.seasonal import STL

from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray, FloatArray, IntArray, row_mean, row_median

DAY_HOURS = 24
WEEK_DAYS = 7

_WEEKLY_FROM_DAYS = 21
_MAX_EMPTY_SHARE = 0.7
_FLAT_DAYS = 3.0
"""Weight of a flat day in the mean day, in days."""
_MEAN_WEEKS = 2.0
"""Weight of the mean day in the mean week, in weeks."""
_SAME_WEEKDAY = np.arange(WEEK_DAYS, 8 * WEEK_DAYS + 1, WEEK_DAYS)
"""Days from a day to the same weekday of 8 weeks."""
_FEW_WEEKDAYS = 2
"""With fewer of its weekday before it a day is expected to be like any other."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """How each series spreads a day's spend over its hours."""

    shares: FloatArray
    """Shape (series, 7, 24), Monday first; the 24 shares of a day sum to 1."""
    decomposed: BoolArray
    """Whether a row comes from a seasonal decomposition rather than from the mean day."""


def first_whole_day(days: FloatArray) -> IntArray:
    """Position of the first whole day of each series in (series, days, 24): the day after its first usage.

    A series that has usage in the very first hour existed before and starts at day 0; one without any usage
    starts after the last day.
    """
    used = days.reshape(len(days), -1) != 0
    first_hour = np.where(used.any(axis=1), used.argmax(axis=1), used.shape[1])
    return np.asarray(-(-first_hour // DAY_HOURS))


def fit_shapes(
    days: FloatArray, first_day: IntArray, settings: DetectorSettings, known: Shapes | None = None
) -> Shapes:
    """Shares of each hour of the week from (series, days, 24), Monday's position being 0 modulo 7.

    Decompositions in `known` are kept: only series that had none are decomposed.
    """
    shares = mean_week(days, first_day)
    decomposed = np.zeros(len(days), dtype=bool)
    if known is not None:
        shares[known.decomposed] = known.shares[known.decomposed]
        decomposed |= known.decomposed
    for row in np.flatnonzero(~decomposed & has_pattern(days, first_day, settings)):
        shares[row] = decompose(days[row, first_day[row] :], int(first_day[row]))
        decomposed[row] = True
    return Shapes(shares, decomposed)


def has_pattern(days: FloatArray, first_day: IntArray, settings: DetectorSettings) -> BoolArray:
    """Series old enough and with few enough empty hours for a decomposition to mean something."""
    age = days.shape[1] - first_day
    existing = np.where(np.arange(days.shape[1]) >= first_day[:, None], (days == 0).mean(axis=2), np.nan)
    return np.asarray((age >= settings.weekly_days) & (row_mean(existing) <= _MAX_EMPTY_SHARE))


def decompose(days: FloatArray, first_weekday: int) -> FloatArray:
    """Shares (7, 24) from the periodic part of an STL on a log scale; only the shape is kept.

    The weekly period needs three weeks, before that every weekday has the same shape.
    """
    hours = np.maximum(days.ravel(), 0.0)
    unit = 0.05 * hours.mean()
    if unit <= 0:
        return np.full((WEEK_DAYS, DAY_HOURS), 1 / DAY_HOURS)
    period = WEEK_DAYS * DAY_HOURS if len(days) >= _WEEKLY_FROM_DAYS else DAY_HOURS
    parts = STL(
        np.log1p(hours / unit),
        period=period,
        seasonal=10 * len(hours) + 1,
        seasonal_deg=0,
        seasonal_jump=1,
        trend_jump=25,
        low_pass_jump=17,
    ).fit(inner_iter=2)
    shape = unit * np.expm1(parts.seasonal[:period] + parts.trend.mean())
    week = np.resize(np.maximum(shape, 0.0), (WEEK_DAYS, DAY_HOURS))
    return _shares(np.roll(week, first_weekday % WEEK_DAYS, axis=0))


def mean_week(days: FloatArray, first_day: IntArray) -> FloatArray:
    """Shares (series, 7, 24) from plain means, each without its largest hour, which may be an incident.

    The few days of one weekday count beside the mean day of all of them, and that beside a flat day, so that
    a weekly job shows after some weeks and a young series starts from next to nothing known.
    """
    existing = np.where((np.arange(days.shape[1]) >= first_day[:, None])[..., None], days, np.nan)
    every_day = _mean_without_largest(np.maximum(existing, 0.0))
    smooth = 0.5 * every_day + 0.25 * (np.roll(every_day, 1, axis=1) + np.roll(every_day, -1, axis=1))
    count = np.maximum(days.shape[1] - first_day, 1)[:, None]
    prior = (count * smooth + _FLAT_DAYS * smooth.mean(axis=1, keepdims=True)) / (count + _FLAT_DAYS)
    weekdays = [
        _mean_without_largest(np.maximum(existing[:, day::WEEK_DAYS], 0.0)) for day in range(WEEK_DAYS)
    ]
    weeks = (count / WEEK_DAYS)[..., None]
    return _shares(
        (weeks * np.stack(weekdays, axis=1) + _MEAN_WEEKS * prior[:, None, :]) / (weeks + _MEAN_WEEKS)
    )


def _mean_without_largest(days: FloatArray) -> FloatArray:
    """(series, 24) means over the middle axis; 0 where there is at most one value."""
    if not days.shape[1]:
        return np.zeros((len(days), DAY_HOURS))
    count = (~np.isnan(days)).sum(axis=1)
    total = np.nansum(days, axis=1) - np.nan_to_num(days).max(axis=1)
    return np.asarray(total / np.maximum(count - 1, 1))


def _shares(amounts: FloatArray) -> FloatArray:
    total = amounts.sum(axis=-1, keepdims=True)
    flat = np.full_like(amounts, 1 / amounts.shape[-1])
    return np.asarray(np.divide(amounts, total, out=flat, where=total > 0))


def day_levels(days: FloatArray, first_day: IntArray, ahead: int) -> FloatArray:
    """Expected spend of each day, from the days before it only: (series, days + ahead), NaN while unknown.

    The median of the same weekday in the 8 weeks before; with 2 or 3 of those it is averaged with the median
    of the days of the same type (working day or weekend) of the last 10 days, with fewer it is the median of
    the last 7 days. The days ahead know no more than the last day of history does.
    """
    totals = _totals(days, first_day)
    position = np.arange(totals.shape[1] + ahead)
    known_until = np.minimum(position, totals.shape[1])
    recent = known_until[:, None] - np.arange(1, 11)
    alike = (recent % WEEK_DAYS >= 5) == (position % WEEK_DAYS >= 5)[:, None]
    same_weekday = _at(totals, position[:, None] - _SAME_WEEKDAY)
    count = _count(same_weekday)
    weekday = row_median(same_weekday)
    day_type = row_median(np.where(alike, _at(totals, recent), np.nan))
    week = row_median(_at(totals, recent[:, :7]))
    blend = np.where(np.isnan(day_type), weekday, (count * weekday + (4 - count) * day_type) / 4)
    return np.asarray(np.where(count >= 4, weekday, np.where(count >= _FEW_WEEKDAYS, blend, week)))


def hindsight_levels(days: FloatArray, first_day: IntArray) -> FloatArray:
    """(series, days) like `day_levels`, but a day with few of its weekday before it looks ahead to others.

    The first weekends of a series were expected to be working days. Taken for what it ordinarily loses, they
    would hide every later fall.
    """
    totals, position = _totals(days, first_day), np.arange(days.shape[1])[:, None]
    before, after = (_at(totals, position + sign * _SAME_WEEKDAY) for sign in (-1, 1))
    others = np.concatenate([before, after], axis=2)
    told = (_count(before) < _FEW_WEEKDAYS) & (_count(others) >= _FEW_WEEKDAYS) & ~np.isnan(totals)
    return np.asarray(np.where(told, row_median(others), day_levels(days, first_day, 0)))


def _totals(days: FloatArray, first_day: IntArray) -> FloatArray:
    """(series, days), NaN before the first whole day."""
    return np.where(np.arange(days.shape[1]) >= first_day[:, None], days.sum(axis=2), np.nan)


def _count(values: FloatArray) -> IntArray:
    return np.asarray((~np.isnan(values)).sum(axis=-1))


def _at(totals: FloatArray, positions: IntArray) -> FloatArray:
    """Totals of the days at `positions` (any shape), NaN before the first day and after the last."""
    last = totals.shape[1] - 1
    known = (positions >= 0) & (positions <= last)
    return np.asarray(np.where(known, totals[:, np.clip(positions, 0, last)], np.nan))
