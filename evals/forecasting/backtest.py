"""Forecasts from past moments held against what came, for each series, moment and length."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from detectors.forecast.forecast import MOST_DAYS_AHEAD, forecast
from detectors.forecast.interval import LEAST_AGE_DAYS
from detectors.statistics import BoolArray, FloatArray
from evals.forecasting.rivals import RIVALS
from evals.forecasting.sets import HourlySet

LENGTHS = (1, 3, 7, 14, 28)
MONTH_END = 0
"""In the place of a length: to the end of the calendar month."""
ORIGIN_HOURS = (0, 9, 17)
"""Hours of the day that forecasts are made at, in turn."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """All forecasts of one length in one set; each array has one value a forecast."""

    inside: BoolArray
    below: BoolArray
    width: FloatArray
    """Of the interval, by the expectation."""
    error: FloatArray
    """In mean days of the series, a day."""
    rivals: dict[str, FloatArray]
    """The same of the other forecasts."""
    week_known: BoolArray
    """With 7 whole days of history or more."""


def backtest(one: HourlySet, every_days: int = 1) -> dict[int, list[Outcomes]]:
    """Outcomes by length, from the third day on; series that have not spent yet are not counted."""
    found: dict[int, list[Outcomes]] = {}
    for number, day in enumerate(range(LEAST_AGE_DAYS, one.days, every_days)):
        origin = day * 24 + ORIGIN_HOURS[number % len(ORIGIN_HOURS)]
        for length, outcomes in _from_origin(one, origin):
            found.setdefault(length, []).append(outcomes)
    return found


def _from_origin(one: HourlySet, origin: int) -> Iterator[tuple[int, Outcomes]]:
    history = one.hours[:, :origin]
    began = np.where((history != 0).any(axis=1), (history != 0).argmax(axis=1), origin)
    rows = np.flatnonzero(origin // 24 - -(-began // 24) >= LEAST_AGE_DAYS)
    most = min(MOST_DAYS_AHEAD, one.days - origin // 24)
    if not len(rows):
        return
    told = forecast(history[rows], one.start_at.weekday(), most)
    ahead = np.asarray(np.arange(1, most + 1) * 24.0 - origin % 24, dtype=np.float64)
    rivals = {name: rival(history[rows], ahead) for name, rival in RIVALS.items()}
    came = np.cumsum(one.hours[rows, origin:], axis=1)[:, ahead.astype(np.int64) - 1]
    mean_day = one.hours[rows].sum(axis=1) * 24 / (one.hours.shape[1] - began[rows])
    for length, days in _spans(one, origin, most):
        at, unit = days - 1, mean_day * ahead[days - 1] / 24
        slack = 1e-9 * (1 + came[:, at])
        below = came[:, at] < told.low[:, at] - slack
        above = came[:, at] > told.high[:, at] + slack
        width = told.high[:, at] - told.low[:, at]
        yield (
            length,
            Outcomes(
                inside=~below & ~above,
                below=below,
                width=width / np.maximum(told.mid[:, at], 1e-3 * unit),
                error=np.abs(told.mid[:, at] - came[:, at]) / unit,
                rivals={name: np.abs(sums[:, at] - came[:, at]) / unit for name, sums in rivals.items()},
                week_known=told.age_days >= 7,
            ),
        )


def _spans(one: HourlySet, origin: int, most: int) -> Iterator[tuple[int, int]]:
    """(length as it is listed, days ahead)."""
    yield from ((length, length) for length in LENGTHS if length <= most)
    now = one.start_at + timedelta(hours=origin)
    next_month = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0)
    days = -(-(next_month - now) // timedelta(days=1))
    if days <= most:
        yield MONTH_END, days
