"""Rules that compare an hour with the hours just before it."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detectors.statistics import FloatArray
from evals.detection.peers.scale import Sides, in_units, mad_sigma
from evals.detection.peers.series import DAY_HOURS, WEEK_HOURS, hours_before, known_cost, scored
from evals.detection.spend_set import SpendSet


@dataclass(frozen=True, slots=True)
class RollingZ:
    """Standard deviations from the mean of the last 8 weeks: the usual first rule of a monitoring team."""

    window_days: int = 56
    sides: Sides = "up"
    name: str = "rolling z"

    def scores(self, spend: SpendSet) -> FloatArray:
        known = known_cost(spend)
        before = hours_before(known, self.window_days * DAY_HOURS)
        mean, std = before.mean().to_numpy().T, before.std().to_numpy().T
        return scored(in_units(known - mean, std, mean, self.sides), spend)


@dataclass(frozen=True, slots=True)
class RollingMad:
    """Robust standard deviations from the median of the last 24 h.

    As open-source LLM monitors have it (the README of LLM-Sentinel: "MAD detection", fires at 3.5), after
    Iglewicz and Hoaglin 1993.
    """

    window_hours: int = 24
    sides: Sides = "up"
    name: str = "24 h MAD rule"

    def scores(self, spend: SpendSet) -> FloatArray:
        known = known_cost(spend)
        windows = sliding_window_view(known, self.window_hours, axis=1)
        before = windows[:, spend.history_hours - self.window_hours : -1]
        deviation = scored(known, spend) - np.median(before, axis=-1)
        return in_units(deviation, mad_sigma(before), before.mean(axis=-1), self.sides)


@dataclass(frozen=True, slots=True)
class WeekMeanRatio:
    """An hour over the mean hour of the last 7 days; fires at 3.

    The spend alert that is recommended for LLM gateways (at 2 in peakinfer.com, "Catching cost spikes before
    month-end").
    """

    name: str = "3x the 7-day mean"

    def scores(self, spend: SpendSet) -> FloatArray:
        known = known_cost(spend)
        mean = hours_before(known, WEEK_HOURS).mean().to_numpy().T
        return scored(in_units(known, mean, mean), spend)
