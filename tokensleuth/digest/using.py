"""Usage of a week and of the same hours before, summed exactly by any dimension."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ledger.leaf_sums import MEASURES, Ints, LeafSums, ScopeTable
from ledger.remembered import RememberingReader
from ledger.scope import DIMENSIONS, EVERYTHING, Dimension, Scope
from ledger.usage import TOKEN_CLASSES, TokenCounts
from ledger.window import Window
from tokensleuth.digest.facts import Used
from tools.mix import CHEAP_TIERS

Mask = NDArray[np.bool_]
_COUNTED = ("requests", "failed", "retried", "unpriced", *TOKEN_CLASSES)


@dataclass(frozen=True, slots=True)
class WeekUsage:
    """One row per scope with traffic in the window."""

    table: ScopeTable
    sums: LeafSums
    wasted_pico: Ints
    is_batch: Mask

    @classmethod
    def read(cls, reader: RememberingReader, window: Window | None) -> "WeekUsage":
        table = reader.scope_table()
        sums = reader.leaf_sums([window]) if window else _nothing()
        tier = DIMENSIONS.index("service_tier")
        cheap = np.isin(table.names[tier].astype(str), sorted(CHEAP_TIERS))
        is_batch = cheap[table.codes[tier][sums.scope]] if len(sums.scope) else np.zeros(0, dtype=bool)
        return cls(table, sums, _wasted(sums), is_batch)

    def inside(self, where: Scope) -> Mask:
        return np.asarray(self.table.inside(where)[self.sums.scope])

    def used(self, where: Scope = EVERYTHING) -> Used:
        """The sum over a scope."""
        return next(iter(self.by((), where).values()), Used())

    def by(self, dimensions: Sequence[Dimension], where: Scope = EVERYTHING) -> dict[Scope, Used]:
        """The sums of each combination of values that had traffic."""
        rows = np.flatnonzero(self.inside(where))
        if not len(rows):
            return {}
        groups, scopes = self.table.grouped(self.sums.scope[rows], dimensions)
        columns = {
            "cost": self.sums.cost_pico[rows],
            "wasted": self.wasted_pico[rows],
            "batch": np.where(self.is_batch[rows], self.sums.cost_pico[rows], 0),
            **{name: self._count(name)[rows] for name in _COUNTED},
        }
        summed = {name: _summed(groups, column, len(scopes)) for name, column in columns.items()}
        return {scope: _used(summed, i) for i, scope in enumerate(scopes)}

    def _count(self, name: str) -> Ints:
        return np.rint(self.sums.measures[:, MEASURES.index(name)]).astype(np.int64)


def _nothing() -> LeafSums:
    empty = np.zeros(0, dtype=np.int64)
    return LeafSums(empty, empty, np.zeros((0, len(MEASURES))), empty, empty)


def _wasted(sums: LeafSums) -> Ints:
    """Of each scope its cost times the share of its requests that failed or were retries, rounded down.

    In whole numbers of any size: cost times requests does not fit into 64 bits.
    """
    requests, failed, retried = (
        sums.measures[:, MEASURES.index(n)] for n in ("requests", "failed", "retried")
    )
    wasted = np.minimum(np.maximum(failed, retried), requests)
    found = np.zeros(len(sums.scope), dtype=np.int64)
    for row in np.flatnonzero(wasted > 0).tolist():
        found[row] = int(sums.cost_pico[row]) * int(wasted[row]) // int(requests[row])
    return found


def _summed(groups: Ints, column: Ints, count: int) -> Ints:
    totals = np.zeros(count, dtype=np.int64)
    np.add.at(totals, groups, column)
    return totals


def _used(summed: dict[str, Ints], at: int) -> Used:
    values = {name: int(column[at]) for name, column in summed.items()}
    return Used(
        cost_pico=values["cost"],
        requests=values["requests"],
        failed=values["failed"],
        retried=values["retried"],
        tokens=TokenCounts(*(values[name] for name in TOKEN_CLASSES)),
        unpriced_tokens=values["unpriced"],
        wasted_pico=values["wasted"],
        batch_pico=values["batch"],
    )
