"""A scan of cost alone: the combination that most unlikely moved by chance, taken out, and again.

The expectation-based Poisson statistic A ln(A/B) - (A - B) of Neill, "Fast subset scan for spatial pattern
detection", 2012. It is what a search over slices can do without mechanisms.
"""

import numpy as np

from evals.rca.case import Floats
from evals.rca.peers.cells import Cells, Cuboid
from ledger.scope import Scope

DEEPEST = 3
MOST = 4
LEAST_SHARE = 0.02
"""Of the whole's dollars: what a slice must have moved by."""
SIGMAS = 6.0
"""A slice must have moved by this many standard deviations of its own weeks."""
GIVEN_UP = 0.98
"""A shallower slice may score this much of the best."""


def cost_scan(cells: Cells) -> list[Scope]:
    total, found, left = float(cells.before.sum()), list[Scope](), cells
    while len(found) < MOST and len(left.table.names):
        scope = _best(left, total)
        if scope is None or not scope.items:
            break
        found.append(scope)
        left = left.only(~left.table.covered(scope))
    return found


def _best(cells: Cells, total: float) -> Scope | None:
    """The root competes too: where it wins, the change is broad and nobody is to blame."""
    root = float(_statistic(np.array([cells.before.sum()]), np.array([cells.after.sum()]))[0])
    best, scope = root, None
    for depth in range(1, DEEPEST + 1):
        for cuboid in cells.cuboids(depth):
            if len(cuboid.dimensions) < depth:
                continue
            value, cell = _strongest(cells, cuboid, total)
            if value * GIVEN_UP > best:
                best, scope = value, cells.scope(cuboid, cell)
    return scope


def _strongest(cells: Cells, cuboid: Cuboid, total: float) -> tuple[float, int]:
    before, after = cuboid.sums(cells.before), cuboid.sums(cells.after)
    weeks = np.stack([cuboid.sums(week) for week in cells.table.weekly_usd])
    spread = np.maximum(weeks.std(axis=0, ddof=1) if len(weeks) > 1 else 0 * before, 0.04 * before)
    moved = np.abs(after - before)
    material = (moved >= LEAST_SHARE * total) & (moved >= SIGMAS * spread)
    value = np.where(material, _statistic(before, after), -np.inf)
    cell = int(np.argmax(value))
    return float(value[cell]), cell


def _statistic(before: Floats, after: Floats) -> Floats:
    b, a = np.maximum(before, 1e-9), np.maximum(after, 1e-9)
    return np.asarray(a * np.log(a / b) - (a - b), dtype=np.float64)
