"""The scored hours of many series, as charts, spikes and incidents need them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from detectors.incidents import SeriesKey
from detectors.statistics import FloatArray, IntArray
from ledger.scope import Scope
from ledger.window import HOUR, Window


class Amounts(NamedTuple):
    """Sums over a window, in the unit of the metric."""

    expected: float
    actual: float


@dataclass(frozen=True, slots=True)
class ScoredSeries:
    """Matrices of shape (series, hours of `window`); all but `actual` are NaN in hours not scored."""

    series: tuple[SeriesKey, ...]
    window: Window
    actual: FloatArray
    expected: FloatArray
    scale: FloatArray
    """One sigma of a single hour: `expected` plus or minus twice this is the ordinary band."""
    values: FloatArray
    """The scores; higher is more anomalous, comparable across series."""
    flagged: FloatArray
    """+1 or -1 in hours of a spike, else 0."""
    terms: Mapping[str, FloatArray]

    def row_of(self, scope: Scope) -> int | None:
        rows = (row for row, key in enumerate(self.series) if key.scope == scope)
        return next(rows, None)

    def hours_of(self, window: Window) -> slice:
        """Columns of the part of `window` that was scored."""
        start = int((window.start_at - self.window.start_at) / HOUR)
        end = int((window.end_at - self.window.start_at) / HOUR)
        return slice(max(start, 0), max(end, 0))

    def amounts(self, row: int, window: Window) -> Amounts:
        hours = self.hours_of(window)
        return Amounts(float(self.expected[row, hours].sum()), float(self.actual[row, hours].sum()))

    def since(self, window: Window) -> "ScoredSeries":
        """Only the hours of `window`."""
        hours = self.hours_of(window)
        return self._cut(np.arange(len(self.series)), hours, window)

    def rows(self, rows: IntArray) -> "ScoredSeries":
        """Only these series."""
        return self._cut(rows, slice(None), self.window)

    def _cut(self, rows: IntArray, hours: slice, window: Window) -> "ScoredSeries":
        return ScoredSeries(
            series=tuple(self.series[row] for row in rows),
            window=window,
            actual=self.actual[rows, hours],
            expected=self.expected[rows, hours],
            scale=self.scale[rows, hours],
            values=self.values[rows, hours],
            flagged=self.flagged[rows, hours],
            terms={name: values[rows, hours] for name, values in self.terms.items()},
        )
