"""Strikes a world with the causes of a kind, one after the other, and counts the dollars of each."""

from dataclasses import dataclass

import numpy as np

from evals.rca.generator.kinds import SINGLE, Kind
from evals.rca.generator.organisation import Rng
from evals.rca.generator.strike import Strike, touched
from evals.rca.generator.world import Name, World, names_of

LEAST_SHARE, MOST_SHARE = 0.025, 1.5
"""Bounds of a cause's dollars as a share of what the window would have cost."""
LEAST_OWN = 0.12
"""A cause changes its own rows' cost by at least this."""
MOST_SHARED = 0.5
"""Where causes may overlap: the part of the later one's dollars that the earlier one's rows may hold."""
SIGMAS = 4.0
"""A cause moves its rows by at least so many standard deviations of their weeks: less is nobody's to find."""
LEAST_SPREAD = 0.03
"""Of the rows' cost: their standard deviation, where four weeks happen to look alike."""
TRIES = 60


@dataclass(frozen=True, slots=True)
class Struck:
    """A world with its causes, each with the dollars it made."""

    world: World
    strikes: tuple[Strike, ...]
    delta_usd: tuple[float, ...]
    without_usd: float


def strike(rng: Rng, world: World, kind: Kind) -> Struck | None:
    """Each cause is counted with those before it already there; None where one finds no room."""
    struck = Struck(world, (), (), world.total_usd(world.window))
    taken: frozenset[Name] = frozenset()
    for names in kind.parts:
        found = _find(rng, struck, names, taken, overlap=kind.overlap)
        if found is None:
            return None
        taken |= touched(struck.world, found.window).changed
        struck = with_strike(struck, found)
    return struck


def with_strike(struck: Struck, one: Strike) -> Struck:
    delta = struck.world.total_usd(one.window) - struck.world.total_usd(struck.world.window)
    after = struck.world.with_window(one.window)
    return Struck(after, (*struck.strikes, one), (*struck.delta_usd, delta), struck.without_usd)


def _find(
    rng: Rng, struck: Struck, names: tuple[str, ...], taken: frozenset[Name], *, overlap: bool
) -> Strike | None:
    for _ in range(TRIES):
        one = SINGLE[str(rng.choice(list(names)))](rng, struck.world)
        if one is not None and _fits(struck, one, taken, MOST_SHARED if overlap else 0.0):
            return one
    return None


def _fits(struck: Struck, one: Strike, taken: frozenset[Name], most_shared: float) -> bool:
    """Whether the cause is material, more than its rows' usual variation, and off the rows of others."""
    world = struck.world
    delta = abs(world.total_usd(one.window) - world.total_usd(world.window))
    rows = touched(world, one.window).changed
    names = names_of(world.window)
    mine = np.array([name in rows for name in names])
    shared = mine & np.array([name in taken for name in names])
    own = float(world.window_usd[mine].sum())
    apart = world.window_usd[shared].sum() <= most_shared * own if most_shared else not shared.any()
    weeks = world.weekly_usd[:, mine].sum(axis=1)
    spread = max(float(weeks.std()), LEAST_SPREAD * float(weeks.mean()))
    total = struck.without_usd
    material = LEAST_SHARE * total <= delta <= MOST_SHARE * total and delta >= LEAST_OWN * own
    return bool(apart and material and delta >= SIGMAS * spread)
