"""Two weeks of one client's hourly traffic: the template that `resample` stretches to months.

Its ranges were set against quantiles of the real clients in ServeGen (Alibaba; Apache-2.0), no value copied.
"""

import numpy as np

from detectors.statistics import BoolArray, FloatArray
from evals.detection.generator.noise import HOURS_PER_DAY, autoregression, log_uniform

CLIENT_DAYS = 14
CLIENT_HOURS = CLIENT_DAYS * HOURS_PER_DAY
BUSY_SHARE = 0.8
"""Least share of hours with traffic of a client that the busy families resample."""
SPARSE_SHARES = (0.035, 0.4)
"""Shares of hours with traffic of the clients that the intermittent family resamples."""
RUN_SHARES = (0.045, 0.4)
"""The same for those that are made up."""
MOST_RUNS = 300


def resample(rng: np.random.Generator, client: FloatArray, *, days: int, first_weekday: int) -> FloatArray:
    """Shape (24 days,): each day is the client's same weekday of either week, with hourly noise.

    `client` has shape (336,) and begins on a Monday.
    """
    weekday = (first_weekday + np.arange(days)) % 7
    source = client.reshape(CLIENT_DAYS, HOURS_PER_DAY)[weekday + 7 * rng.integers(0, 2, days)].ravel()
    noise = rng.uniform(0.05, 0.15) * rng.standard_normal(source.size)
    return np.asarray(source * np.exp(noise))


def busy_client(rng: np.random.Generator) -> FloatArray:
    """Shape (336,), mean 1: traffic in nearly every hour, heavy-tailed, with dips, bursts and gaps."""
    log_rate = _daily_cycle(rng) + _slow_walk(rng) + _weekend(rng)
    rate = np.exp(_lean_down(log_rate) + _fast_noise(rng)) * _bursts(rng) * _dips(rng) * _idle_days(rng)
    return np.asarray(rate / rate.mean())


def sparse_client(rng: np.random.Generator) -> FloatArray:
    """Shape (336,), mean 1: runs of traffic between long empty stretches, or a job at fixed hours."""
    on = _job_hours(rng) if rng.random() < 0.1 else _random_runs(rng, log_uniform(rng, *RUN_SHARES))
    run = np.cumsum(np.diff(on, prepend=0.0) == 1)
    size_of_run = np.exp(rng.uniform(0.1, 1.8) * rng.standard_normal(int(run.max()) + 1))
    within = autoregression(rng, CLIENT_HOURS, memory=0.5, deviation=rng.uniform(0.2, 1.9))
    rate = on * size_of_run[run] * np.exp(_lean_down(within))
    return np.asarray(rate / rate.mean())


def _lean_down(log_rate: FloatArray) -> FloatArray:
    """Real traffic falls further below its usual rate than it rises above it."""
    centred = log_rate - np.median(log_rate)
    return np.where(centred < 0, 1.6 * centred, 0.7 * centred)


def _hour_of_day() -> FloatArray:
    return np.asarray(np.arange(CLIENT_HOURS) % HOURS_PER_DAY, dtype=np.float64)


def _daily_cycle(rng: np.random.Generator) -> FloatArray:
    strength = rng.uniform(0.6, 1.9) if rng.random() < 0.5 else rng.uniform(0.0, 0.6)
    angle = 2 * np.pi * (_hour_of_day() - rng.uniform(0, HOURS_PER_DAY)) / HOURS_PER_DAY
    return np.asarray(strength * (np.cos(angle) + rng.uniform(-0.4, 0.4) * np.cos(2 * angle)))


def _slow_walk(rng: np.random.Generator) -> FloatArray:
    """Hours and days wander apart from each other."""
    hours = autoregression(rng, CLIENT_HOURS, memory=rng.uniform(0.5, 0.93), deviation=rng.uniform(0.02, 0.7))
    days = autoregression(rng, CLIENT_HOURS, memory=0.985, deviation=1.1 * rng.random() ** 2)
    return hours + days


def _fast_noise(rng: np.random.Generator) -> FloatArray:
    return np.asarray(rng.uniform(0.02, 0.2) * rng.standard_t(5, CLIENT_HOURS))


def _weekend(rng: np.random.Generator) -> FloatArray:
    day = np.arange(CLIENT_HOURS) // HOURS_PER_DAY % 7
    return np.where(day >= 5, rng.normal(-0.2, 0.3), 0.0)


def _bursts(rng: np.random.Generator) -> FloatArray:
    """A few stretches of some hours at several times the usual rate."""
    factor = np.ones(CLIENT_HOURS)
    for _ in range(rng.poisson(rng.exponential(1.5))):
        start, length = int(rng.integers(0, CLIENT_HOURS)), int(rng.integers(1, 14))
        factor[start : start + length] *= log_uniform(rng, 1.5, 6.0)
    return factor


def _dips(rng: np.random.Generator) -> FloatArray:
    """Short stretches of little traffic, the middle of some empty, and now and then a long outage."""
    factor = np.ones(CLIENT_HOURS)
    for _ in range(rng.poisson(rng.exponential(7))):
        start, length = int(rng.integers(0, CLIENT_HOURS)), int(rng.integers(1, 7))
        factor[start : start + length] *= np.exp(-rng.exponential(2.0))
        if rng.random() < 0.6:
            factor[start + length // 4 : start + max(1, length * 3 // 4)] = 0.0
    if rng.random() < 0.12:
        start = int(rng.integers(0, CLIENT_HOURS))
        factor[start : start + int(rng.integers(10, 40))] = 0.0
    return factor


def _idle_days(rng: np.random.Generator) -> FloatArray:
    """For one client in three, some days at a fraction of the usual rate."""
    idle = (rng.random() < 0.35) & (rng.random(CLIENT_DAYS) < rng.uniform(0, 0.4))
    return np.repeat(np.where(idle, np.exp(-rng.exponential(1.8, CLIENT_DAYS)), 1.0), HOURS_PER_DAY)


def _job_hours(rng: np.random.Generator) -> FloatArray:
    """1 in the hours of a daily job, with some of its hours left out."""
    length = rng.integers(2, 9)
    inside = (_hour_of_day() - rng.integers(0, HOURS_PER_DAY)) % HOURS_PER_DAY < length
    return np.asarray(inside & (rng.random(CLIENT_HOURS) < 0.85), dtype=np.float64)


def _random_runs(rng: np.random.Generator, share: float) -> FloatArray:
    """1 inside runs of traffic whose hours make up at most this share; some are much longer than others."""
    typical = log_uniform(rng, 0.4, 5.0)
    starts = np.flatnonzero(_hours_in_use(rng))
    on = np.zeros(CLIENT_HOURS)
    for start in rng.choice(starts, MOST_RUNS):
        missing = int(share * CLIENT_HOURS - on.sum())
        length = 1 + int(typical * rng.exponential() ** 1.7)
        on[start : start + min(length, missing)] = 1.0
        if length >= missing:
            break
    return on


def _hours_in_use(rng: np.random.Generator) -> BoolArray:
    """Hours in which a run may begin: often only part of the day, and only some of the days."""
    part = rng.uniform(6, 14) if rng.random() < 0.5 else HOURS_PER_DAY
    inside = (_hour_of_day() - rng.integers(0, HOURS_PER_DAY)) % HOURS_PER_DAY < part
    days = rng.random(CLIENT_DAYS) < rng.uniform(0.3, 1.0)
    days[rng.integers(0, CLIENT_DAYS)] = True
    return np.asarray(inside & np.repeat(days, HOURS_PER_DAY))
