"""The rule of cloud cost consoles: a day's spend against the days before it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.statistics import FloatArray
from evals.detection.peers.scale import in_units
from evals.detection.peers.series import (
    DAY_HOURS,
    WEEK_HOURS,
    hours_before,
    hours_earlier,
    known_cost,
    scored,
)
from evals.detection.spend_set import SpendSet


@dataclass(frozen=True, slots=True)
class DailyRule:
    """What a day spent over what was expected, as a part of the latter; cloud consoles fire at 0.4.

    The default subscription of AWS Cost Anomaly Detection tells, once a day, of $100 and 40 % over the
    expected spend. Expected is here the larger of the mean day of the last 7 and the same weekday a week ago.
    """

    name: str
    least_usd: float = 0.0
    """Excess under which the score is 0."""
    sliding: bool = False
    """Every hour scores the 24 h that end with it. Else a UTC day is scored when it is over: the score stands
    from its last hour for a day, so that it comes up to 23 h after what it is about."""

    def scores(self, spend: SpendSet) -> FloatArray:
        known = known_cost(spend)
        total = pd.DataFrame(known.T).rolling(DAY_HOURS).sum().to_numpy().T
        expected = _expected_total(known, total)
        excess = total - expected
        share = np.where(excess >= self.least_usd, in_units(excess, expected, 0.0), np.minimum(excess, 0))
        return scored(share if self.sliding else _from_last_hour(share), spend)


def _expected_total(known: FloatArray, total: FloatArray) -> FloatArray:
    """(series, hours): expected of the 24 h that end with each hour, from the hours before them."""
    mean = hours_before(known, WEEK_HOURS).mean().to_numpy().T * DAY_HOURS
    return np.fmax(hours_earlier(mean, DAY_HOURS - 1), hours_earlier(total, WEEK_HOURS))


def _from_last_hour(values: FloatArray) -> FloatArray:
    """Each day's last value until the next day's last hour; NaN before the first."""
    hours = values.shape[1]
    day_ends = values[:, DAY_HOURS - 1 :: DAY_HOURS]
    return hours_earlier(np.repeat(day_ends, DAY_HOURS, axis=1), DAY_HOURS - 1, length=hours)
