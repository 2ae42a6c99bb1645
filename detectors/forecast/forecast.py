"""Spend of each series from now to the end of each UTC day ahead: hours in, a forecast with interval out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.forecast.episodes import Episode, going_on, ordinary_hours
from detectors.forecast.interval import error_unit, past_scores, tail_scores
from detectors.forecast.walk import Walk, walk
from detectors.model import check_matrix
from detectors.seasonal import DAY_HOURS, WEEK_DAYS, first_whole_day
from detectors.statistics import FloatArray, IntArray
from ledger.errors import RefusedError

MOST_DAYS_AHEAD = 31
"""Further than to the end of a month nothing was measured."""
YOUNG_DAYS = 14
"""With fewer whole days the interval is mostly other series' errors, and wide."""
_ALL_DAYS = 1.0
"""Weight of the mean day in the shape of a weekday, in days, ..."""
_FLAT_DAYS = 0.3
"""... and of a day without a shape."""
_BLOCK_SERIES = 256
"""Series forecast at once: memory does not grow with their number."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Spend from the end of the history to the end of each day ahead, today's rest first; NaN: not known."""

    mid: FloatArray
    """(series, days ahead); what is expected."""
    low: FloatArray
    """One in ten ends below."""
    high: FloatArray
    """One in ten ends above."""
    age_days: IntArray
    """(series,): whole days of history."""
    past: IntArray
    """(series,): past forecasts of the whole span that the interval was learnt from."""


def forecast(
    hours: FloatArray, first_weekday: int, days_ahead: int, episodes: Sequence[Episode] = ()
) -> Forecast:
    """Forecast (series, hours), which begin at 00:00 UTC of `first_weekday` and end with the last whole hour.

    The first of the days ahead is what is left of today, a whole day where the history ends at midnight. A
    series without one whole day of history is not forecast. Raises RefusedError for anything but numbers,
    and for a span of more than 31 days.
    """
    check_matrix(hours)
    if not 1 <= days_ahead <= MOST_DAYS_AHEAD:
        raise RefusedError(f"{days_ahead} days ahead; from 1 to {MOST_DAYS_AHEAD} days are forecast")
    if not len(hours):
        nothing = np.zeros((0, days_ahead))
        return Forecast(nothing, nothing, nothing, np.zeros(0, np.int64), np.zeros(0, np.int64))
    blocks = [
        _block(hours[start : start + _BLOCK_SERIES], first_weekday, days_ahead, _of_rows(episodes, start))
        for start in range(0, len(hours), _BLOCK_SERIES)
    ]
    return Forecast(
        mid=np.concatenate([block.mid for block in blocks]),
        low=np.concatenate([block.low for block in blocks]),
        high=np.concatenate([block.high for block in blocks]),
        age_days=np.concatenate([block.age_days for block in blocks]),
        past=np.concatenate([block.past for block in blocks]),
    )


def _of_rows(episodes: Sequence[Episode], start: int) -> list[Episode]:
    return [
        Episode(episode.row - start, episode.start, episode.end)
        for episode in episodes
        if start <= episode.row < start + _BLOCK_SERIES
    ]


def _block(hours: FloatArray, first_weekday: int, days_ahead: int, episodes: Sequence[Episode]) -> Forecast:
    ordinary = ordinary_hours(hours, episodes)
    whole, gone = divmod(hours.shape[1], DAY_HOURS)
    days = ordinary[:, : whole * DAY_HOURS].reshape(len(hours), whole, DAY_HOURS)
    first_day = np.minimum(first_whole_day(days), whole) if whole else np.zeros(len(hours), dtype=np.int64)
    totals = days.sum(axis=2)
    known = walk(totals, first_day, first_weekday)
    span = _Span(days_ahead, gone, left=_left_of_day(days, gone))
    mid = span.cumulated(known)
    low, high, past = _bounds(known, totals, first_day, span)
    added = going_on(hours, ordinary, episodes, DAY_HOURS * np.arange(1.0, days_ahead + 1) - gone)
    unknown = (whole - first_day < 1)[:, None] & (hours != 0).any(axis=1, keepdims=True)

    def told(amount: FloatArray) -> FloatArray:
        return np.where(unknown, np.nan, np.maximum(amount + added, 0.0))

    return Forecast(
        mid=told(mid),
        low=told(_never_less(np.clip(mid + low, 0.0, mid))),
        high=told(_never_less(np.maximum(mid + high, mid))),
        age_days=np.asarray(whole - first_day),
        past=past,
    )


@dataclass(frozen=True, slots=True)
class _Span:
    """The days ahead, of which the first may be under way."""

    days: int
    gone_hours: int
    left: FloatArray
    """(series,): the share of today's spend that is ordinarily still to come."""

    def cumulated(self, known: Walk) -> FloatArray:
        """(series, days ahead)."""
        daily = known.daily(self.days)[:, -1]
        daily[:, 0] *= self.left
        return np.cumsum(daily, axis=1)

    @property
    def lengths(self) -> FloatArray:
        """In days."""
        return np.arange(1.0, self.days + 1) - self.gone_hours / DAY_HOURS


def _left_of_day(days: FloatArray, gone: int) -> FloatArray:
    """What of a day like today came after so many hours: in its own weekdays, and a little in all days."""
    if not gone or not days.shape[1]:
        return np.full(len(days), 1 - gone / DAY_HOURS)
    same = np.arange(days.shape[1]) % WEEK_DAYS == days.shape[1] % WEEK_DAYS
    mean_day = days.mean(axis=1)
    alike = days[:, same].sum(axis=1) + _ALL_DAYS * mean_day
    flat = _FLAT_DAYS * mean_day.mean(axis=1, keepdims=True)
    total = (alike + flat).sum(axis=1)
    left = (alike + flat)[:, gone:].sum(axis=1)
    return np.asarray(np.divide(left, total, out=np.full(len(days), 1 - gone / DAY_HOURS), where=total > 0))


def _bounds(
    known: Walk, totals: FloatArray, first_day: IntArray, span: _Span
) -> tuple[FloatArray, FloatArray, IntArray]:
    """What lies between the expectation and the ends of the interval, below and above it."""
    errors = known.errors(span.lengths)[:, -1]
    low, high = np.zeros((2, len(totals), span.days))
    past = np.zeros(len(totals), dtype=np.int64)
    age = totals.shape[1] - first_day
    for ahead, length in enumerate(span.lengths):
        own = past_scores(known, totals, first_day, ahead + 1)
        unit = error_unit(errors[:, ahead], length, age)
        bounds = tail_scores(own, ahead + 1)
        low[:, ahead], high[:, ahead] = (bound * unit for bound in bounds)
        past = np.asarray((~np.isnan(own)).sum(axis=1))
    return low, high, past


def _never_less(cumulated: FloatArray) -> FloatArray:
    return np.maximum.accumulate(cumulated, axis=1)
