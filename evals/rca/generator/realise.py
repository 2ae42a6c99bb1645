"""An organisation's ordinary use, hour by hour: daily and weekly shape, noise at several scales."""

from dataclasses import dataclass

import numpy as np

from evals.rca.case import Floats, Ints
from evals.rca.generator.models import BY_NAME, rates_pico
from evals.rca.generator.organisation import Key, Organisation, Rng
from evals.rca.generator.traffic import Traffic
from ledger.scope import DIMENSIONS
from ledger.window import WEEK_HOURS, Window

OFFICE, EVENING = (9, 18), (17, 23)
WRITERS = "anthropic"
"""Only this provider bills cache writes apart."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviations of logarithms, before the factor of a case."""

    key_week: float = 0.05
    key_day: float = 0.03
    key_hour: float = 0.12
    stream_week: float = 0.05
    length_week: float = 0.012
    length_hour: float = 0.04
    cache_week: float = 0.015
    cache_hour: float = 0.05


@dataclass(frozen=True, slots=True)
class Shape:
    """How one request of each stream looks; arrays have shape (streams,)."""

    input_chars: Floats
    output_chars: Floats
    cached: Floats
    written: Floats
    failing: Floats
    per_token: Floats


def realise(rng: Rng, org: Organisation, span: Window, total_usd: float, noise: float) -> Traffic:
    """The traffic of a span; `total_usd` is what an average day costs at list prices."""
    shape = _draw_shape(rng, org)
    usd_per_request = _usd_per_request(org, shape, span)
    per_hour = org.share * total_usd / 24 / usd_per_request
    hours = span.hours
    key_of = np.array(org.key_of)
    level = _levels(rng, org, span, noise)[key_of] * _by_week(
        rng, len(key_of), hours, noise * Noise().stream_week
    )
    level *= (1 + rng.uniform(-0.005, 0.02)) ** ((np.arange(hours) - hours) / WEEK_HOURS)
    requests = rng.poisson(np.clip(per_hour[:, None] * level, 0, 1e9)).astype(np.int64)
    counts = _counts(rng, requests, shape, key_of, noise)
    streams = len(key_of)
    return Traffic(org.names, counts, np.ones((streams, hours)), np.zeros(streams, dtype=bool))


def day_shape(kind: str, hours_utc: Floats, weekdays: Floats) -> Floats:
    """Relative load by local hour and weekday; its mean over a week is about 1."""
    weekend = weekdays >= 5
    if kind == "flat":
        return np.ones_like(hours_utc)
    if kind == "night":
        return np.where((hours_utc >= 1) & (hours_utc < 6), 3.4, 0.4)
    if kind == "evening":
        return 0.4 + 1.6 * np.exp(-(((hours_utc - 20) / 4) ** 2)) + 0.3 * weekend
    return np.where((hours_utc >= OFFICE[0]) & (hours_utc < OFFICE[1]), 2.1, 0.45) * np.where(
        weekend, 0.3, 1.15
    )


def _levels(rng: Rng, org: Organisation, span: Window, noise: float) -> Floats:
    """Shape (keys, hours)."""
    sigma = Noise()
    hours = span.hours
    size = len(org.keys)
    shapes = np.stack([_key_shape(key, span) for key in org.keys])
    week = _by_week(rng, size, hours, noise * sigma.key_week)
    day = _stepped(rng, size, hours, 24, noise * sigma.key_day)
    hour = np.exp(rng.normal(0, noise * sigma.key_hour, (size, hours)))
    return np.asarray(shapes * week * day * hour, dtype=np.float64)


def _key_shape(key: Key, span: Window) -> Floats:
    first = span.start_at.weekday() * 24 + span.start_at.hour + key.utc_offset
    local = (first + np.arange(span.hours)) % WEEK_HOURS
    return day_shape(key.shape, (local % 24).astype(np.float64), (local // 24).astype(np.float64))


def _by_week(rng: Rng, size: int, hours: int, sigma: float) -> Floats:
    return _stepped(rng, size, hours, WEEK_HOURS, sigma)


def _stepped(rng: Rng, size: int, hours: int, step: int, sigma: float) -> Floats:
    """Log-normal levels that hold for `step` hours, aligned to the end of the span."""
    steps = -(-hours // step)
    levels = np.exp(rng.normal(0, sigma, (size, steps)))
    return np.repeat(levels, step, axis=1)[:, -hours:]


def _draw_shape(rng: Rng, org: Organisation) -> Shape:
    """Features fix most of a request's size; keys and streams vary about them."""
    features = org.names[:, DIMENSIONS.index("feature")]
    sizes = {
        f: (rng.lognormal(9, 0.8), rng.lognormal(7, 0.7), rng.beta(1.5, 1.6)) for f in sorted(set(features))
    }
    n = len(features)
    keys = np.array(org.key_of)
    cached = np.array([sizes[f][2] for f in features]) * (rng.random(len(org.keys)) < 0.8)[keys]
    batch = org.names[:, DIMENSIONS.index("service_tier")] == "batch"
    writes = org.names[:, DIMENSIONS.index("provider")] == WRITERS
    cached = np.where(batch, 0, np.clip(cached, 0, 0.9))
    return Shape(
        np.array([sizes[f][0] for f in features]) * rng.lognormal(0, 0.3, len(org.keys))[keys],
        np.array([sizes[f][1] for f in features]) * rng.lognormal(0, 0.3, len(org.keys))[keys],
        cached,
        np.where(writes, cached * rng.uniform(0.03, 0.15, n), 0),
        rng.beta(1.2, 80, n),
        np.array([BY_NAME[m].characters_per_token for m in org.names[:, DIMENSIONS.index("model")]])
        * rng.normal(1, 0.03, n),
    )


def _usd_per_request(org: Organisation, shape: Shape, span: Window) -> Floats:
    day = span.start_at.date()
    indexes = [DIMENSIONS.index(d) for d in ("provider", "model", "service_tier")]
    listed = [rates_pico(*map(str, name[indexes]), day) for name in org.names]
    rates = np.stack([np.zeros(5) if one is None else one for one in listed]) / 1e12
    prompt = shape.input_chars / shape.per_token
    fresh = prompt * (1 - shape.cached - shape.written)
    classes = (
        fresh,
        prompt * shape.cached,
        prompt * shape.written,
        0 * fresh,
        shape.output_chars / shape.per_token,
    )
    return np.asarray(np.maximum((np.stack(classes, axis=1) * rates).sum(axis=1), 1e-6), dtype=np.float64)


def _counts(rng: Rng, requests: Ints, shape: Shape, key_of: Ints, noise: float) -> Ints:
    """All ten measures; lengths wobble by key and hour, and by key and week."""
    sigma = Noise()
    keys, hours = int(key_of.max()) + 1, requests.shape[1]
    wobble = [
        _by_week(rng, keys, hours, noise * sigma.length_week)
        * np.exp(rng.normal(0, noise * sigma.length_hour, (keys, hours)))
        for _ in range(2)
    ]
    sent = requests * shape.input_chars[:, None] * wobble[0][key_of]
    answered = requests * shape.output_chars[:, None] * wobble[1][key_of]
    hits = _by_week(rng, keys, hours, noise * sigma.cache_week)[key_of]
    hits *= np.exp(rng.normal(0, noise * sigma.cache_hour, (keys, hours)))[key_of]
    cached = np.clip(shape.cached[:, None] * hits, 0, 0.93)
    prompt = sent / shape.per_token[:, None]
    read, written = prompt * cached, prompt * np.minimum(shape.written[:, None], 0.95 - cached)
    failed = rng.binomial(requests, shape.failing[:, None])
    retried = rng.binomial(failed, 0.7)
    output = answered / shape.per_token[:, None]
    classes = (prompt - read - written, read, written, 0 * read, output, sent, answered)
    return np.stack([requests, failed, retried, *(np.rint(c).astype(np.int64) for c in classes)])
