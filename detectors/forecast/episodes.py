"""Hours that are known not to be ordinary: kept out of what is learnt, and added where they are to go on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.seasonal import DAY_HOURS, WEEK_DAYS
from detectors.statistics import FloatArray, row_median

_WEEK_HOURS = WEEK_DAYS * DAY_HOURS
_MOST_LEFT_OUT_HOURS = 14 * DAY_HOURS
"""As in detection, what lasts longer is the new ordinary."""


@dataclass(frozen=True, slots=True)
class Episode:
    """An incident that is over, or something planned; hours are columns of the history, half-open."""

    row: int
    start: int
    """May lie before the first hour."""
    end: int
    """Beyond the history: it is planned to go on until then."""


def ordinary_hours(hours: FloatArray, episodes: Sequence[Episode]) -> FloatArray:
    """(series, hours) with each episode's hours as they usually are.

    That is the median of the same hour of the other weeks, of the other days where there are none; an hour
    of which there is no other stays as it is.
    """
    inside = np.zeros(hours.shape, dtype=bool)
    for episode in episodes:
        start = max(episode.start, 0)
        end = min(episode.end, episode.start + _MOST_LEFT_OUT_HOURS)
        inside[episode.row, start : max(end, start)] = True
    rows = np.flatnonzero(inside.any(axis=1))
    free = np.where(inside[rows], np.nan, hours[rows])
    weekly, daily = (_usual(free, period) for period in (_WEEK_HOURS, DAY_HOURS))
    usual = np.where(np.isnan(weekly), daily, weekly)
    ordinary = hours.copy()
    ordinary[rows] = np.where(inside[rows] & ~np.isnan(usual), usual, hours[rows])
    return ordinary


def _usual(free: FloatArray, period: int) -> FloatArray:
    """(series, hours): the median of the hours whole periods away; NaN where none is known."""
    cycles = -(-free.shape[1] // period)
    whole = np.full((len(free), cycles * period), np.nan)
    whole[:, : free.shape[1]] = free
    median = row_median(whole.reshape(len(free), cycles, period).swapaxes(1, 2))
    return np.asarray(np.tile(median, cycles)[:, : free.shape[1]])


def going_on(
    hours: FloatArray, ordinary: FloatArray, episodes: Sequence[Episode], day_ends: FloatArray
) -> FloatArray:
    """(series, days ahead): what episodes under way will have added by the end of each day ahead.

    `day_ends` are hours after the last known one. Until its end an episode adds each hour what it has added
    on average so far; one that has not begun adds nothing, as nobody knows how much it will be.
    """
    added = np.zeros((len(hours), len(day_ends)))
    now = hours.shape[1]
    for episode in episodes:
        start = max(episode.start, 0)
        if start < now < episode.end:
            excess = (hours[episode.row, start:] - ordinary[episode.row, start:]).mean()
            added[episode.row] += excess * np.minimum(day_ends, episode.end - now)
    return added
