"""Which earlier hours a window is compared with."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.reader import Reader
from ledger.scope import Dimension, Scope
from ledger.window import Window, baseline_windows

MOVABLE: tuple[Dimension, ...] = ("provider", "model", "service_tier")
"""Work moves between values of these without anybody working more or less."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A window and the earlier windows of the same length it is measured against, latest first."""

    window: Window
    baseline: tuple[Window, ...]

    @property
    def weeks(self) -> int:
        return len(self.baseline)

    @property
    def known_until(self) -> datetime:
        """What was first seen from here on is new: none of it can be in the mean."""
        return max((w.end_at for w in self.baseline), default=self.window.start_at)

    def mean(self, total: float) -> float:
        """The mean over the baseline windows of a sum over all of them."""
        return total / self.weeks if self.baseline else 0.0

    def mean_pico(self, total: int) -> int:
        """The same for money, to the nearest 1e-12 USD."""
        return (2 * total + self.weeks) // (2 * self.weeks) if self.baseline else 0


def compare_with(reader: Reader, window: Window) -> Comparison:
    """The same hours of the week in up to 4 earlier weeks, else the same hours of up to 6 earlier days."""
    extent = reader.extent()
    if extent is None:
        return Comparison(window, ())
    return Comparison(window, baseline_windows(window, extent) or _days_before(window, extent))


def widened(where: Scope) -> Scope:
    """The scope without what its work can move between: there a move shows both its ends."""
    return Scope(tuple((d, v) for d, v in where.items if d not in MOVABLE))


def _days_before(window: Window, extent: Window) -> tuple[Window, ...]:
    step = timedelta(days=-(-window.hours // 24))
    candidates = (window.shifted(-step * i) for i in range(1, 7))
    return tuple(w for w in candidates if w.start_at >= extent.start_at)
