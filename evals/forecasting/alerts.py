"""Whether "will cross" is told of budgets that are then crossed, how early, and whether it flaps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from detectors.forecast.forecast import forecast
from detectors.statistics import BoolArray, FloatArray
from evals.forecasting.sets import HourlySet

BUDGETS = (0.8, 1.0, 1.2, 1.5)
"""In months like the 28 days before."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """One budget of one series in one month."""

    crosses: bool
    openings: int
    lead_days: float | None
    """From the first telling to the crossing; None where one of the two did not come."""


def told_of_months(one: HourlySet) -> Iterator[Told]:
    """Every calendar month that the set holds whole, with 28 days before it."""
    for start in _months(one):
        days = _days_of(one.start_at + start * _DAY)
        if start >= 28 and start + days <= one.days:
            yield from _of_month(one, start, days)


def _months(one: HourlySet) -> Iterator[int]:
    for day in range(one.days):
        if (one.start_at + day * _DAY).day == 1:
            yield day


def _days_of(first: datetime) -> int:
    return ((first + 32 * _DAY).replace(day=1) - first) // _DAY


def _of_month(one: HourlySet, start: int, days: int) -> Iterator[Told]:
    before = one.hours[:, (start - 28) * 24 : start * 24].sum(axis=1)
    rows = np.flatnonzero(before > 0)
    usd = (before[rows] * days / 28)[:, None] * np.array(BUDGETS)
    spent = np.cumsum(one.hours[rows, start * 24 : (start + days) * 24], axis=1)[:, 23::24]
    low, mid = np.zeros((2, len(rows), days))
    for day in range(days):
        so_far = spent[:, day - 1] if day else np.zeros(len(rows))
        ahead = forecast(one.hours[rows, : (start + day) * 24], one.start_at.weekday(), days - day)
        low[:, day], mid[:, day] = so_far + ahead.low[:, -1], so_far + ahead.mid[:, -1]
    for column in range(len(BUDGETS)):
        for row in range(len(rows)):
            amount = usd[row, column]
            yield _told(spent[row] >= amount, low[row] >= amount, mid[row] >= amount)


def _told(crossed: BoolArray, opens: BoolArray, holds: BoolArray) -> Told:
    crossing = int(crossed.argmax()) if crossed.any() else len(crossed)
    openings, is_open, first = 0, False, None
    for day in range(min(crossing + 1, len(crossed))):
        was_open, is_open = is_open, bool(holds[day] if is_open else opens[day])
        if is_open and not was_open:
            openings += 1
            first = day if first is None else first
    lead = float(crossing - first) if first is not None and crossed.any() else None
    return Told(bool(crossed.any()), openings, lead)


def summary(told: list[Told]) -> dict[str, float]:
    """Shares and days over all months."""
    opened = [one for one in told if one.openings]
    leads: FloatArray = np.array([one.lead_days for one in opened if one.lead_days is not None])
    crossing = [one for one in told if one.crosses]
    return {
        "budget_months": len(told),
        "crossed": len(crossing),
        "precision": sum(one.crosses for one in opened) / max(len(opened), 1),
        "recall": sum(bool(one.openings) for one in crossing) / max(len(crossing), 1),
        "median_lead_days": float(np.median(leads)) if len(leads) else 0.0,
        "told_again_share": sum(one.openings > 1 for one in opened) / max(len(opened), 1),
    }
