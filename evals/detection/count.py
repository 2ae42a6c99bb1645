"""The figures of a detector on labelled series, counted in alarms and events."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Count:
    """What the alarms on some series came to; a ratio over nothing is 0, a median of nothing NaN."""

    true_alarms: int
    false_alarms: int
    hits: int
    misses: int
    delays: tuple[int, ...]
    """Per hit: hours from the event's start to the end of its first alarm hour, when it can be known."""
    missed_usd: float
    """Excess of the misses."""
    series_weeks: float
    alarm_hours: int
    """From the first to the last hour of every alarm, the quiet hours between merged ones included."""
    by_kind: Mapping[str, "Count"] = field(default_factory=dict)
    """Events of one kind and the alarms that met them; a false alarm has no kind and is in none."""
    by_family: Mapping[str, "Count"] = field(default_factory=dict)

    @property
    def precision(self) -> float:
        return _ratio(self.true_alarms, self.true_alarms + self.false_alarms)

    @property
    def recall(self) -> float:
        return _ratio(self.hits, self.hits + self.misses)

    @property
    def f1(self) -> float:
        return _ratio(2 * self.precision * self.recall, self.precision + self.recall)

    @property
    def false_per_series_week(self) -> float:
        return _ratio(self.false_alarms, self.series_weeks)

    @property
    def alarm_share(self) -> float:
        """Part of the time that is under alarm."""
        return _ratio(self.alarm_hours, self.series_weeks * 168)

    @property
    def median_delay(self) -> float:
        """Hours."""
        return float(np.median(self.delays)) if self.delays else float("nan")


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
