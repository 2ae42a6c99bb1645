"""The rule of cloud cost consoles: a day against the days before it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.statistics import FloatArray
from evals.detection.peers.scale import in_units
from evals.detection.peers.series import DAY_HOURS, known_cost, scored
from evals.detection.spend_set import SpendSet

_LEAST_DAYS = 3


@dataclass(frozen=True, slots=True)
class DailyRule:
    """A UTC day's spend over what was expected, as a part of the latter.

    The alert of AWS Cost Anomaly Detection's default subscription (+40 % and $100 over the expected spend,
    told once a day), expected being the larger of the mean of the last 7 days and the same weekday's spend a
    week before. The score stands from the day's last hour, when its total is known, for a day.
    """

    least_usd: float
    """Excess under which the score is 0."""
    name: str
    mean_days: int = 7
    weekday: bool = True
    hold: bool = True

    def scores(self, spend: SpendSet) -> FloatArray:
        days = spend.cost_usd.shape[1] // DAY_HOURS
        daily = known_cost(spend)[:, : days * DAY_HOURS].reshape(-1, days, DAY_HOURS).sum(axis=-1)
        excess = daily - self._expected(daily)
        share = in_units(excess, self._expected(daily), 0.0)
        share = np.where(excess >= self.least_usd, share, 0.0)
        return scored(_from_last_hour(share, int(spend.cost_usd.shape[1]), self.hold), spend)

    def _expected(self, daily: FloatArray) -> FloatArray:
        earlier = pd.DataFrame(daily.T).shift(1)
        mean = earlier.rolling(self.mean_days, min_periods=_LEAST_DAYS).mean().to_numpy().T
        if not self.weekday:
            return mean
        return np.fmax(mean, pd.DataFrame(daily.T).shift(7).to_numpy().T)


def _from_last_hour(daily: FloatArray, hours: int, hold: bool) -> FloatArray:
    """(series, hours): each day's value from its last hour until the next day's last hour."""
    values = np.zeros((len(daily), hours))
    if not hold:
        values[:, DAY_HOURS - 1 :: DAY_HOURS] = daily
        return values
    told = np.repeat(daily, DAY_HOURS, axis=1)[:, : hours - DAY_HOURS + 1]
    values[:, DAY_HOURS - 1 : DAY_HOURS - 1 + told.shape[1]] = told
    return values
