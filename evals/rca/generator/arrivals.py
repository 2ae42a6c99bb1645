"""Causes that bring rows which were not there: new work, a stranger, a batch run, a second export."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from evals.rca.case import Floats, Mask
from evals.rca.generator.organisation import FEATURES, Rng
from evals.rca.generator.realise import day_shape
from evals.rca.generator.slices import Pins, draw_slice
from evals.rca.generator.strike import Strike, strike_arrival, strike_rows
from evals.rca.generator.traffic import CACHE_READ, INPUT, WRITE_5M, Traffic, scaled, shifted_tokens
from evals.rca.generator.world import World, onset_hours
from ledger.scope import UNALLOCATED, Dimension, Scope
from ledger.window import HOUR

ONE_KEY: tuple[Pins, ...] = (("key_id",),)
EXPORTED: tuple[Pins, ...] = (("team",), ("project",), ("provider",), ("key_id",), ("team", "provider"))
Values = Mapping[Dimension, str]
NIGHT_UTC = (22, 23, 0, 1, 2, 3, 4)
NEW_REGIONS = ("sa-east-1", "ap-southeast-3", "af-south-1", "me-central-1")
NEW_CLIENTS = ("python-requests/2.32", "curl/8.9", "okhttp/4", "node-fetch/3")


def draw_new_workload(rng: Rng, world: World) -> Strike | None:
    """A new key, or a new feature on a key that is known."""
    like = draw_slice(rng, world, ONE_KEY, share=(0.003, 0.3))
    if like is None:
        return None
    feature: Values = {"feature": str(rng.choice([f"{name}-v2" for name in FEATURES]))}
    key: Values = {"key_id": f"key-new{int(rng.integers(16**4)):04x}"}
    values, shown = (feature, feature) if rng.random() < 0.3 else (key, key)
    if shown is key and rng.random() < 0.6:
        values = {**key, **feature}
    real_time = like.streams & (world.window.column("service_tier") != "batch")
    if not real_time.any():
        return None
    added = _added(rng, world, real_time, values, _curve(rng, world))
    after = world.window.with_added(added)
    return strike_arrival(world, after, Scope.of(shown), "new_workload", text="new")


def draw_key_leak(rng: Rng, world: World) -> Strike | None:
    """A stranger uses a key from elsewhere, at night; its usual use goes on."""
    like = draw_slice(rng, world, ONE_KEY, share=(0.003, 0.2))
    if like is None or not {"region", "client"} & set(world.informative):
        return None
    place: Values = {"region": str(rng.choice(NEW_REGIONS)), "client": str(rng.choice(NEW_CLIENTS))}
    hours = (world.span.start_at.hour + np.arange(world.window.hours)) % 24
    night = np.isin(hours, NIGHT_UTC)
    curve = night.astype(np.float64) if night.any() else np.ones(len(hours))
    added = _added(rng, world, _main(world, like.streams), {**place, "user": UNALLOCATED}, curve)
    scope = like.scope.narrowed_to(Scope.of(_known(world, place)))
    after = world.window.with_added(added)
    return strike_arrival(world, after, scope, "key_leak", text="used by a stranger")


def draw_backfill(rng: Rng, world: World) -> Strike | None:
    """A known key works through the past at the batch tier, evenly, without a cache."""
    like = draw_slice(rng, world, ONE_KEY, share=(0.003, 0.2))
    if like is None:
        return None
    values: Values = {"service_tier": "batch", "feature": "reindex-history"}
    curve = onset_hours(rng, world.window.hours).astype(np.float64)
    added = _added(rng, world, _main(world, like.streams), values, curve)
    every = np.ones(added.streams, dtype=bool)
    for source in (CACHE_READ, WRITE_5M):
        added = shifted_tokens(added, every, 1.0, source, {INPUT: 1.0})
    scope = like.scope.narrowed_to(Scope.of(_known(world, values)))
    after = world.window.with_added(added)
    return strike_arrival(world, after, scope, "backfill_or_batch", text="a batch run")


def draw_counted_twice(rng: Rng, world: World) -> Strike | None:
    """The same use is exported again, under other record ids."""
    hit = draw_slice(rng, world, EXPORTED, share=(0.04, 0.6))
    if hit is None:
        return None
    exported = world.window.only(hit.streams)
    every = np.ones(exported.streams, dtype=bool)
    again = scaled(exported, every, onset_hours(rng, world.window.hours) * 1.0)
    after = world.window.with_added(replace(again, copied=every))
    return strike_rows(world, after, hit, "accounting_artifact", text="counted twice")


def _added(rng: Rng, world: World, like: Mask, values: Values, curve: Floats) -> Traffic:
    """Requests like the largest of some streams, under other names, by an hourly curve."""
    largest = np.flatnonzero(like)[np.argsort(-world.window_usd[like])][: int(rng.integers(1, 5))]
    base = world.window.only(np.sort(largest)).renamed(_known(world, values))
    mean = world.history.counts[:, np.sort(largest)].mean(axis=2)
    load = 1000 * curve * np.clip(1 + 0.1 * rng.standard_normal(len(curve)), 0.3, 2)
    usd = float(world.window_usd.sum() * rng.uniform(0.04, 0.4))
    return _with_load(base, mean, load * usd / max(world.total_usd(_with_load(base, mean, load)), 1e-9))


def _with_load(base: Traffic, mean: Floats, load: Floats) -> Traffic:
    counts = np.rint(mean[:, :, None] * load).astype(np.int64)
    every = np.ones(base.streams, dtype=bool)
    return scaled(replace(base, counts=counts), every, 1.0)


def _curve(rng: Rng, world: World) -> Floats:
    kind = str(rng.choice(["office", "flat", "evening"]))
    hours = [world.span.start_at + i * HOUR for i in range(world.window.hours)]
    return day_shape(
        kind,
        np.array([h.hour for h in hours], dtype=np.float64),
        np.array([h.weekday() for h in hours], dtype=np.float64),
    )


def _known(world: World, values: Values) -> Values:
    """Values of the dimensions this organisation records."""
    return {d: v for d, v in values.items() if d in world.informative}


def _main(world: World, streams: Mask) -> Mask:
    """The largest of some streams."""
    best = int(np.argmax(np.where(streams, world.window_usd, -1)))
    return np.asarray(np.arange(world.window.streams) == best, dtype=bool)
