"""What happens beside the cause and is none: a client roll-over, a key rotation, a small drift of one key."""

from dataclasses import replace

import numpy as np

from evals.rca.case import Mask
from evals.rca.generator.organisation import Rng
from evals.rca.generator.slices import draw_slice
from evals.rca.generator.traffic import Traffic, moved, scaled
from evals.rca.generator.world import World, names_of
from ledger.scope import Dimension

ROLLOVER, ROTATION, DRIFT = 0.6, 0.5, 0.7
"""How likely each is in a case."""


def with_nuisances(rng: Rng, world: World) -> World:
    if rng.random() < ROLLOVER and "client" in world.informative:
        world = _roll_over(rng, world)
    if rng.random() < ROTATION:
        world = _rotate(rng, world)
    if rng.random() < DRIFT:
        world = _drift(rng, world)
    return world


def _roll_over(rng: Rng, world: World) -> World:
    """One team's use of a client goes to the next version of it."""
    hit = draw_slice(rng, world, (("team", "client"),), share=(0.005, 0.3))
    if hit is None:
        return world
    old = hit.scope.as_dict()["client"]
    return _renamed(rng, world, hit.streams, "client", f"{old}.{int(rng.integers(1, 9))}")


def _rotate(rng: Rng, world: World) -> World:
    """A key is replaced by another that does the same."""
    hit = draw_slice(rng, world, (("key_id",),), share=(0.002, 0.1))
    if hit is None:
        return world
    return _renamed(rng, world, hit.streams, "key_id", f"key-rot{int(rng.integers(16**4)):04x}")


def _drift(rng: Rng, world: World) -> World:
    """One key's use is up or down by 10 to 15 % in the window."""
    hit = draw_slice(rng, world, (("key_id",),), share=(0.005, 0.08))
    if hit is None:
        return world
    factor = 1 + float(rng.uniform(0.1, 0.15)) * float(rng.choice([-1, 1]))
    told = (*world.nuisances, f"drift x{factor:.2f}: {hit.scope}")
    return replace(world, window=scaled(world.window, hit.streams, factor), nuisances=told)


def _renamed(rng: Rng, world: World, streams: Mask, dimension: Dimension, value: str) -> World:
    """A new value from some hour on: days before the window, at its start, or inside it."""
    before = int(rng.integers(1, 300)) if rng.random() < 0.4 else 0
    inside = 0 if before or rng.random() < 0.6 else int(rng.integers(0, max(1, world.window.hours // 2)))
    history_hours = np.arange(world.history.hours) >= world.history.hours - before
    window_hours = np.arange(world.window.hours) >= inside
    history = _taken_over(world.history, streams, history_hours, dimension, value)
    window = _taken_over(world.window, streams, window_hours, dimension, value)
    old = names_of(window)
    pairs = zip(np.flatnonzero(streams), range(world.window.streams, window.streams), strict=True)
    kin = frozenset((old[i], old[j]) for i, j in pairs)
    told = (*world.nuisances, f"{dimension} becomes {value}")
    return replace(world, history=history, window=window, kin=world.kin | kin, nuisances=told)


def _taken_over(traffic: Traffic, streams: Mask, hours: Mask, dimension: Dimension, value: str) -> Traffic:
    return moved(traffic, streams, hours * 1.0, {dimension: value})
