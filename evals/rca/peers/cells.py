"""Leaves as integers, and their sums over every combination of dimensions."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from evals.rca.case import Floats, Ints, LeafTable, Mask
from ledger.scope import DIMENSIONS, Dimension, Scope


@dataclass(frozen=True)
class Cuboid:
    """The cells of some dimensions; `of_leaf` says in which cell each leaf lies."""

    dimensions: tuple[Dimension, ...]
    of_leaf: Ints
    size: int

    def sums(self, values: Floats) -> Floats:
        """Shape (cells,)."""
        return np.bincount(self.of_leaf, weights=values, minlength=self.size).astype(np.float64)


@dataclass(frozen=True)
class Cells:
    """What peers work on: a forecast and an actual value of every leaf."""

    table: LeafTable

    @property
    def before(self) -> Floats:
        return self.table.before_usd

    @property
    def after(self) -> Floats:
        return self.table.after_usd

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        return self.table.informative

    @cached_property
    def codes(self) -> dict[Dimension, Ints]:
        found: dict[Dimension, Ints] = {}
        for dimension in self.dimensions:
            column = self.table.names[:, DIMENSIONS.index(dimension)].astype(str)
            found[dimension] = np.unique(column, return_inverse=True)[1].astype(np.int64)
        return found

    def cuboid(self, dimensions: tuple[Dimension, ...]) -> Cuboid:
        codes = np.stack([self.codes[d] for d in dimensions])
        distinct, of_leaf = np.unique(codes, axis=1, return_inverse=True)
        return Cuboid(dimensions, of_leaf.reshape(-1).astype(np.int64), distinct.shape[1])

    def cuboids(self, deepest: int) -> Iterator[Cuboid]:
        """Shallow ones first."""
        for depth in range(1, deepest + 1):
            for dimensions in combinations(self.dimensions, depth):
                yield self.cuboid(dimensions)

    def scope(self, cuboid: Cuboid, cell: int) -> Scope:
        """The scope of one cell."""
        leaf = int(np.argmax(cuboid.of_leaf == cell))
        name = self.table.names[leaf]
        return Scope.of({d: str(name[DIMENSIONS.index(d)]) for d in cuboid.dimensions})

    def only(self, leaves: Mask) -> "Cells":
        table = self.table
        return Cells(
            LeafTable(
                table.names[leaves],
                table.before_usd[leaves],
                table.after_usd[leaves],
                table.weekly_usd[:, leaves],
                table.weight_usd[leaves],
            )
        )
