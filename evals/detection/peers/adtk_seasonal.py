"""ADTK's seasonal rule in numpy."""

from dataclasses import dataclass

import numpy as np

from detectors.statistics import FloatArray
from evals.detection.peers.scale import Sides, in_units
from evals.detection.peers.seasonal import fold
from evals.detection.peers.series import DAY_HOURS, WEEK_HOURS, score_blocks
from evals.detection.spend_set import SpendSet


@dataclass(frozen=True, slots=True)
class AdtkSeasonal:
    """`SeasonalAD` of ADTK 0.6.2: the size of the residual over its third quartile, in interquartile ranges.

    The residual is the hour less the mean of the same hours of the week of the 60 days known (of the day in
    the first two weeks); the threshold is ADTK's `c`, by default 3. Refit every midnight. Restated because
    ADTK's LevelShiftAD and PersistAD fail under pandas 3; its flags and these were the same in all of 5,760
    comparisons (24 h of 40 series, three `c`, one and both sides).
    """

    period: int = WEEK_HOURS
    sides: Sides = "up"
    name: str = "SeasonalAD rule as in ADTK"

    def scores(self, spend: SpendSet) -> FloatArray:
        return score_blocks(spend, self._score_day, window_days=60)

    def _score_day(self, known: FloatArray, day: FloatArray) -> FloatArray:
        period = self.period if len(known) >= 2 * self.period else DAY_HOURS
        cycles = fold(known, period)
        mean = np.nanmean(cycles, axis=0)
        sizes = np.abs(cycles - mean)
        lower, upper = np.nanquantile(sizes, (0.25, 0.75))
        residual = day - np.resize(mean, len(day))
        beyond = in_units(np.abs(residual) - upper, upper - lower, known.mean())
        return np.where(residual > 0, beyond, np.minimum(beyond, 0)) if self.sides == "up" else beyond
