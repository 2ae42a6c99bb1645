"""What a cause did: the window after it, and which leaves a right answer must and may cover."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from evals.rca.case import Ints, Mask
from evals.rca.generator.slices import Slice, slice_of
from evals.rca.generator.traffic import REQUESTS, Traffic
from evals.rca.generator.world import Name, World, names_of
from ledger.scope import Dimension, Scope
from playbooks import Cause


@dataclass(frozen=True, slots=True)
class Marked:
    """One acceptable set of leaves, by name."""

    must: frozenset[Name]
    may: frozenset[Name]


@dataclass(frozen=True, slots=True)
class Strike:
    """A cause at work."""

    causes: tuple[Cause, ...]
    window: Traffic
    marked: tuple[Marked, ...]
    scope: Scope
    text: str


@dataclass(frozen=True, slots=True)
class Touched:
    """Scopes whose rows in the window differ, by whether requests came or went."""

    gained: frozenset[Name]
    lost: frozenset[Name]
    changed: frozenset[Name]
    """Gained, lost, or altered with as many requests as before."""


def touched(world: World, after: Traffic) -> Touched:
    """Compare by scope, whatever the streams."""
    was, now = _by_name(world, world.window), _by_name(world, after)
    empty = np.zeros_like(next(iter(was.values())))
    change = {name: now.get(name, empty) - was.get(name, empty) for name in {*was, *now}}
    return Touched(
        frozenset(name for name, by in change.items() if by[REQUESTS].sum() > 0),
        frozenset(name for name, by in change.items() if by[REQUESTS].sum() < 0),
        frozenset(name for name, by in change.items() if by.any()),
    )


def strike_rows(world: World, after: Traffic, hit: Slice, *causes: Cause, text: str) -> Strike:
    """A cause whose rows stay what they are: all that changed must be covered.

    The rest of the slice may be: "feature x lost its cache" is right though some of its keys never had one.
    """
    marked = _marked(world, touched(world, after).changed, _names(world, hit.streams))
    return Strike(causes, after, (marked,), hit.scope, text)


def strike_arrival(world: World, after: Traffic, scope: Scope, cause: Cause, *, text: str) -> Strike:
    """A cause that brings rows which were not there: they are the answer, and nothing else."""
    marked = _marked(world, touched(world, after).changed, ())
    return Strike((cause,), after, (marked,), scope, text)


def strike_move(
    world: World, after: Traffic, hit: Slice, cause: Cause, *, across: Collection[Dimension], text: str
) -> Strike:
    """A cause that moves use to another value of a dimension.

    What arrived must be covered. What was left may be, and so may the rest of the slice in that dimension:
    "team x moved to another model" is as right as naming the model it moved to.
    """
    seen = touched(world, after)
    wide = _without(hit.scope, across)
    marked = _marked(world, seen.gained, {*seen.changed, *_names(world, slice_of(world, wide).streams)})
    return Strike((cause,), after, (marked,), wide, text)


def strike_either(world: World, after: Traffic, hit: Slice, cause: Cause, *, text: str) -> Strike:
    """A cause that takes use out of one set of leaves into another: either set is the answer, or both."""
    seen = touched(world, after)
    beside = {*seen.changed, *_names(world, hit.streams)}
    marked = (_marked(world, seen.gained, beside), _marked(world, seen.lost, beside))
    return Strike((cause,), after, marked, hit.scope, text)


def _without(scope: Scope, dimensions: Collection[Dimension]) -> Scope:
    return Scope(tuple(item for item in scope.items if item[0] not in dimensions))


def _marked(world: World, must: Iterable[Name], may: Iterable[Name]) -> Marked:
    needed = frozenset(must)
    return Marked(needed, frozenset({*may, *world.related(list(needed))}) - needed)


def _names(world: World, streams: Mask) -> set[Name]:
    return {name for name, inside in zip(names_of(world.window), streams, strict=True) if inside}


def _by_name(world: World, traffic: Traffic) -> dict[Name, Ints]:
    """Counts and cost by hour of each scope, shape (11, hours)."""
    values = np.concatenate([traffic.counts, world.price(traffic)[None]])
    found: dict[Name, Ints] = {}
    for position, name in enumerate(names_of(traffic)):
        here = values[:, position]
        found[name] = found[name] + here if name in found else here
    return found
