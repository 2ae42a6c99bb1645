"""What people do with a cost explorer: sort by change, and take from the top until enough is explained."""

import numpy as np

from evals.rca.peers.cells import Cells
from ledger.scope import Scope

ENOUGH = 0.8
MOST = 5


def top_values(cells: Cells) -> list[Scope]:
    """The value of any one dimension with the largest change, again and again without its rows."""
    goal = float(cells.after.sum() - cells.before.sum())
    sign, left, found = (1.0 if goal >= 0 else -1.0), cells, list[Scope]()
    while len(found) < MOST and len(left.table.names):
        rest = float(left.after.sum() - left.before.sum())
        if sign * rest <= (1 - ENOUGH) * abs(goal):
            break
        found.append(_largest(left, sign))
        left = left.only(~left.table.covered(found[-1]))
    return found


def top_leaves(cells: Cells) -> list[Scope]:
    """The full combinations with the largest change."""
    change = cells.after - cells.before
    goal, found, explained = float(change.sum()), list[Scope](), 0.0
    sign = 1.0 if goal >= 0 else -1.0
    whole = cells.cuboid(cells.dimensions) if cells.dimensions else None
    if whole is None:
        return []
    by_cell = whole.sums(change)
    for cell in map(int, np.argsort(-sign * by_cell, kind="stable")):
        if sign * explained >= ENOUGH * abs(goal) or len(found) == 4 * MOST:
            break
        found.append(cells.scope(whole, cell))
        explained += float(by_cell[cell])
    return found


def one_dimension(cells: Cells) -> list[Scope]:
    """The dimension in which fewest values explain the change, as consoles suggest "top movers by ..."."""
    goal = float(cells.after.sum() - cells.before.sum())
    lists = [_movers(cells, position, goal) for position in range(len(cells.dimensions))]
    return min((one for one in lists if one), key=len, default=[])


def _movers(cells: Cells, position: int, goal: float) -> list[Scope]:
    cuboid = cells.cuboid((cells.dimensions[position],))
    change = cuboid.sums(cells.after - cells.before)
    sign, explained, found = (1.0 if goal >= 0 else -1.0), 0.0, list[Scope]()
    for cell in map(int, np.argsort(-sign * change, kind="stable")):
        found.append(cells.scope(cuboid, cell))
        explained += float(change[cell])
        if sign * explained >= ENOUGH * abs(goal):
            return found if cuboid.size > 1 else []
    return []


def _largest(cells: Cells, sign: float) -> Scope:
    best, scope = -np.inf, Scope()
    for cuboid in cells.cuboids(1):
        change = sign * cuboid.sums(cells.after - cells.before)
        cell = int(np.argmax(change))
        if change[cell] > best:
            best, scope = float(change[cell]), cells.scope(cuboid, cell)
    return scope
