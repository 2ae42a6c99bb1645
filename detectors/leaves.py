"""The finest scopes of the ledger: which scope holds which of them, and how each changed in a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from detectors.incidents import Direction
from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.errors import RefusedError
from ledger.reader import HourlySeries
from ledger.scope import Dimension, Scope
from ledger.window import HOUR, WEEK_HOURS, Window

_WEEKS = 3
_DAYS = 7
_FEW = 0.1
"""Leaves up to this share of all are copied to be added up."""


class Change(NamedTuple):
    """How some spend changed over a window, signed so that the direction asked for is positive."""

    expected: float
    excess: float

    @property
    def ratio(self) -> float:
        """Excess by expected; infinite for what is new."""
        return self.excess / self.expected if self.expected > 0 else np.inf

    def without(self, part: "Change") -> "Change":
        return Change(self.expected - part.expected, self.excess - part.excess)


class LeafChange(NamedTuple):
    """How each of some leaves changed over one window: shape (leaves,) each, signed like `Change`."""

    expected: FloatArray
    excess: FloatArray

    @property
    def total(self) -> Change:
        return Change(float(self.expected.sum()), float(self.excess.sum()))

    def only(self, inside: BoolArray) -> "LeafChange":
        return LeafChange(self.expected[inside], self.excess[inside])


class Curve(NamedTuple):
    """The spend of some leaves together, added up from the first hour on."""

    start_at: datetime
    running: FloatArray
    """Shape (hours + 1,): what was spent before each hour."""

    def change(self, window: Window, direction: Direction) -> Change:
        start, end = _hours(self.start_at, window)
        actual, past = self._sum(start, end), [self._sum(*hours) for hours in _comparable(start, end)]
        expected = sum(past) / len(past) if past else 0.0
        return Change(expected, (actual - expected) * _sign(direction))

    def hourly(self, window: Window) -> tuple[FloatArray, FloatArray]:
        """Expected and actual spend of each hour, shape (hours,) each."""
        start, end = _hours(self.start_at, window)
        spend = np.diff(self.running)
        past = [spend[first:last] for first, last in _comparable(start, end)]
        actual = spend[start:end]
        return np.mean(past, axis=0) if past else np.zeros_like(actual), actual

    def _sum(self, start: int, end: int) -> float:
        return float(self.running[end] - self.running[start])


@dataclass(frozen=True, slots=True)
class Column:
    """One dimension of the leaves, by number."""

    codes: IntArray
    """Shape (leaves,)."""
    numbers: Mapping[str, int]

    @classmethod
    def of(cls, values: Sequence[str]) -> "Column":
        numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
        return cls(np.fromiter((numbers[v] for v in values), dtype=np.int64, count=len(values)), numbers)


@dataclass(frozen=True, slots=True)
class Leaves:
    """Hourly series of scopes that all pin the same dimensions."""

    series: HourlySeries
    columns: Mapping[Dimension, Column]

    @classmethod
    def of(cls, series: HourlySeries) -> "Leaves":
        dimensions = series.scopes[0].dimensions if series.scopes else ()
        if any(scope.dimensions != dimensions for scope in series.scopes):
            raise RefusedError(
                f"all leaves must pin the same dimensions; the first pins {', '.join(dimensions)}"
            )
        values = zip(*([value for _, value in scope.items] for scope in series.scopes), strict=True)
        return cls(series, {d: Column.of(column) for d, column in zip(dimensions, values, strict=True)})

    def owners(self) -> IntArray:
        """The number of each leaf's key; where leaves do not pin keys, each is an owner of its own."""
        keys = self.columns.get("key_id")
        return keys.codes if keys else np.arange(len(self.series.scopes))

    def members(self, scope: Scope) -> BoolArray:
        """Which leaves lie in the scope; raises RefusedError when the leaves do not tell."""
        self.check_told(scope)
        inside = np.ones(len(self.series.scopes), dtype=bool)
        for dimension, value in scope.items:
            column = self.columns[dimension]
            inside &= column.codes == column.numbers.get(value, -1)
        return inside

    def check_told(self, scope: Scope) -> None:
        """Raise RefusedError when the leaves do not tell which of them lie in the scope."""
        for dimension in scope.dimensions:
            if dimension not in self.columns:
                raise RefusedError(
                    f"scope `{scope}` needs leaves by {dimension}; these are by {', '.join(self.columns)}"
                )

    def spend(self) -> FloatArray:
        """All of each leaf's spend."""
        return np.asarray(self.series.values.sum(axis=1))

    def curve(self, rows: IntArray) -> Curve:
        inside = np.zeros(len(self.series.scopes))
        inside[rows] = 1.0
        few = len(rows) < _FEW * len(inside)
        together = self.series.values[rows].sum(axis=0) if few else inside @ self.series.values
        return Curve(self.series.window.start_at, np.concatenate([[0.0], np.cumsum(together)]))

    def change(self, rows: IntArray, window: Window, direction: Direction) -> LeafChange:
        """Against the mean of the same hours of the week in the 3 weeks before, those that exist.

        With less than 2 weeks to compare, the same hours of the day in the 7 days before; what has no past at
        all was expected to be 0.
        """
        start, end = _hours(self.series.window.start_at, window)
        actual, past = self._sums(rows, start, end), [self._sums(rows, *h) for h in _comparable(start, end)]
        expected = np.mean(past, axis=0) if past else np.zeros(len(rows))
        return LeafChange(expected, (actual - expected) * _sign(direction))

    def is_unlike_before(self, rows: IntArray, window: Window, direction: Direction) -> bool:
        """Whether the leaves together spent more, or less, than in any of the same hours before."""
        start, end = _hours(self.series.window.start_at, window)
        actual = self._sums(rows, start, end).sum()
        past = [self._sums(rows, *hours).sum() for hours in _comparable(start, end)]
        return all((actual - before) * _sign(direction) > 0 for before in past)

    def _sums(self, rows: IntArray, start: int, end: int) -> FloatArray:
        return np.asarray(self.series.values[rows, start:end].sum(axis=1))


def _hours(start_at: datetime, window: Window) -> tuple[int, int]:
    start = int((window.start_at - start_at) / HOUR)
    return start, start + window.hours


def _comparable(start: int, end: int) -> Sequence[tuple[int, int]]:
    """The hours to compare those from `start` to `end` with."""
    weeks = _before(start, end, WEEK_HOURS, _WEEKS)
    return weeks if len(weeks) > 1 else _before(start, end, 24, _DAYS) or weeks


def _before(start: int, end: int, period: int, most: int) -> Sequence[tuple[int, int]]:
    step = -(-(end - start) // period) * period
    count = min(most, start // step)
    return [(start - k * step, end - k * step) for k in range(1, count + 1)]


def _sign(direction: Direction) -> int:
    return 1 if direction == "up" else -1


def hours_apart(first: Window, second: Window) -> float:
    """Hours between two windows; 0 where they touch or overlap."""
    gap = max(first.start_at, second.start_at) - min(first.end_at, second.end_at)
    return max(gap / timedelta(hours=1), 0.0)
