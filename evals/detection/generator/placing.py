"""Where the incidents of a series go: in the hours to score, two days apart, drops where there is spend."""

from dataclasses import dataclass

import numpy as np

from evals.detection.generator.calendar import Calendar
from evals.detection.generator.families import Base
from evals.detection.generator.incidents import DURATION_HOURS, Kind, draw_kind, draw_start

MOST_INCIDENTS = 4
REST_HOURS = 48
"""Least hours between two incidents of a series."""
LEAST_DROP_HOURS = 5.0
LEAST_DROP_LEVEL = 0.7
"""A drop takes away at least these hours of mean spend, this share of one in each: a quiet night is none."""
TRIES = 20


@dataclass(frozen=True, slots=True)
class Placed:
    """An incident that has its hours."""

    kind: Kind
    start: int
    end: int

    def rests(self, other: "Placed") -> bool:
        return self.start >= other.end + REST_HOURS or other.start >= self.end + REST_HOURS


def place_incidents(
    rng: np.random.Generator, family: str, base: Base, calendar: Calendar
) -> tuple[Placed, ...]:
    """None to four incidents in order of time; one that finds no room is left out."""
    placed: list[Placed] = []
    for _ in range(rng.integers(0, MOST_INCIDENTS + 1)):
        kind = draw_kind(rng, family)
        tries = (_draw_place(rng, kind, calendar) for _ in range(TRIES))
        fitting = (one for one in tries if _fits(one, base, calendar) and all(map(one.rests, placed)))
        placed.extend(one for one in (next(fitting, None),) if one)
    return tuple(sorted(placed, key=lambda one: one.start))


def _draw_place(rng: np.random.Generator, kind: Kind, calendar: Calendar) -> Placed:
    least, greatest = DURATION_HOURS[kind]
    length = min(int(rng.integers(least, greatest + 1)), calendar.hours - calendar.history_hours)
    start = draw_start(rng, kind, calendar, length)
    return Placed(kind, start, start + length)


def _fits(one: Placed, base: Base, calendar: Calendar) -> bool:
    if one.start < calendar.history_hours or one.end > calendar.hours:
        return False
    if one.kind != "drop_to_zero":
        return True
    least_hours = max(LEAST_DROP_HOURS, LEAST_DROP_LEVEL * (one.end - one.start))
    lost_usd = float(base.usd[one.start : one.end].sum())
    return lost_usd >= least_hours * base.mean_usd(calendar.history_hours)
