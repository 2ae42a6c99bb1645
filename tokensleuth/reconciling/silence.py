"""Whether a source that is silent has stopped: its silence is measured in hours in which it is usually heard.

A source that is always silent at night gathers nothing at night; one that is heard every hour gathers an hour
an hour. It has stopped when it has gathered more than its longest ordinary silences of the last 4 weeks did.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

import numpy as np
from numpy.typing import NDArray

from ledger.window import HOUR, WEEK_HOURS

LEARNT = timedelta(weeks=4)
LEAST_LEARNT = timedelta(weeks=2)
"""Less has not shown an hour of the week twice; nothing is said of such a source."""
LEAST_ACTIVE = 24
"""Hours: of a source that is hardly ever heard, silence says nothing."""
LEAST_GATHERED = 3.0
"""Hours of usual use in silence, however steady a source is: a client that pauses is no alert."""
BEYOND_USUAL = 2.0
"""Times the longest ordinary silence. Measured on real clients: docs/design/reconciliation.md."""
_SHRINK = 2.0
"""So many weeks count what the hour of the day says, beside the four of the hour of the week."""

Hours = NDArray[np.bool_]
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What the last weeks of a source show."""

    share: Shares
    """By hour of the week from Monday 00:00 UTC: how often it was heard."""
    usual: float
    """What its longest ordinary silence gathered; infinite where too little is known."""

    @property
    def limit(self) -> float:
        return max(LEAST_GATHERED, BEYOND_USUAL * self.usual)


@dataclass(frozen=True, slots=True)
class Silence:
    """How a source is quiet now."""

    hours: int
    gathered: float
    """Hours of usual use in it."""
    limit: float
    stopped_at: datetime | None
    """The end of the hour that was one too many; None where it has not stopped."""


def rhythm_of(heard: Hours, first_at: datetime) -> Rhythm:
    """Of whole hours from `first_at` to the last one in which it was heard."""
    week = (np.arange(len(heard)) + _hour_of_week(first_at)) % WEEK_HOURS
    share = _shares(heard, week)
    enough = len(heard) * HOUR >= LEAST_LEARNT and heard.sum() >= LEAST_ACTIVE
    return Rhythm(share, _usual(heard, share[week]) if enough else inf)


def silence_of(rhythm: Rhythm, last_at: datetime, known_until: datetime) -> Silence:
    """Since the end of the last hour in which it was heard, as far as hours are known."""
    hours = max(0, int((known_until - last_at) / HOUR) - 1)
    week = (np.arange(hours) + _hour_of_week(last_at + HOUR)) % WEEK_HOURS
    gathered = np.cumsum(rhythm.share[week])
    over = np.flatnonzero(gathered > rhythm.limit)
    stopped_at = last_at + (2 + int(over[0])) * HOUR if len(over) else None
    return Silence(hours, float(gathered[-1]) if hours else 0.0, rhythm.limit, stopped_at)


def _hour_of_week(instant: datetime) -> int:
    return instant.weekday() * 24 + instant.hour


def _shares(heard: Hours, week: NDArray[np.int64]) -> Shares:
    """Each hour of the week, drawn to the same hour of all working days or of the weekend."""
    seen = np.bincount(week, minlength=WEEK_HOURS)
    active = np.bincount(week, weights=heard, minlength=WEEK_HOURS)
    hours = np.arange(WEEK_HOURS)
    kind = hours % 24 + np.where(hours >= 5 * 24, 24, 0)
    of_kind = np.bincount(kind, weights=active) / np.maximum(np.bincount(kind, weights=seen), 1)
    drawn: Shares = (active + _SHRINK * of_kind[kind]) / (seen + _SHRINK)
    return drawn


def _usual(heard: Hours, share: Shares) -> float:
    """The longest silence: what each gathered from one hour that was heard to the next."""
    until = np.cumsum(np.where(heard, 0.0, share))
    at = until[heard]
    return float(np.max(np.diff(at), initial=0.0))
