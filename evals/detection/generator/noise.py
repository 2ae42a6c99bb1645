"""Random walks that several families share; every function draws only from the generator it is given."""

import numpy as np

from detectors.statistics import FloatArray

HOURS_PER_DAY = 24


def autoregression(rng: np.random.Generator, size: int, *, memory: float, deviation: float) -> FloatArray:
    """Shape (size,): a stationary AR(1) walk of coefficient `memory` and this standard deviation."""
    reach = 1 if memory <= 0 else int(np.ceil(np.log(0.01) / np.log(memory)))
    kernel = memory ** np.arange(reach)
    shocks = rng.standard_normal(size + reach - 1)
    walk = np.convolve(shocks, kernel, mode="valid")
    return np.asarray(walk * deviation / np.sqrt((kernel**2).sum()))


def daily_level(rng: np.random.Generator, days: int, *, deviation: float) -> FloatArray:
    """Shape (24 days,): a factor around 1 that wanders from day to day and drifts over the months."""
    wander = autoregression(rng, days, memory=rng.uniform(0.45, 0.85), deviation=deviation)
    drift = rng.uniform(-0.06, 0.2) * np.arange(days) / 30
    return np.repeat(np.exp(wander + drift - drift.mean()), HOURS_PER_DAY)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
