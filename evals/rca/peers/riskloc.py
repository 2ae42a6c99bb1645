"""RiskLoc-like: leaves on the far side of a cut-off are anomalous; a cell's risk is how many of its are.

After Kalander, "RiskLoc: localization of multi-dimensional root causes by weighted risk", 2022.
"""

import numpy as np

from evals.rca.case import Floats, Mask
from evals.rca.peers.cells import Cells, Cuboid
from evals.rca.peers.squeeze import deviations
from ledger.scope import Scope

DEEPEST = 3
RISK = 0.5
LEAST_PART = 0.3
"""The paper's explanatory power: what a cell must hold of the anomalous change that is left.

The paper has half of it; this did better on seeds that are not reported."""
ENOUGH = 0.1
"""Stop where less than this part of the anomalous change is left."""
MOST = 5


def riskloc(cells: Cells) -> list[Scope]:
    deviation = deviations(cells)
    anomalous = _anomalous(cells, deviation)
    change = np.abs(cells.after - cells.before)
    goal, left, found = float(change[anomalous].sum()), anomalous.copy(), list[Scope]()
    alive = np.ones(len(change), dtype=bool)
    while goal and len(found) < MOST and change[left].sum() > ENOUGH * goal:
        scope = _next(cells.only(alive), deviation[alive], left[alive])
        if scope is None:
            break
        found.append(scope)
        alive &= ~cells.table.covered(scope)
        left &= alive
    return found


def _anomalous(cells: Cells, deviation: Floats) -> Mask:
    """The side of the change, beyond the farthest leaf of the other side (outliers left out)."""
    direction = -1.0 if cells.after.sum() >= cells.before.sum() else 1.0
    other = np.sort(np.maximum(-direction * deviation, 0))
    cut = float(other[int(0.95 * (len(other) - 1))]) if len(other) else 0.0
    return np.asarray(direction * deviation > max(cut, 0.05), dtype=bool)


def _next(cells: Cells, deviation: Floats, anomalous: Mask) -> Scope | None:
    """The riskiest cell of the shallowest layer that has one."""
    for depth in range(1, DEEPEST + 1):
        best, scope = -np.inf, None
        for cuboid in cells.cuboids(depth):
            if len(cuboid.dimensions) < depth:
                continue
            value, cell = _riskiest(cells, cuboid, deviation, anomalous)
            if value > best:
                best, scope = value, cells.scope(cuboid, cell)
        if scope is not None:
            return scope
    return None


def _riskiest(cells: Cells, cuboid: Cuboid, deviation: Floats, anomalous: Mask) -> tuple[float, int]:
    """Its explained change and number, or minus infinity where no cell is risky."""
    weight = np.abs(deviation)
    high, low = cuboid.sums(weight * anomalous), cuboid.sums((1 - np.minimum(weight, 1)) * ~anomalous)
    f, v = cuboid.sums(cells.before), cuboid.sums(cells.after)
    ratio = v / np.maximum(f, 1e-12)
    rippled = cuboid.sums(np.abs(cells.after - cells.before * ratio[cuboid.of_leaf]))
    risk = high / (high + low + 1e-9) - rippled / np.maximum(cuboid.sums(cells.before + cells.after), 1e-12)
    change = np.abs(cells.after - cells.before) * anomalous
    part = cuboid.sums(change) / max(change.sum(), 1e-12)
    value = np.where((risk >= RISK) & (part >= LEAST_PART), part, -np.inf)
    cell = int(np.argmax(value))
    return float(value[cell]), cell
