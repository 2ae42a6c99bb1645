"""The days of a set: weekdays, month starts, holidays, and the hour of the week on a clock that changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from detectors.statistics import FloatArray, IntArray
from evals.detection.generator.noise import HOURS_PER_DAY


@dataclass(frozen=True, slots=True)
class Calendar:
    """Whole days from a midnight UTC, history first."""

    start_at: datetime
    history_days: int
    scored_days: int

    @property
    def days(self) -> int:
        return self.history_days + self.scored_days

    @property
    def hours(self) -> int:
        return self.days * HOURS_PER_DAY

    @property
    def history_hours(self) -> int:
        return self.history_days * HOURS_PER_DAY

    def weekday(self, hour: int) -> int:
        """Monday is 0."""
        return (self.start_at.weekday() + hour // HOURS_PER_DAY) % 7

    def hour_of_week(self, *, shifted_from: int, by: int) -> IntArray:
        """Shape (hours,), 0 to 167 from Monday, the local clock being `by` hours off from that hour on."""
        hour = self.start_at.weekday() * HOURS_PER_DAY + np.arange(self.hours)
        hour[shifted_from:] += by
        return np.asarray(hour % (7 * HOURS_PER_DAY), dtype=np.int64)

    def days_of_month(self, number: int) -> list[int]:
        """Indices of the days with this number in their month."""
        return [day for day in range(self.days) if (self.start_at + timedelta(days=day)).day == number]

    def holidays(self, rng: np.random.Generator) -> FloatArray:
        """Shape (hours,): 1, and a lower factor through each of a few random weekdays."""
        factor = np.ones((self.days, HOURS_PER_DAY))
        for day in rng.integers(0, self.days, rng.poisson(self.days / 45)):
            if self.weekday(int(day) * HOURS_PER_DAY) < 5:
                factor[day] = rng.uniform(0.35, 0.7)
        return factor.ravel()
