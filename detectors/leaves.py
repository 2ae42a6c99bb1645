"""The finest scopes of the ledger: which scope holds which of them, and how each changed in a window."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.incidents import Direction
from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.errors import RefusedError
from ledger.reader import HourlySeries
from ledger.scope import Dimension, Scope
from ledger.window import HOUR, WEEK_HOURS, Window

_WEEKS = 3
_DAYS = 7


@dataclass(frozen=True, slots=True)
class LeafChange:
    """Shape (leaves,) each, over one window, signed so that the direction asked for is positive."""

    expected: FloatArray
    excess: FloatArray
    owners: IntArray
    """Which key, by number, each leaf belongs to."""

    def excess_of(self, leaves: BoolArray) -> float:
        return float(self.excess[leaves].sum())

    def expected_of(self, leaves: BoolArray) -> float:
        return float(self.expected[leaves].sum())

    def ratio_of(self, leaves: BoolArray) -> float:
        """Excess by expected; infinite for what is new."""
        expected = self.expected_of(leaves)
        return self.excess_of(leaves) / expected if expected > 0 else np.inf

    def share_risen(self, leaves: BoolArray, ratio: float) -> float:
        """Share of the expected spend of keys that, their leaves taken together, rose by `ratio` at least."""
        expected = np.bincount(self.owners[leaves], self.expected[leaves])
        excess = np.bincount(self.owners[leaves], self.excess[leaves])
        total = float(expected.sum())
        return float(expected[excess >= ratio * expected].sum()) / total if total > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Leaves:
    """Hourly series of scopes that all pin the same dimensions."""

    series: HourlySeries
    columns: Mapping[Dimension, NDArray[np.str_]]
    owners: IntArray
    """The number of each leaf's key; where leaves do not pin keys, each is an owner of its own."""

    @classmethod
    def of(cls, series: HourlySeries) -> "Leaves":
        pinned = [scope.as_dict() for scope in series.scopes]
        dimensions = series.scopes[0].dimensions if series.scopes else ()
        if any(tuple(values) != dimensions for values in pinned):
            raise RefusedError(
                f"all leaves must pin the same dimensions; the first pins {', '.join(dimensions)}"
            )
        columns = {d: np.array([values[d] for values in pinned], dtype=np.str_) for d in dimensions}
        owners = np.unique(columns.get("key_id", np.arange(len(pinned))), return_inverse=True)[1]
        return cls(series, columns, owners.astype(np.int64))

    def members(self, scope: Scope) -> BoolArray:
        """Which leaves lie in the scope; raises RefusedError when the leaves do not tell."""
        inside = np.ones(len(self.series.scopes), dtype=bool)
        for dimension, value in scope.items:
            if dimension not in self.columns:
                raise RefusedError(
                    f"scope `{scope}` needs leaves by {dimension}; these are by {', '.join(self.columns)}"
                )
            inside &= self.columns[dimension] == value
        return inside

    def spend(self) -> FloatArray:
        """All of each leaf's spend."""
        return np.asarray(self.series.values.sum(axis=1))

    def change(self, window: Window, direction: Direction) -> LeafChange:
        """Against the mean of the same hours of the week in the 3 weeks before, those that exist.

        With less than 2 weeks to compare, the same hours of the day in the 7 days before; what has no past at
        all was expected to be 0.
        """
        start = int((window.start_at - self.series.window.start_at) / HOUR)
        end = start + window.hours
        expected = np.zeros(len(self.series.values))
        if sums := self._sums_before(start, end, WEEK_HOURS, _WEEKS):
            expected = np.mean(sums, axis=0)
        if len(sums) < 2 and (sums := self._sums_before(start, end, 24, _DAYS)):
            expected = np.mean(sums, axis=0)
        actual = self.series.values[:, start:end].sum(axis=1)
        return LeafChange(expected, (actual - expected) * (1 if direction == "up" else -1), self.owners)

    def _sums_before(self, start: int, end: int, period: int, most: int) -> list[FloatArray]:
        step = -(-(end - start) // period) * period
        count = min(most, start // step)
        return [
            self.series.values[:, start - k * step : end - k * step].sum(axis=1) for k in range(1, count + 1)
        ]
