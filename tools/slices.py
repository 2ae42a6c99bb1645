"""Finds the scope whose leaves moved together: expectation-based scan over combinations of dimensions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ledger.scope import UNALLOCATED, Dimension, Scope
from tools.leaves import GRAIN, Leaves
from tools.shapley import Floats

MAX_DEPTH = 3
SLACK = 0.02
"""A slice with fewer dimensions may score this much less than the best and still be told (reference: 2 %)."""

OWNERS: tuple[Dimension, ...] = ("team", "project", "key_id", "feature")
NEARLY_ALL = 0.95

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Slice:
    """Some leaves and the scope that names them."""

    scope: Scope
    leaves: np.ndarray
    """Mask over the leaves."""
    score: float


def best_slice(
    leaves: Leaves, effect: Floats, among: np.ndarray, *, dimensions: Sequence[Dimension] = GRAIN
) -> Slice:
    """The slice of the leaves in `among` that the effect fits best; nothing pinned is a slice like any other.

    The score A ln(A/B) - (A - B), B the dollars before and A = B + effect, is largest on leaves that moved
    by one ratio: others dilute it, and leaving some out lowers it.
    """
    columns = {d: _codes(leaves.column(d)) for d in dimensions}
    before: Floats = leaves.before.cost_pico.astype(np.float64) * among.astype(np.float64)
    scan = _Scan(leaves, before, effect * among, among, 1e-3 * float(np.abs(effect).sum() + before.sum()) + 1)
    best = [scan.root()]
    for depth in range(1, MAX_DEPTH + 1):
        candidates = [scan.best_of(columns, chosen) for chosen in combinations(dimensions, depth)]
        best.append(max(candidates, key=lambda s: s.score))
    top = max(s.score for s in best)
    return next(s for s in best if s.score >= (1 - SLACK) * top)


@dataclass(frozen=True, slots=True)
class _Scan:
    """What is scanned, at each combination of dimensions."""

    leaves: Leaves
    before: Floats
    moved: Floats
    among: np.ndarray
    floor: float
    """Dollars that count as something: slices that spent nothing before are measured against this."""

    def root(self) -> Slice:
        total = np.array([self.before.sum()]), np.array([self.moved.sum()])
        return Slice(Scope(), self.among.copy(), float(_score(*total, self.floor)[0]))

    def best_of(self, columns: Mapping[Dimension, Codes], chosen: tuple[Dimension, ...]) -> Slice:
        group = _combined([columns[d] for d in chosen])
        scores = _score(_summed(group, self.before), _summed(group, self.moved), self.floor)
        top = int(scores.argmax())
        values = self.leaves.values[int(np.flatnonzero(group == top)[0])]
        pinned = [(d, values[GRAIN.index(d)]) for d in chosen]
        return Slice(Scope.of(pinned), (group == top) & self.among, float(scores[top]))


def deepened(leaves: Leaves, found: Slice, effect: Floats) -> Slice:
    """The slice narrowed to the owner and key that carry nearly all of it; a feature stands in for a key."""
    scope, mask = found.scope, found.leaves
    for dimension in OWNERS:
        if dimension in scope.dimensions or (dimension == "feature" and "key_id" in scope.dimensions):
            continue
        value, share = _heaviest(leaves.column(dimension), np.abs(effect) * mask)
        if share >= NEARLY_ALL and value != UNALLOCATED:
            scope = scope.with_value(dimension, value)
            mask = mask & leaves.inside(Scope(((dimension, value),)))
    return Slice(scope, mask, found.score)


def _heaviest(column: Sequence[str], weight: Floats) -> tuple[str, float]:
    """The value with most weight and its share of all."""
    names, codes = np.unique(np.array(column, dtype=str), return_inverse=True)
    sums = np.bincount(codes, weight)
    top = int(sums.argmax())
    return str(names[top]), float(sums[top] / sums.sum()) if sums.sum() else 0.0


def _codes(column: Sequence[str]) -> Codes:
    return np.unique(np.array(column, dtype=object).astype(str), return_inverse=True)[1].astype(np.int64)


def _combined(columns: Sequence[Codes]) -> Codes:
    """One dense code per combination of values."""
    group = columns[0]
    for column in columns[1:]:
        group = np.unique(group * (column.max() + 1) + column, return_inverse=True)[1].astype(np.int64)
    return group


def _summed(group: Codes, values: Floats) -> Floats:
    return np.bincount(group, values).astype(np.float64)


def _score(before: Floats, moved: Floats, floor: float) -> Floats:
    base = np.maximum(before, floor)
    after = np.maximum(base + moved, floor * 1e-6)
    return np.asarray(after * np.log(after / base) - (after - base))
