"""Shares and medians with bootstrap intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evals.rca.case import Floats

DRAWS = 2000
SEED = 7


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; NaN where there was nothing to measure."""

    value: float
    low: float
    high: float
    count: int


def share(values: Sequence[bool]) -> Estimate:
    return _estimate([float(value) for value in values], lambda drawn: drawn.mean(axis=-1))


def median(values: Sequence[float]) -> Estimate:
    return _estimate(values, lambda drawn: np.median(drawn, axis=-1))


def percentile(values: Sequence[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else float("nan")


def _estimate(values: Sequence[float], figure: Callable[[Floats], Floats]) -> Estimate:
    """Cases are drawn again with replacement."""
    if not values:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    array = np.array(values, dtype=np.float64)
    rng = np.random.default_rng(SEED)
    drawn = figure(array[rng.integers(0, len(array), (DRAWS, len(array)))])
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(float(figure(array)), float(low), float(high), len(values))
