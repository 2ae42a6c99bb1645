"""The scopes an incident may be told at, from the deepest to the widest, over the leaves of the ledger."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from detectors.incidents import Direction
from detectors.leaves import Change, Curve, LeafChange, Leaves
from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.scope import Dimension, Scope
from ledger.window import Window


@dataclass(frozen=True, slots=True)
class Places:
    """A place is the position of a scope in `scopes`.

    Keys come first, for a key is somebody's to act on; then scopes by spend; the more pinned name first.
    Scopes that pin the same dimensions share no leaf, so that one row of places says where each leaf lies.
    """

    leaves: Leaves
    scopes: tuple[Scope, ...]
    of_scope: Mapping[Scope, int]
    levels: IntArray
    """Shape (levels, leaves): the place of that level that holds the leaf; -1 where there is none."""
    owners: IntArray
    """Shape (leaves,): the number of each leaf's key."""
    _rows: dict[int, IntArray] = field(default_factory=dict)
    _curves: dict[int, Curve] = field(default_factory=dict)

    @classmethod
    def of(cls, scopes: Collection[Scope], leaves: Leaves) -> "Places":
        levels = _levels_of(scopes, leaves)
        spend = leaves.spend()
        depth = {}
        for level, codes in levels:
            sums = np.bincount(codes[codes >= 0], spend[codes >= 0], minlength=len(level))
            for scope, held in zip(level, sums, strict=True):
                depth[scope] = ("key_id" not in scope.dimensions, float(held), -len(scope.items), scope)
        ordered = tuple(sorted(depth, key=lambda scope: depth[scope]))
        of_scope = {scope: place for place, scope in enumerate(ordered)}
        rows = [_renumbered(codes, [of_scope[scope] for scope in level]) for level, codes in levels]
        matrix = np.array(rows, dtype=np.int64).reshape(len(rows), len(spend))
        return cls(leaves, ordered, of_scope, matrix, leaves.owners())

    def rows(self, place: int) -> IntArray:
        """The leaves in the place, by number."""
        if place not in self._rows:
            self._rows[place] = np.flatnonzero(self.mask(place))
        return self._rows[place]

    def mask(self, place: int) -> BoolArray:
        """Whether each leaf lies in the place."""
        return np.asarray((self.levels == place).any(axis=0))

    def keys(self, place: int) -> IntArray:
        """The keys with leaves in the place, by number."""
        return np.unique(self.owners[self.rows(place)])

    def touching(self, place: int) -> Mapping[int, int]:
        """Every place that shares leaves with this one, itself included, and how many."""
        found, count = np.unique(self.levels[:, self.rows(place)], return_counts=True)
        return {int(p): int(n) for p, n in zip(found, count, strict=True) if p >= 0}

    def shared(self, deeper: int, wider: int) -> IntArray:
        """The leaves that lie in both, by number."""
        rows = self.rows(deeper)
        return np.asarray(rows[(self.levels[:, rows] == wider).any(axis=0)])

    def curve(self, place: int) -> Curve:
        if place not in self._curves:
            self._curves[place] = self.leaves.curve(self.rows(place))
        return self._curves[place]

    def change(self, place: int, window: Window, direction: Direction) -> Change:
        return self.curve(place).change(window, direction)

    def leaf_change(self, rows: IntArray, window: Window, direction: Direction) -> LeafChange:
        return self.leaves.change(rows, window, direction)

    def sums(self, rows: IntArray, values: FloatArray) -> Mapping[int, float]:
        """What each place that holds some of the leaves holds of their values."""
        held: dict[int, float] = {}
        for codes in self.levels[:, rows]:
            places, position = np.unique(codes, return_inverse=True)
            sums = np.bincount(position, values)
            held |= {int(p): float(total) for p, total in zip(places, sums, strict=True) if p >= 0}
        return held

    def covering(self, rows: IntArray) -> int | None:
        """The deepest place that holds all of the leaves."""
        inside = self.levels[:, rows]
        whole = inside[(inside == inside[:, :1]).all(axis=1), 0]
        return int(whole[whole >= 0].min()) if (whole >= 0).any() else None


def _levels_of(scopes: Collection[Scope], leaves: Leaves) -> Sequence[tuple[Sequence[Scope], IntArray]]:
    """The scopes that pin the same dimensions, and which of them each leaf lies in, -1 for none."""
    levels = []
    ordered = sorted(set(scopes), key=lambda scope: (scope.dimensions, scope))
    for dimensions, group in groupby(ordered, key=lambda scope: scope.dimensions):
        level = list(group)
        leaves.check_told(level[0])
        levels.append((level, _position(level, dimensions, leaves)))
    return levels


def _position(level: Sequence[Scope], dimensions: Sequence[Dimension], leaves: Leaves) -> IntArray:
    columns = [leaves.columns[dimension] for dimension in dimensions]
    codes = np.zeros(len(leaves.series.scopes), dtype=np.int64)
    for column in columns:
        codes = codes * len(column.numbers) + column.codes
    position = {}
    for number, scope in enumerate(level):
        values = [column.numbers.get(value) for column, (_, value) in zip(columns, scope.items, strict=True)]
        code = 0
        for column, value in zip(columns, values, strict=True):
            code = code * len(column.numbers) + (value or 0)
        if None not in values:
            position[code] = number
    found, of_leaf = np.unique(codes, return_inverse=True)
    return np.asarray([position.get(int(code), -1) for code in found], dtype=np.int64)[of_leaf]


def _renumbered(codes: IntArray, places: Sequence[int]) -> IntArray:
    return np.where(codes >= 0, np.asarray(places, dtype=np.int64)[codes], -1)
