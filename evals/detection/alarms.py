"""Alarms: what an operator would see of a detector, made from its scores or by the product itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.statistics import FloatArray, IntArray
from evals.detection.spend_set import SpendSet

APART_HOURS = 24
"""Hours over the threshold that begin this far apart belong to two alarms, nearer ones to one."""
NO_ROW = -1
"""The row of an alarm that names no single series; it is false whatever happened."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm on one series; hours are columns of the set, half-open."""

    row: int
    start: int
    end: int
    peak: float = float("nan")
    """Highest score of its hours; NaN where the maker gives none."""


@dataclass(frozen=True, slots=True)
class Alarms:
    """Many alarms as columns of one length; the protocol counts these."""

    row: IntArray
    start: IntArray
    end: IntArray
    peak: FloatArray

    @classmethod
    def of(cls, alarms: Sequence[Alarm]) -> "Alarms":
        return cls(
            np.array([alarm.row for alarm in alarms], dtype=np.int64),
            np.array([alarm.start for alarm in alarms], dtype=np.int64),
            np.array([alarm.end for alarm in alarms], dtype=np.int64),
            np.array([alarm.peak for alarm in alarms], dtype=np.float64),
        )

    def __len__(self) -> int:
        return len(self.row)

    def listed(self) -> list[Alarm]:
        columns = zip(self.row, self.start, self.end, self.peak, strict=True)
        return [Alarm(int(row), int(start), int(end), float(peak)) for row, start, end, peak in columns]

    def scored(self, spend: SpendSet) -> "Alarms":
        """Their part in the hours scored; alarms that end in the history are left out."""
        inside = np.flatnonzero(self.end > spend.history_hours)
        start = np.maximum(self.start[inside], spend.history_hours)
        return Alarms(self.row[inside], start, self.end[inside], self.peak[inside])


def alarms_over(
    scores: FloatArray,
    threshold: float | FloatArray,
    spend: SpendSet,
    *,
    apart_hours: int = APART_HOURS,
) -> Alarms:
    """Merge the hours whose score reaches the threshold; NaN never does.

    `scores` is (series, hours scored); `threshold` one number or one per series.
    """
    expect_shape(scores, spend)
    with np.errstate(invalid="ignore"):
        hot = scores >= np.reshape(threshold, (-1, 1))
    row, hour = np.nonzero(hot)
    first = np.ones(len(row), dtype=bool)
    first[1:] = (np.diff(row) != 0) | (np.diff(hour) >= apart_hours)
    starts = np.flatnonzero(first)
    lasts = np.append(starts[1:], len(row)) - 1 if len(row) else starts
    return Alarms(
        row[starts],
        hour[starts] + spend.history_hours,
        hour[lasts] + spend.history_hours + 1,
        _highest(scores[hot], starts),
    )


def expect_shape(scores: FloatArray, spend: SpendSet) -> None:
    wanted = (len(spend.names), spend.hours_scored)
    if scores.shape != wanted:
        raise ValueError(f"scores of {spend.name} have shape {scores.shape}; expected {wanted}")


def _highest(values: FloatArray, starts: NDArray[np.intp]) -> FloatArray:
    """The maximum of each stretch of `values` from one start to the next."""
    return np.maximum.reduceat(values, starts) if len(starts) else np.empty(0)
