"""Seasonal hybrid ESD (Vallis, Hochenbaum and Kejariwal, HotCloud 2014), scored hour by hour."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import t as student_t

from detectors.statistics import FloatArray
from evals.detection.peers.decomposition import decompose
from evals.detection.peers.scale import Sides, in_units, mad_sigma
from evals.detection.peers.series import score_blocks
from evals.detection.spend_set import SpendSet

_ALPHA = 0.05
_MOST_OUTLIERS = 0.1
"""Both as in the authors' R package AnomalyDetection."""


@dataclass(frozen=True, slots=True)
class SeasonalHybridEsd:
    """The seasonal part and the median are taken off, then the generalised ESD test runs with median and MAD.

    At every midnight the test removes the outliers of the last 28 days; each hour of the day is then tested
    alone against what is left. The score is its test statistic over the critical value at 5 %, so that the
    paper's rule fires at 1.
    """

    window_days: int = 28
    sides: Sides = "up"
    name: str = "S-H-ESD"

    def scores(self, spend: SpendSet) -> FloatArray:
        return score_blocks(spend, self._score_day, window_days=self.window_days)

    def _score_day(self, known: FloatArray, day: FloatArray) -> FloatArray:
        parts = decompose(known)
        normal = without_outliers(known - parts.seasonal, self.sides)
        deviation = day - parts.next_seasonal[: len(day)] - np.median(normal)
        units = in_units(deviation, mad_sigma(normal), known.mean(), self.sides)
        return units / critical_value(len(normal) + 1, self.sides)


def without_outliers(values: FloatArray, sides: Sides) -> FloatArray:
    """What the generalised ESD test (Rosner 1983) leaves, with median and MAD for mean and deviation."""
    kept = values
    normal = values
    for _ in range(int(_MOST_OUTLIERS * len(values))):
        off = in_units(kept - np.median(kept), mad_sigma(kept), 0.0, sides)
        worst = int(off.argmax())
        above = off[worst] > critical_value(len(kept), sides)
        kept = np.delete(kept, worst)
        normal = kept if above else normal
    return normal


@cache
def critical_value(count: int, sides: Sides) -> float:
    """Of the largest deviation among `count` normal values, in standard deviations."""
    tail = _ALPHA / (count * (2 if sides == "both" else 1))
    quantile = float(student_t.ppf(1 - tail, count - 2))
    return float(quantile * (count - 1) / np.sqrt((count - 2 + quantile**2) * count))
