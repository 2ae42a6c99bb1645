"""What each kind of incident does to spend: when it happens, how long, and what it adds hour by hour."""

from typing import Literal

import numpy as np

from detectors.statistics import FloatArray
from evals.detection.generator.calendar import Calendar
from evals.detection.generator.noise import HOURS_PER_DAY

Kind = Literal[
    "spike",
    "level_shift",
    "slow_ramp",
    "leaked_key_night",
    "retry_storm",
    "weekend_batch",
    "price_jump",
    "drop_to_zero",
]

DURATION_HOURS: dict[Kind, tuple[int, int]] = {
    "spike": (1, 3),
    "retry_storm": (2, 6),
    "leaked_key_night": (4, 7),
    "drop_to_zero": (4, 24),
    "weekend_batch": (8, 20),
    "level_shift": (48, 120),
    "price_jump": (48, 120),
    "slow_ramp": (120, 168),
}
"""Least and greatest length."""

ALL_KINDS: tuple[Kind, ...] = tuple(DURATION_HOURS)
KINDS: dict[str, tuple[Kind, ...]] = {
    "key": ALL_KINDS,
    "synthetic": ALL_KINDS,
    "intermittent": ("spike", "price_jump", "retry_storm", "leaked_key_night"),
    "young": ("spike", "price_jump", "retry_storm", "leaked_key_night", "level_shift", "drop_to_zero"),
    "team": ALL_KINDS,
}
"""Kinds that make sense for a family: nothing can be seen to drop in a series that is mostly empty."""
SHARE_ADDED: dict[Kind, tuple[float, float]] = {
    "level_shift": (0.85, 1.95),
    "price_jump": (0.5, 2.0),
    "drop_to_zero": (-1.0, -0.95),
}
"""Range of what is added, as a share of the spend of the same hour."""
HOURS_ADDED: dict[Kind, tuple[float, float]] = {"leaked_key_night": (1.5, 5.0), "weekend_batch": (1.0, 3.0)}
"""Range of what is added in each hour, in mean hours of the series that have spend."""
SLOW_RAMP_WEIGHT = 0.5
"""How often a slow ramp is drawn, beside any other kind."""


def draw_kind(rng: np.random.Generator, family: str) -> Kind:
    kinds = KINDS[family]
    weight = np.array([SLOW_RAMP_WEIGHT if kind == "slow_ramp" else 1.0 for kind in kinds])
    return kinds[int(rng.choice(len(kinds), p=weight / weight.sum()))]


def draw_start(rng: np.random.Generator, kind: Kind, calendar: Calendar, length: int) -> int:
    """An hour to score from which the whole incident fits; nights and weekends where the kind says so."""
    last = calendar.hours - length
    hour = int(rng.integers(calendar.history_hours, last + 1))
    if kind == "leaked_key_night":
        hour += int(rng.integers(0, 3)) - hour % HOURS_PER_DAY
    if kind == "weekend_batch":
        hour += int(rng.integers(0, 4)) - hour % HOURS_PER_DAY
        hour += (int(rng.integers(5, 7)) - calendar.weekday(hour)) * HOURS_PER_DAY
    return hour


def added_usd(rng: np.random.Generator, kind: Kind, usd: FloatArray, active_usd: float) -> FloatArray:
    """Shape of `usd`: what the incident adds to each of its hours, negative where spend drops.

    `active_usd` is the mean of the series' hours that have spend: a burst in an empty hour is half of it,
    multiplied.
    """
    if kind in SHARE_ADDED:
        return np.asarray(usd * rng.uniform(*SHARE_ADDED[kind]))
    if kind in HOURS_ADDED:
        jitter = np.exp(0.15 * rng.standard_normal(usd.size))
        return np.asarray(rng.uniform(*HOURS_ADDED[kind]) * active_usd * jitter)
    if kind == "slow_ramp":
        return np.asarray(usd * rng.uniform(1.2, 2.8) * np.arange(1, usd.size + 1) / usd.size)
    burst = rng.uniform(3.3, 11.0) if kind == "spike" else _retries(rng, usd.size)
    return np.asarray(np.maximum(usd, 0.5 * active_usd) * burst)


def _retries(rng: np.random.Generator, hours: int) -> FloatArray:
    """Factors less 1: storms every other hour, a smaller echo between."""
    storm = rng.uniform(2.8, 6.5)
    return np.where(np.arange(hours) % 2 == 0, storm, max(1.1, 0.42 * storm)) - 1
