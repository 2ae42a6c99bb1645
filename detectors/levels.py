"""The level series stood at before and after an hour, and their history moved from the one to the other."""

from dataclasses import dataclass

import numpy as np

from detectors.statistics import BoolArray, FloatArray, row_mean, row_median, row_quantiles
from ledger.window import WEEK_HOURS

_DAY_HOURS = 24
_WEEKS = 4
_DAYS = 7
_LEAST_TIMES, _MOST_TIMES = 0.01, 20.0
"""What fell to nothing keeps a trace, and so its age; what rose by more was next to nothing before."""
_STEADY = 2.0
"""The dearest of a steady series' weeks costs at most so many times the cheapest."""
_SMALL = 0.05
"""An unsteady series that changed by less, as a share of the largest change, did so by chance."""


@dataclass(frozen=True, slots=True)
class LevelShift:
    """Spend in the hours of the new level, and usual spend in the same hours before; shape (series,)."""

    usual: FloatArray
    since: FloatArray
    steady: BoolArray
    """Whether the series spent alike in each of the weeks, or days, that tell what is usual."""

    @property
    def moved(self) -> BoolArray:
        """Series whose level changed, rather than their luck."""
        change = np.abs(self.since - self.usual)
        enough = self.steady | (change >= _SMALL * change.max(initial=0.0))
        return np.asarray(enough & (change > 0))

    @property
    def times(self) -> FloatArray:
        """The new level by the old one; infinite where there was none."""
        new = np.full(len(self.usual), np.inf)
        return np.asarray(np.divide(self.since, self.usual, out=new, where=self.usual > 0))


def level_shift(values: FloatArray, first: int, level: slice) -> LevelShift:
    """Compare (series, hours) in the columns of `level`, a week at most, with those before column `first`.

    The usual is the median of the same hours of the week in the 4 weeks before; while there is none, of the
    same hours of the day in the 7 days before. It is 0 for a series that began too late for either.
    """
    weeks = _sums_before(values, first, level, WEEK_HOURS, _WEEKS)
    days = _sums_before(values, first, level, _DAY_HOURS, _DAYS)
    short = np.isnan(weeks).all(axis=1)
    return LevelShift(
        usual=np.nan_to_num(np.where(short, row_median(days), row_median(weeks))),
        since=values[:, level].sum(axis=1),
        steady=np.where(short, _is_steady(days), _is_steady(weeks)),
    )


def lifted_history(values: FloatArray, first: int, level: slice) -> FloatArray:
    """(series, first): the hours before column `first` as they would have been at the level.

    Each is multiplied by what the level is of the usual. Where that was nothing, or next to it, the mean of
    the hour of the day at the level stands in its place, from 7 days of it on the hour of the week. A series
    whose level did not move keeps its history.
    """
    shift = level_shift(values, first, level)
    history = values[:, :first]
    scaled = history * np.clip(shift.times, _LEAST_TIMES, _MOST_TIMES)[:, None]
    new = shift.times > _MOST_TIMES
    lifted = np.where(new[:, None], _repeated_back(values[:, level], level.start, first), scaled)
    return np.asarray(np.where(shift.moved[:, None], lifted, history))


def _sums_before(values: FloatArray, first: int, level: slice, period: int, most: int) -> FloatArray:
    """(series, most): spend in the hours of the level so many periods earlier, before column `first`.

    NaN where the series had not begun.
    """
    used = values[:, :first] != 0
    began = np.where(used.any(axis=1), used.argmax(axis=1), first)
    sums = np.full((len(values), most), np.nan)
    nearest = -(-(level.stop - first) // period)
    for column, periods in enumerate(range(nearest, nearest + most)):
        start = level.start - periods * period
        if start >= 0:
            spend = values[:, start : level.stop - periods * period].sum(axis=1)
            sums[:, column] = np.where(began <= start, spend, np.nan)
    return sums


def _is_steady(sums: FloatArray) -> BoolArray:
    low, high = row_quantiles(sums, 0.0, 1.0)
    return np.asarray((low > 0) & (high <= _STEADY * low))


def _repeated_back(hours: FloatArray, start: int, first: int) -> FloatArray:
    """(series, first): the mean day of (series, hours), or mean week, repeated over the hours before.

    `start` is the column the hours begin at.
    """
    period = WEEK_HOURS if hours.shape[1] >= WEEK_HOURS else _DAY_HOURS
    cycles = -(-hours.shape[1] // period)
    whole = np.full((len(hours), cycles * period), np.nan)
    whole[:, : hours.shape[1]] = hours
    cycle = row_mean(whole.reshape(len(hours), cycles, period).swapaxes(1, 2))
    return np.asarray(cycle[:, (np.arange(first) - start) % period])
