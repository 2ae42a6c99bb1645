"""Adtributor: the one dimension whose values explain the change and are most surprising, and its recursion.

Bhagwan et al., "Adtributor: revenue debugging in advertising systems", NSDI 2014; the recursion is the one of
Persson and Rudenius, "Anomaly detection and fault localization", 2018.
"""

from dataclasses import dataclass

import numpy as np

from evals.rca.case import Floats
from evals.rca.peers.cells import Cells, Cuboid
from ledger.scope import Dimension, Scope

LEAST_OF_ONE = 0.1
"""The paper's T_EEP: the part of the change one value must explain."""
ENOUGH = 0.67
"""The paper's T_EP: the part all values of an answer must explain."""
DEEPEST = 3


@dataclass(frozen=True, slots=True)
class _Candidate:
    scopes: tuple[Scope, ...]
    surprise: float


def adtributor(cells: Cells) -> list[Scope]:
    """Values of one dimension."""
    change = float(cells.after.sum() - cells.before.sum())
    if not change:
        return []
    found = [c for d in cells.dimensions if (c := _explain_by(cells, d, change)) is not None]
    best = max(found, key=lambda c: c.surprise, default=None)
    return [] if best is None else list(best.scopes)


def recursive_adtributor(cells: Cells, depth: int = 1) -> list[Scope]:
    """Adtributor again inside each value it found, until it finds none or is deep enough."""
    found: list[Scope] = []
    for scope in adtributor(cells):
        inside = cells.only(cells.table.covered(scope))
        deeper = recursive_adtributor(inside, depth + 1) if depth < DEEPEST else []
        found += [scope.narrowed_to(part) for part in deeper] or [scope]
    return found


def _explain_by(cells: Cells, dimension: Dimension, change: float) -> _Candidate | None:
    """The most surprising values of a dimension that together explain enough."""
    cuboid = cells.cuboid((dimension,))
    before, after = cuboid.sums(cells.before), cuboid.sums(cells.after)
    explained = (after - before) / change
    surprise = _surprise(before, after)
    picked: list[int] = []
    for cell in map(int, np.argsort(-surprise, kind="stable")):
        if explained[cell] > LEAST_OF_ONE:
            picked.append(cell)
        if explained[picked].sum() > ENOUGH:
            return _candidate(cells, cuboid, picked, surprise)
    return None


def _candidate(cells: Cells, cuboid: Cuboid, picked: list[int], surprise: Floats) -> _Candidate:
    scopes = tuple(cells.scope(cuboid, cell) for cell in picked)
    return _Candidate(scopes, float(surprise[picked].sum()))


def _surprise(before: Floats, after: Floats) -> Floats:
    """Jensen-Shannon divergence of each value's share before and after."""
    p, q = before / max(before.sum(), 1e-12), after / max(after.sum(), 1e-12)
    middle = np.maximum(p + q, 1e-300)
    first = np.where(p > 0, p * np.log(np.maximum(2 * p / middle, 1e-300)), 0)
    second = np.where(q > 0, q * np.log(np.maximum(2 * q / middle, 1e-300)), 0)
    return np.asarray((first + second) / 2, dtype=np.float64)
