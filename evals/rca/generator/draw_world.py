"""Draws an organisation's ordinary weeks: when, what is recorded, who bills, how noisy."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from evals.rca.generator.models import MODELS
from evals.rca.generator.organisation import Rng, draw_organisation
from evals.rca.generator.realise import realise
from evals.rca.generator.traffic import Traffic
from evals.rca.generator.world import World
from ledger.scope import DIMENSIONS, Dimension
from ledger.window import HOUR, Window

FIRST_WINDOW_AT = datetime(2026, 11, 14, tzinfo=UTC)
"""Batch prices are in the book from 2026-10-14 on; every history lies after it."""
ALWAYS: tuple[Dimension, ...] = ("provider", "model", "team", "key_id", "feature")
LEAVES = (350, 751)
USD_PER_DAY = (500, 20_000)


@dataclass(frozen=True, slots=True)
class Size:
    """What a caller may ask for; None is drawn."""

    leaves: int | None = None
    noise: float | None = None
    dimensions: int | None = None
    weeks: int = 4


@dataclass(frozen=True, slots=True)
class Demand:
    """What a case needs of its organisation."""

    needs: tuple[Dimension, ...] = ()
    billed: bool | None = None
    """Whether all sources must bill, or none may; None for any."""
    shared_model: str | None = None
    sharers: int = 0
    """How many keys of several teams must be on that model."""


def draw_noise(rng: Rng, size: Size) -> float:
    return size.noise or float(rng.choice([1.0, 2.0], p=[0.7, 0.3]))


def draw_world(rng: Rng, demand: Demand, size: Size, noise: float) -> World:
    span = _draw_window(rng)
    informative = _draw_dimensions(rng, demand, size.dimensions)
    leaves = size.leaves or int(rng.integers(*LEAVES))
    org = draw_organisation(
        rng, leaves, informative, shared_model=demand.shared_model, sharers=demand.sharers
    )
    days = 7 * size.weeks
    whole = Window(span.start_at - timedelta(days=days), span.end_at)
    total_usd = float(np.exp(rng.uniform(*np.log(USD_PER_DAY))))
    traffic = _with_contract(rng, realise(rng, org, whole, total_usd, noise))
    return World(
        history=_hours_of(traffic, slice(0, days * 24)),
        window=_hours_of(traffic, slice(days * 24, None)),
        span=span,
        weeks=size.weeks,
        informative=informative,
        billed_providers=_draw_billed(rng, demand.billed),
        logs_characters=rng.random() < 0.5,
    )


def _draw_window(rng: Rng) -> Window:
    """A day mostly; sometimes some hours, sometimes two or three days."""
    day = FIRST_WINDOW_AT + timedelta(days=int(rng.integers(0, 6)))
    length = str(rng.choice(["day", "hours", "days"], p=[0.7, 0.15, 0.15]))
    if length == "hours":
        start_at = day + int(rng.integers(0, 15)) * HOUR
        return Window(start_at, start_at + int(rng.integers(5, 10)) * HOUR)
    return Window(day, day + timedelta(days=1 if length == "day" else int(rng.integers(2, 4))))


def _draw_dimensions(rng: Rng, demand: Demand, wanted: int | None) -> tuple[Dimension, ...]:
    """The dimensions this organisation records; what the case needs is among them."""
    count = wanted or int(rng.choice([6, 8, 10], p=[0.25, 0.15, 0.6]))
    needed = {*ALWAYS, *demand.needs}
    others = [str(d) for d in rng.permutation([d for d in DIMENSIONS if d not in needed])]
    kept = needed | set(others[: max(0, count - len(needed))])
    return tuple(d for d in DIMENSIONS if d in kept)


def _draw_billed(rng: Rng, billed: bool | None) -> frozenset[str]:
    """The providers whose use comes with its bill."""
    providers = sorted({model.provider for model in MODELS})
    if billed is not None:
        return frozenset(providers if billed else ())
    share = float(rng.choice([0.0, 0.5, 1.0], p=[0.4, 0.2, 0.4]))
    return frozenset(p for p in providers if rng.random() < share)


def _with_contract(rng: Rng, traffic: Traffic) -> Traffic:
    """Each provider bills at its list price or at a discount."""
    providers = traffic.column("provider").astype(str)
    factors = {p: float(rng.choice([1.0, 1.0, 0.9, 0.85])) for p in sorted(set(providers))}
    factor = np.array([factors[p] for p in providers])
    return replace(traffic, price_factor=traffic.price_factor * factor[:, None])


def _hours_of(traffic: Traffic, hours: slice) -> Traffic:
    return replace(traffic, counts=traffic.counts[:, :, hours], price_factor=traffic.price_factor[:, hours])
