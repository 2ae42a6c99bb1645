"""The left matrix profile (Yeh et al., ICDM 2016), kept up to date hour by hour by stumpy."""

import warnings
from dataclasses import dataclass

import numpy as np
import stumpy

from detectors.statistics import FloatArray
from evals.detection.peers.scale import in_units
from evals.detection.peers.series import DAY_HOURS, MIN_KNOWN_HOURS, hours_before, scored
from evals.detection.spend_set import SpendSet

_SCALE_DAYS = 28


@dataclass(frozen=True, slots=True)
class LeftMatrixProfile:
    """Distance of the last 24 h from the nearest earlier 24 h, over its mean of the last 28 days.

    `stumpy.stumpi` with plain Euclidean distances: the default, normalised ones, see no change of level.
    """

    window_hours: int = 24
    name: str = "left matrix profile"

    def scores(self, spend: SpendSet) -> FloatArray:
        distance = np.full(spend.cost_usd.shape, np.nan)
        for row, first_hour in enumerate(spend.first_hour.tolist()):
            known_hours = spend.history_hours - first_hour
            if known_hours >= MIN_KNOWN_HOURS:
                distance[row, first_hour:] = self.distances(spend.cost_usd[row, first_hour:], known_hours)
        mean = hours_before(distance, _SCALE_DAYS * DAY_HOURS).mean().to_numpy().T
        level = spend.cost_usd[:, : spend.history_hours].mean(axis=1, keepdims=True)
        return scored(in_units(distance, mean, level), spend)

    def distances(self, hours: FloatArray, known_hours: int) -> FloatArray:
        """(hours,): of the stretch that ends with each hour; NaN where no earlier one does."""
        with warnings.catch_warnings():
            # stumpy takes many distances of 0, as on a flat series, for a wrong argument.
            warnings.simplefilter("ignore", UserWarning)
            profile = stumpy.stumpi(hours[:known_hours], self.window_hours, egress=False, normalize=False)
        for value in hours[known_hours:]:
            profile.update(value)
        left = np.asarray(profile.left_P_, dtype=np.float64)
        left[~np.isfinite(left)] = np.nan
        return np.concatenate([np.full(self.window_hours - 1, np.nan), left])


def compile_kernels() -> None:
    """Have numba compile stumpy's kernels, half a minute of CPU that is no part of scoring."""
    LeftMatrixProfile().distances(np.arange(100.0), 99)
