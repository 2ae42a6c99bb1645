"""What scopes have spent this month, and what they will have spent at its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil, floor
from typing import Literal

import numpy as np

from detectors.forecast.episodes import Episode
from detectors.forecast.forecast import YOUNG_DAYS, forecast
from detectors.statistics import FloatArray
from ledger.errors import RefusedError
from ledger.money import PICO_PER_USD
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.window import HOUR, Window, floor_hour, instant_text
from tokensleuth.budgets.month import Month
from tokensleuth.ranges import usage_extent

HISTORY = timedelta(days=120)
"""Days that a forecast learns from at most."""

Basis = Literal["seasonal", "young", "unknown"]


@dataclass(frozen=True, slots=True)
class Known:
    """Hours of a scope that are not ordinary: an incident that is over, or an entry of the calendar."""

    scope: Scope
    window: Window
    """Where it reaches beyond the present, spend goes on as it has been in it so far until its end."""


@dataclass(frozen=True, slots=True)
class Spending:
    """Hourly spend of some scopes up to a moment, and what of it fell into the month."""

    month: Month
    scopes: tuple[Scope, ...]
    hours: FloatArray
    """(scopes, hours) in dollars, from a midnight on."""
    start_at: datetime
    spent_pico: tuple[int, ...]
    """Exact, this month; unpriced tokens add nothing."""
    unpriced_tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """One scope's month; amounts in dollars from its start to the end of each day ahead, today first."""

    scope: Scope
    month: Month
    spent_pico: int
    unpriced_tokens: int
    basis: Basis
    """`young`: under two weeks of history, so the interval is wide; `unknown`: not a whole day of it."""
    days_known: int
    mid: tuple[float, ...]
    low: tuple[float, ...]
    """80 % of months end between low and high."""
    high: tuple[float, ...]

    @property
    def spent_usd(self) -> float:
        return self.spent_pico / PICO_PER_USD


def known_until(reader: Reader, now: datetime) -> datetime:
    """The end of the last hour with usage, at most the last whole hour before `now`; RefusedError if none."""
    extent = usage_extent(reader)
    at = min(floor_hour(now), extent.end_at)
    if at <= extent.start_at:
        raise RefusedError(f"no usage before {instant_text(floor_hour(now))}; the ledger has {extent}")
    return at


def spending(
    reader: Reader, at: datetime, by: Sequence[Dimension] = (), where: Scope = EVERYTHING
) -> Spending:
    """Read each scope of the grouping, up to the moment `at`."""
    return spendings(reader, at, [by], where)[0]


def spendings(
    reader: Reader, at: datetime, groupings: Sequence[Sequence[Dimension]], where: Scope = EVERYTHING
) -> list[Spending]:
    """The same for several groupings; usage is read once."""
    month, extent = Month(at), usage_extent(reader)
    start_at = max(month.midnight - HISTORY, extent.start_at.replace(hour=0))
    series = reader.hourly_levels(Window(start_at, at), groupings, where=where)
    found = []
    for by, one in zip(groupings, series, strict=True):
        spent = reader.totals([month.so_far], by=by, where=where) if month.so_far else {}
        measures = [spent.get(scope) for scope in one.scopes]
        found.append(
            Spending(
                month,
                tuple(where.narrowed_to(scope) for scope in one.scopes),
                one.values,
                start_at,
                tuple(m.cost_pico if m else 0 for m in measures),
                tuple(m.unpriced_tokens if m else 0 for m in measures),
            )
        )
    return found


def outlooks(spent: Spending, known: Sequence[Known] = ()) -> list[Outlook]:
    """Forecast each scope to the end of the month.

    Known hours count for their scope, for those that hold it and for those that are a part of it.
    """
    episodes = [
        episode_of(one, row, spent.start_at)
        for one in known
        for row, scope in enumerate(spent.scopes)
        if one.scope.contains(scope) or scope.contains(one.scope)
    ]
    return forecast_month(spent, episodes)


def forecast_month(spent: Spending, episodes: Sequence[Episode]) -> list[Outlook]:
    """The same with the known hours by the row of their scope."""
    month = spent.month
    told = forecast(spent.hours, spent.start_at.weekday(), month.days_ahead, episodes)
    return [
        Outlook(
            scope=scope,
            month=month,
            spent_pico=spent.spent_pico[row],
            unpriced_tokens=spent.unpriced_tokens[row],
            basis=_basis(int(told.age_days[row]), told.mid[row]),
            days_known=int(told.age_days[row]),
            mid=_from_the_first(spent, row, told.mid),
            low=_from_the_first(spent, row, told.low),
            high=_from_the_first(spent, row, told.high),
        )
        for row, scope in enumerate(spent.scopes)
    ]


def crossing_day(outlook: Outlook, amounts: Sequence[float], usd: float) -> date | None:
    """The day at whose end `amounts` have reached so many dollars; None: not this month, or not known."""
    reached = np.asarray(amounts) >= usd
    return outlook.month.day(int(reached.argmax())) if reached.any() else None


def _from_the_first(spent: Spending, row: int, ahead: FloatArray) -> tuple[float, ...]:
    return tuple((spent.spent_pico[row] / PICO_PER_USD + ahead[row]).tolist())


def _basis(days_known: int, mid: FloatArray) -> Basis:
    if np.isnan(mid).any():
        return "unknown"
    return "young" if days_known < YOUNG_DAYS else "seasonal"


def episode_of(known: Known, row: int, start_at: datetime) -> Episode:
    """In hours since the midnight the history starts at."""
    start, end = ((moment - start_at) / HOUR for moment in (known.window.start_at, known.window.end_at))
    return Episode(row, floor(start), ceil(end))
