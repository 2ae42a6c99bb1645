"""Puts a labelled set together: base series, incidents that do not overlap, tokens at a price."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from detectors.statistics import FloatArray
from evals.detection.generator.calendar import Calendar
from evals.detection.generator.families import Base, Clients, draw_base, family_of_each, sort_clients
from evals.detection.generator.incidents import added_usd
from evals.detection.generator.noise import log_uniform
from evals.detection.generator.placing import Placed, place_incidents
from evals.detection.spend_set import HOUR_IMPACT, LONG_IMPACT, Event, SpendSet

USD_PER_TOKEN = (0.5e-6, 10e-6)
PRICE_NOISE = 0.03
"""Standard deviation of the log of an hour's dollars per token: the mix of requests is never the same."""
FIRST_START_AT = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Series:
    """One finished series; `usd` and `tokens` have shape (hours,)."""

    usd: FloatArray
    tokens: FloatArray
    first_hour: int
    events: tuple[Event, ...]


def generate_set(
    seed: int,
    *,
    series: int = 140,
    history_days: int = 60,
    scored_days: int = 28,
    real_clients: FloatArray | None = None,
    incidents: bool = True,
) -> SpendSet:
    """A set of `series` hourly series; the same arguments give the same set, to the last bit.

    It begins on some midnight of 2025. `real_clients`, shape (clients, 336) from a Monday, are resampled for
    the series that look like real keys; without them those are parametric. `incidents=False` gives the same
    series without the labelled incidents.
    """
    days = int(np.random.default_rng([seed]).integers(0, 365))
    calendar = Calendar(FIRST_START_AT + timedelta(days=days), history_days, scored_days)
    clients = sort_clients(real_clients)
    families = family_of_each(series)
    made = [
        _make_series(seed, row, family, calendar, clients, incidents=incidents)
        for row, family in enumerate(families)
    ]
    return SpendSet(
        f"generated-{seed}",
        calendar.start_at,
        tuple(f"s{row:03d}" for row in range(series)),
        np.array(families),
        np.array([one.usd for one in made]),
        np.array([one.tokens for one in made]),
        np.array([one.first_hour for one in made], dtype=np.int64),
        calendar.history_hours,
        tuple(event for one in made for event in one.events),
    )


def _make_series(
    seed: int, row: int, family: str, calendar: Calendar, clients: Clients, *, incidents: bool
) -> Series:
    """Each part draws from a stream of its own, so that leaving one out does not change the others."""
    draw, place, price = (np.random.default_rng([seed, row, part]) for part in range(3))
    base = draw_base(family, draw, calendar, clients)
    placed = place_incidents(place, family, base, calendar) if incidents else ()
    return _with_incidents(price, row, base, placed, calendar.history_hours)


def _with_incidents(
    rng: np.random.Generator, row: int, base: Base, placed: tuple[Placed, ...], history_hours: int
) -> Series:
    """Price the series, then add its incidents; tokens follow spend, unless it is the price that jumps."""
    mix = np.exp(PRICE_NOISE * rng.standard_normal(base.usd.size))
    usd_per_token = log_uniform(rng, *USD_PER_TOKEN) * mix
    usd, volume_usd, events = base.usd.copy(), base.usd.copy(), []
    for one in placed:
        hours = slice(one.start, one.end)
        added = added_usd(rng, one.kind, base.usd[hours], base.active_usd(history_hours))
        usd[hours] += added
        if one.kind != "price_jump":
            volume_usd[hours] += added
        events.append(_event(row, one, abs(float(added.sum())), base.mean_usd(history_hours)))
    return Series(usd, volume_usd / usd_per_token, base.first_hour, tuple(events))


def _event(row: int, one: Placed, excess_usd: float, mean_usd: float) -> Event:
    counts = excess_usd >= HOUR_IMPACT.get(one.kind, LONG_IMPACT) * mean_usd
    return Event(row, one.kind, one.start, one.end, excess_usd, counts)
