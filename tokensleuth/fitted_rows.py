"""Which series a model is fitted to: the largest, and of those that hold the same spend only one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import Numbers
from detectors.statistics import BoolArray, IntArray
from ledger.cells import ScopeSums
from ledger.kept.series import Members

_NAMES = ("series_ids", "position", "left_out")


@dataclass(frozen=True, slots=True)
class FittedRows:
    """The rows of a model's matrices, and the series each of them is."""

    series_ids: IntArray
    """Shape (series,), level after level, each by name."""
    position: IntArray
    """Shape (series,): the row of each; a key of one team is two series but one row."""
    left_out: IntArray
    """Series beyond the most that are scored."""

    @classmethod
    def chosen(
        cls, sums: ScopeSums, members: Members, in_order: Sequence[NDArray[np.int32]], most: int
    ) -> "FittedRows":
        """The `most` series of largest cost among those with traffic."""
        count = 1 + max((int(ids.max(initial=-1)) for ids in in_order), default=-1)
        cost, present = np.zeros(count), np.zeros(count, dtype=bool)
        for series in members.of(sums.scope_id):
            cost += np.bincount(series, sums.cost_usd, count)
            present[series] = True
        used = np.concatenate(in_order).astype(np.int64)
        used = used[present[used]]
        largest = np.sort(np.argsort(-cost[used], kind="stable")[:most])
        chosen, signature = used[largest], signatures(members, sums.scope_id[sums.cost_usd > 0], count)
        return cls(chosen, _numbered(signature[chosen]), np.setdiff1d(used, chosen))

    @classmethod
    def of(cls, arrays: dict[str, Numbers]) -> "FittedRows":
        return cls(*(arrays[name] for name in _NAMES))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return _NAMES

    def arrays(self) -> dict[str, Numbers]:
        return {name: getattr(self, name) for name in _NAMES}

    @property
    def count(self) -> int:
        """Of rows."""
        return int(self.position.max(initial=-1)) + 1

    @property
    def first(self) -> IntArray:
        """Shape (rows,): the first series of each row, which stands for it."""
        _, first = np.unique(self.position, return_index=True)
        return self.series_ids[first]

    def row_of(self, series_ids: IntArray) -> IntArray:
        """The row of each series; -1 where the model does not know it."""
        highest = max(int(self.series_ids.max(initial=-1)), int(series_ids.max(initial=-1)))
        rows = np.full(highest + 1, -1, dtype=np.int64)
        rows[self.series_ids] = self.position
        return rows[series_ids]

    def told_apart(self, signature: NDArray[np.uint64]) -> "FittedRows":
        """Rows of their own for series that are one row here but differ by the signature, (series ids,)."""
        both = signature[self.series_ids] ^ _mixed(self.position.astype(np.int32))
        return replace(self, position=_numbered(both))

    def series_of(self, rows: IntArray) -> "SeriesOfRows":
        """Every series of these rows."""
        order = np.argsort(self.position, kind="stable")
        start = np.searchsorted(self.position[order], rows)
        length = np.searchsorted(self.position[order], rows, side="right") - start
        index = np.repeat(np.arange(len(rows)), length)
        within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        return SeriesOfRows(index, self.series_ids[order[np.repeat(start, length) + within]])


@dataclass(frozen=True, slots=True)
class SeriesOfRows:
    """Shape (series,) each."""

    index: IntArray
    """The position, among the rows asked for, of the row that each series is."""
    series_ids: IntArray


def signatures(members: Members, scope_ids: NDArray[np.int32], series: int) -> NDArray[np.uint64]:
    """A number for each series that is the same for those that hold the same of these scopes."""
    found = np.zeros(series, dtype=np.uint64)
    mixed = _mixed(scope_ids)
    for level in members.of(scope_ids):
        inside: BoolArray = (level >= 0) & (level < series)
        np.add.at(found, level[inside], mixed[inside])
    return found


def _numbered(signature: NDArray[np.uint64]) -> IntArray:
    """Numbers from 0 on, in the order in which each value is first seen."""
    _, first, inverse = np.unique(signature, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def _mixed(numbers: NDArray[np.int32]) -> NDArray[np.uint64]:
    """Well spread 64 bits of each number (splitmix64, Steele et al. 2014)."""
    z = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))
