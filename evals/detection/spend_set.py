"""Labelled hourly spend series, the shape that every detector of the benchmark is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from detectors.statistics import BoolArray, FloatArray, IntArray

HOUR_IMPACT: dict[str, float] = dict.fromkeys(
    ("spike", "retry_storm", "leaked_key_night", "drop_to_zero"), 6.0
)
"""Least excess of a counted event of a short kind, in hours of the series' mean spend."""
LONG_IMPACT = 12.0
"""The same for the other kinds."""


@dataclass(frozen=True, slots=True)
class Event:
    """One labelled incident; hours are columns of the set, half-open."""

    row: int
    kind: str
    start: int
    end: int
    excess_usd: float
    counts: bool
    """Whether it is large enough to be hit or missed; a smaller one is neither, nor a false alarm."""


@dataclass(frozen=True, slots=True)
class SpendSet:
    """Series of one length; history first, then the hours to score."""

    name: str
    start_at: datetime
    """A midnight UTC."""
    names: tuple[str, ...]
    family: NDArray[np.str_]
    cost_usd: FloatArray
    """Shape (series, hours); 0 before a series begins."""
    tokens: FloatArray | None
    first_hour: IntArray
    """Column at which each series begins; 0 for those older than the set."""
    history_hours: int
    """Columns before the first one to score, whole days."""
    events: tuple[Event, ...]

    @property
    def hours_scored(self) -> int:
        return int(self.cost_usd.shape[1]) - self.history_hours

    @property
    def series_weeks(self) -> float:
        return len(self.names) * self.hours_scored / 168

    def labels(self) -> BoolArray:
        """(series, hours scored): hours inside any event."""
        inside = np.zeros(self.cost_usd.shape, dtype=bool)
        for event in self.events:
            inside[event.row, event.start : event.end] = True
        return inside[:, self.history_hours :]

    def rows(self, rows: Sequence[int] | IntArray) -> "SpendSet":
        """Only these series."""
        place = {int(row): position for position, row in enumerate(rows)}
        index = np.asarray(rows, dtype=np.int64)
        return SpendSet(
            self.name,
            self.start_at,
            tuple(self.names[row] for row in index),
            self.family[index],
            self.cost_usd[index],
            None if self.tokens is None else self.tokens[index],
            self.first_hour[index],
            self.history_hours,
            tuple(
                Event(place[e.row], e.kind, e.start, e.end, e.excess_usd, e.counts)
                for e in self.events
                if e.row in place
            ),
        )
