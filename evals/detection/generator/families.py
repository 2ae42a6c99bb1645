"""Series of each family before any labelled incident: real-looking keys, smooth, sparse, young and teams."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from detectors.statistics import FloatArray
from evals.detection.generator.calendar import Calendar
from evals.detection.generator.clients import (
    BUSY_SHARE,
    SPARSE_SHARES,
    busy_client,
    resample,
    sparse_client,
)
from evals.detection.generator.noise import HOURS_PER_DAY, daily_level, log_uniform
from evals.detection.generator.synthetic import smooth_series

SHARES = {"key": 24, "synthetic": 20, "intermittent": 12, "young": 8, "team": 4}
"""Series of each family among 68."""
ACTIVE_USD = (0.5, 80.0)
"""Range of the mean spend of an hour that has any."""
LEAST_HISTORY_HOURS = 5
YOUNG_DAYS = (5, 14)
"""Days of history of a young series."""


@dataclass(frozen=True, slots=True)
class Base:
    """One series in which nothing was injected."""

    usd: FloatArray
    """Shape (hours,); 0 before `first_hour`."""
    first_hour: int = 0

    def mean_usd(self, history_hours: int) -> float:
        """Of an hour of the history that there is."""
        return float(self.usd[self.first_hour : history_hours].mean())

    def active_usd(self, history_hours: int) -> float:
        """Of an hour of the history that has spend."""
        history = self.usd[self.first_hour : history_hours]
        return float(history.sum() / max(1, np.count_nonzero(history)))


@dataclass(frozen=True, slots=True)
class Clients:
    """Two weeks of hourly traffic of real clients, shape (clients, 336) from a Monday; none are needed."""

    busy: FloatArray
    sparse: FloatArray


def sort_clients(rows: FloatArray | None) -> Clients:
    """Those with traffic in most hours, and those with traffic in few."""
    given = np.zeros((0, 336)) if rows is None else rows[:, :336]
    share = (given > 0).mean(axis=1)
    low, high = SPARSE_SHARES
    return Clients(given[share >= BUSY_SHARE], given[(share >= low) & (share <= high)])


def family_of_each(series: int) -> list[str]:
    """Families in the order of `SHARES`, by largest remainder."""
    exact = {family: series * share / sum(SHARES.values()) for family, share in SHARES.items()}
    count = {family: int(value) for family, value in exact.items()}
    by_remainder = sorted(exact, key=lambda family: count[family] - exact[family])
    for family in by_remainder[: series - sum(count.values())]:
        count[family] += 1
    return [family for family in SHARES for _ in range(count[family])]


def draw_base(family: str, rng: np.random.Generator, calendar: Calendar, clients: Clients) -> Base:
    """One series of this family; but for teams, the mean of its hours with spend is log-uniform."""
    usd = MAKERS[family](rng, calendar, clients)
    if family != "team":
        usd = usd * log_uniform(rng, *ACTIVE_USD) / usd[usd > 0].mean()
    if family != "young":
        return Base(_with_old_incident(rng, usd, calendar))
    days = min(int(rng.integers(YOUNG_DAYS[0], YOUNG_DAYS[1] + 1)), calendar.history_days)
    first_hour = calendar.history_hours - days * HOURS_PER_DAY
    return Base(np.where(np.arange(usd.size) < first_hour, 0.0, usd), first_hour)


def _from_client(rng: np.random.Generator, calendar: Calendar, client: FloatArray) -> FloatArray:
    usd = resample(rng, client, days=calendar.days, first_weekday=calendar.weekday(0))
    return np.asarray(usd * daily_level(rng, calendar.days, deviation=rng.uniform(0.08, 0.16)))


def _busy(rng: np.random.Generator, calendar: Calendar, clients: Clients) -> FloatArray:
    client = rng.choice(clients.busy) if len(clients.busy) else busy_client(rng)
    return _from_client(rng, calendar, client)


def _sparse(rng: np.random.Generator, calendar: Calendar, clients: Clients) -> FloatArray:
    """Drawn again until its history has some spend, which the few days of one client may not be in."""
    while True:
        client = rng.choice(clients.sparse) if len(clients.sparse) else sparse_client(rng)
        usd = _from_client(rng, calendar, client)
        if np.count_nonzero(usd[: calendar.history_hours]) >= LEAST_HISTORY_HOURS:
            return usd


def _smooth(rng: np.random.Generator, calendar: Calendar, _clients: Clients) -> FloatArray:
    return smooth_series(rng, calendar)


def _young(rng: np.random.Generator, calendar: Calendar, clients: Clients) -> FloatArray:
    return (_busy if rng.random() < 0.25 else _smooth)(rng, calendar, clients)


def _team(rng: np.random.Generator, calendar: Calendar, clients: Clients) -> FloatArray:
    """The sum of keys of several families; dear ones hide the cheap ones."""
    total = np.zeros(calendar.hours)
    for member in rng.choice(3, rng.integers(6, 15), p=(0.48, 0.1, 0.42)):
        usd = (_busy, _sparse, _smooth)[member](rng, calendar, clients)
        total += usd / usd.mean() * log_uniform(rng, *ACTIVE_USD)
    return total


def _with_old_incident(rng: np.random.Generator, usd: FloatArray, calendar: Calendar) -> FloatArray:
    """The same; in one of four there was an incident in the history that nobody labelled."""
    if rng.random() > 0.25:
        return usd
    start = int(rng.integers(0, calendar.history_hours - 2 * HOURS_PER_DAY))
    factor = np.ones(usd.size)
    factor[start : start + int(rng.integers(10, 30))] = rng.uniform(2.0, 6.0)
    return np.asarray(usd * factor)


MAKERS: dict[str, Callable[[np.random.Generator, Calendar, Clients], FloatArray]] = {
    "key": _busy,
    "synthetic": _smooth,
    "intermittent": _sparse,
    "young": _young,
    "team": _team,
}
