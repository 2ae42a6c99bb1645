"""From deviations to one score per hour: windows upwards, drops downwards, and the forest's surprise."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detectors.forest import Forest, forest_features, surprise
from detectors.scale import DROP_WINDOWS, WINDOWS, Calibration, missing_share
from detectors.seasonal import DAY_HOURS
from detectors.statistics import FloatArray, rolling_sum

GATE_HOURS = 6
_HOPELESS_DROP = 0.9
"""A series that loses so much of its spend in ordinary times has no drops."""
_CALM = 0.5
"""Under this base score an hour is ordinary and the forest is not asked."""
_FULL_BASE = 3.0


@dataclass(frozen=True, slots=True)
class Scores:
    """Every field but `terms` has shape (series, hours); NaN where a series is not scored."""

    values: FloatArray
    """Higher is more anomalous; comparable across series."""
    expected: FloatArray
    scale: FloatArray
    """One sigma of a single hour's deviation."""
    direction: FloatArray
    """+1 where the score speaks of too much, -1 of too little."""
    excess: FloatArray
    """Deviation summed over the last 6 hours, for the gate."""
    terms: Mapping[str, FloatArray]

    @property
    def hours(self) -> int:
        return int(np.size(self.values, axis=1))


def window_z(actual: FloatArray, expected: FloatArray, calibration: Calibration) -> FloatArray:
    """(series, hours, windows): summed deviations in sigmas, 0 without a scale; starts at 00:00 UTC."""
    deviation = actual - expected
    hour_of_day = np.arange(actual.shape[1]) % DAY_HOURS
    z = np.zeros((*actual.shape, len(WINDOWS)))
    for i, window in enumerate(WINDOWS):
        scale = calibration.scale[:, i, hour_of_day]
        np.divide(rolling_sum(deviation, window), scale, out=z[..., i], where=scale > 0)
    return z


def drop_scores(actual: FloatArray, expected: FloatArray, calibration: Calibration) -> FloatArray:
    """(series, hours, drop windows): how far the missing share exceeds the ordinary one, 0 to 1."""
    scores = []
    for i, window in enumerate(DROP_WINDOWS):
        limit = calibration.drop_limit[:, i, None]
        share = missing_share(actual, expected, calibration.hourly_mean, window)
        score = np.maximum(np.nan_to_num(share, nan=-np.inf) - limit, 0.0) / (1.02 - limit)
        scores.append(np.where(limit > _HOPELESS_DROP, 0.0, score))
    return np.stack(scores, axis=-1)


def score_hours(
    actual: FloatArray, expected: FloatArray, calibration: Calibration, forest: Forest | None
) -> Scores:
    """Score every hour of (series, hours) from it and the 71 hours before it."""
    z = window_z(actual, expected, calibration)
    drop = drop_scores(actual, expected, calibration)
    up = np.maximum(0.9 * z[..., 0], z[..., 1])
    down = 6 * drop[..., 1]
    base = np.maximum(np.maximum(up, down), 0.0)
    unusual = np.zeros_like(base)
    asked = base > _CALM
    unusual[asked] = surprise(forest, forest_features(z, drop)[asked])
    values = base + 2 * unusual * np.minimum(base / _FULL_BASE, 1.0)
    hour_of_day = np.arange(actual.shape[1]) % DAY_HOURS
    names = [f"z_{window}h" for window in WINDOWS]
    return Scores(
        values=values,
        expected=expected,
        scale=calibration.scale[:, 0, hour_of_day],
        direction=np.where(down > up, -1.0, 1.0),
        excess=rolling_sum(actual - expected, GATE_HOURS),
        terms={
            **{name: z[..., i] for i, name in enumerate(names)},
            "drop_6h": drop[..., 1],
            "forest": unusual,
        },
    )
