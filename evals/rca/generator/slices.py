"""Draws the slice a cause strikes: some pinned dimensions around a stream, material and not redundant."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.rca.case import Mask
from evals.rca.generator.organisation import Rng
from evals.rca.generator.world import World
from ledger.scope import DIMENSIONS, Dimension, Scope

Pins = tuple[Dimension, ...]

TRIES = 40
LEAST_ADDED = 0.12
"""What leaving out a pin must add to the slice's dollars, else the pin says nothing."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The streams of a scope."""

    scope: Scope
    streams: Mask

    @property
    def depth(self) -> int:
        return len(self.scope.items)


def draw_slice(
    rng: Rng,
    world: World,
    shapes: Sequence[Pins],
    *,
    share: tuple[float, float] = (0.02, 0.5),
    among: Mask | None = None,
) -> Slice | None:
    """A slice of one of these shapes with a share of the window's dollars in bounds; None if none is found.

    `among` limits where it may lie: all of the slice's streams must be in it.
    """
    known = [pins for pins in shapes if all(p in world.informative for p in pins)]
    usd = world.window_usd
    chance = np.sqrt(usd * (True if among is None else among))
    if not known or not chance.sum():
        return None
    depths = sorted({len(pins) for pins in known})
    for _ in range(TRIES):
        depth = int(rng.choice(depths))
        pins = known[int(rng.choice([i for i, p in enumerate(known) if len(p) == depth]))]
        anchor = int(rng.choice(len(usd), p=chance / chance.sum()))
        found = _around(world, anchor, pins)
        inside = among is None or bool(among[found.streams].all())
        part = usd[found.streams].sum() / usd.sum()
        if inside and share[0] <= part <= share[1] and not _is_redundant(world, found):
            return found
    return None


def slice_of(world: World, scope: Scope) -> Slice:
    streams = np.ones(world.window.streams, dtype=bool)
    for dimension, value in scope.items:
        streams &= world.window.column(dimension) == value
    return Slice(scope, streams)


def _around(world: World, anchor: int, pins: Pins) -> Slice:
    name = world.window.names[anchor]
    return slice_of(world, Scope.of({pin: str(name[DIMENSIONS.index(pin)]) for pin in pins}))


def _is_redundant(world: World, found: Slice) -> bool:
    """Whether some pin could be left out and hardly change the slice."""
    usd = world.window_usd
    own = usd[found.streams].sum()
    for position in range(found.depth):
        wider = Scope(found.scope.items[:position] + found.scope.items[position + 1 :])
        if usd[slice_of(world, wider).streams].sum() < own * (1 + LEAST_ADDED):
            return True
    return False
