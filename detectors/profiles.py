"""What is learnt from and what is known afterwards: the values that fitting and scoring hand each other."""

from dataclasses import dataclass, replace

import numpy as np

from detectors.arrays import taken
from detectors.forest import Forest
from detectors.price import PriceProfile
from detectors.scale import Calibration, Measured
from detectors.seasonal import DAY_HOURS, WEEK_DAYS, Shapes
from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.errors import RefusedError

CONTEXT_DAYS = 1
CONTEXT_HOURS = CONTEXT_DAYS * DAY_HOURS
"""Hours before the first scored one that a score looks back on."""
AHEAD_DAYS = WEEK_DAYS
"""A model serves so many days; a nightly refit that fails leaves the last one in force."""


@dataclass(frozen=True, slots=True)
class History:
    """What is learnt from: matrices (series, hours) of whole UTC days."""

    learnt: FloatArray
    """Flagged hours hold what was expected of them."""
    first_weekday: int
    """Of the first day; Monday is 0."""
    actual: FloatArray | None = None
    """What really was, where that differs."""
    tokens: FloatArray | None = None
    """Without them there is no price channel."""

    def rows(self, rows: IntArray | slice) -> "History":
        """Only these series."""
        return replace(
            self,
            learnt=self.learnt[rows],
            actual=None if self.actual is None else self.actual[rows],
            tokens=None if self.tokens is None else self.tokens[rows],
        )


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a block of series shows by itself; the arrays are those of `Profiles`."""

    expected: FloatArray
    envelope: FloatArray
    measured: Measured
    trained: BoolArray
    price: PriceProfile | None
    shapes: Shapes


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is known of the last 24 hours before a fit and of hours after it: all that scoring takes."""

    expected: FloatArray
    """Shape (series, hours); NaN in hours of which nothing is known."""
    envelope: FloatArray
    """Shape (series, windows, hours)."""
    calibration: Calibration
    trained: BoolArray
    price: PriceProfile | None
    forest: Forest | None


@dataclass(frozen=True, slots=True)
class Profiles:
    """What is known of each series at one midnight UTC."""

    expected: FloatArray
    """Shape (series, 192): the last day of history, as it was expected, and the 7 days after it.

    NaN on days of which nothing was known.
    """
    envelope: FloatArray
    """Shape (series, windows, 168), hour 0 being Monday 00:00 UTC."""
    first_weekday: int
    """Of the first day of `expected`."""
    calibration: Calibration
    trained: BoolArray
    """Series with enough history to be scored."""
    price: PriceProfile | None
    shapes: Shapes
    forest: Forest | None

    def ahead(self, hours: int) -> Ahead:
        """Of so many hours of `expected`; raises RefusedError for none after the fit or too many."""
        if not CONTEXT_HOURS < hours <= self.expected.shape[1]:
            raise RefusedError(
                f"{hours} h to score; from {CONTEXT_HOURS + 1} to {self.expected.shape[1]} h are right"
            )
        hour_of_week = (self.first_weekday * DAY_HOURS + np.arange(hours)) % (WEEK_DAYS * DAY_HOURS)
        return Ahead(
            expected=self.expected[:, :hours],
            envelope=self.envelope[..., hour_of_week],
            calibration=self.calibration,
            trained=self.trained,
            price=self.price,
            forest=self.forest,
        )


def take_ahead(ahead: Ahead, rows: IntArray | slice) -> Ahead:
    """Only these series."""
    return Ahead(
        expected=ahead.expected[rows],
        envelope=ahead.envelope[rows],
        calibration=taken(ahead.calibration, rows),
        trained=ahead.trained[rows],
        price=None if ahead.price is None else taken(ahead.price, rows),
        forest=ahead.forest,
    )
