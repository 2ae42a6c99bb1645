"""Squeeze-like: leaves of one deviation belong together; each cluster is the leaves of a few cells.

After Li et al., "Generic and robust localization of multi-dimensional root causes", ISSRE 2019: deviation
scores, clusters by density, the generalised potential score, and a price for every further cell and layer.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from evals.rca.case import Floats, Mask
from evals.rca.peers.cells import Cells, Cuboid
from ledger.scope import Scope

DEEPEST = 3
BIN = 0.1
LEAST_DEVIATION = 0.2
LEAST_SHARE = 0.2
"""Of all absolute change: what a cluster must hold."""
MOST_CELLS = 4
PRICE = 0.05
"""Score given up for one cell or layer more. The paper tunes such figures per data set; these did best of a
few on seeds that are not reported."""
GOOD_ENOUGH = 0.98


@dataclass(frozen=True, slots=True)
class _Found:
    scopes: tuple[Scope, ...]
    value: float


def squeeze(cells: Cells) -> list[Scope]:
    deviation = deviations(cells)
    found: list[Scope] = []
    for cluster in _clusters(cells, deviation):
        found += [scope for scope in _localise(cells, cluster) if scope not in found]
    return found


def deviations(cells: Cells) -> Floats:
    """Between -2 (new) and 2 (gone): 2 (f - v) / (f + v)."""
    f, v = cells.before, cells.after
    return np.asarray(2 * (f - v) / np.maximum(f + v, 1e-12), dtype=np.float64)


def _clusters(cells: Cells, deviation: Floats) -> list[Mask]:
    """Hills of the histogram of deviations, weighted by change, cut at the valleys."""
    change = np.abs(cells.after - cells.before) * (np.abs(deviation) > LEAST_DEVIATION)
    bins = np.clip(((deviation + 2) / BIN).astype(np.int64), 0, int(4 / BIN))
    height = np.bincount(bins, weights=change, minlength=int(4 / BIN) + 1)
    smooth = np.convolve(height, [0.25, 0.5, 0.25], mode="same")
    cuts = [0, *(i for i in range(1, len(smooth) - 1) if _is_valley(smooth, i)), len(smooth)]
    hills = [(bins >= low) & (bins < high) & (change > 0) for low, high in pairwise(cuts)]
    total = change.sum()
    return [hill for hill in hills if change[hill].sum() > LEAST_SHARE * total]


def _is_valley(smooth: Floats, i: int) -> bool:
    return bool(smooth[i] <= smooth[i - 1] and smooth[i] < smooth[i + 1])


def _localise(cells: Cells, cluster: Mask) -> tuple[Scope, ...]:
    best = _Found((), -np.inf)
    for cuboid in cells.cuboids(DEEPEST):
        found = _best_prefix(cells, cuboid, cluster)
        if found.value > best.value:
            best = found
        if found.value > GOOD_ENOUGH:
            break
    return best.scopes


def _best_prefix(cells: Cells, cuboid: Cuboid, cluster: Mask) -> _Found:
    """The first cells by the share of their leaves that are in the cluster, as many as score best."""
    inside = cuboid.sums(np.where(cluster, np.abs(cells.after - cells.before), 0.0))
    whole = cuboid.sums(np.abs(cells.after - cells.before))
    ranked = np.argsort(-(inside / np.maximum(whole, 1e-12)) - 1e-9 * inside, kind="stable")
    order = [int(cell) for cell in ranked if inside[cell] > 0][:MOST_CELLS]
    best = _Found((), -np.inf)
    for count in range(1, len(order) + 1):
        picked = np.isin(cuboid.of_leaf, order[:count])
        value = potential_score(cells, picked, cluster) - PRICE * (count - 1 + len(cuboid.dimensions) - 1)
        if value > best.value:
            best = _Found(tuple(cells.scope(cuboid, cell) for cell in order[:count]), value)
    return best


def potential_score(cells: Cells, picked: Mask, cluster: Mask) -> float:
    """1 where the picked leaves moved by one ratio and the cluster has no others; at most 1.

    Sums take the place of the paper's means: dollars differ between leaves by orders of magnitude.
    """
    f, v = cells.before, cells.after
    ratio = v[picked].sum() / max(f[picked].sum(), 1e-12)
    rippled = np.abs(v[picked] - f[picked] * ratio).sum()
    moved = np.abs(v[picked] - f[picked]).sum()
    outside = cluster & ~picked
    left = np.abs(v[outside] - f[outside]).sum()
    return float(1 - (rippled + left) / max(moved + left, 1e-12))
