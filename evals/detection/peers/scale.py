"""Deviations in units of a series' own noise."""

from typing import Literal

import numpy as np

from detectors.statistics import FloatArray

Sides = Literal["up", "both"]

_SIGMA_OF_MAD = 1.4826
_SIGMA_OF_MEAN_DEVIATION = 1.2533
"""Both for a normal distribution."""
_LEAST_SHARE = 0.01
"""Least scale, as a part of the mean level: without it any cent is infinite on a flat series."""
_LEAST = 1e-9


def mad_sigma(residuals: FloatArray) -> FloatArray:
    """Along the last axis: 1.4826 times the median absolute deviation.

    Where that is 0, as on a series that is mostly empty, 1.2533 times the mean absolute deviation (Iglewicz
    and Hoaglin, "How to detect and handle outliers", 1993).
    """
    off = np.abs(residuals - np.median(residuals, axis=-1, keepdims=True))
    mad = np.median(off, axis=-1)
    return np.where(mad > 0, _SIGMA_OF_MAD * mad, _SIGMA_OF_MEAN_DEVIATION * off.mean(axis=-1))


def in_units(
    deviation: FloatArray, scale: FloatArray | float, level: FloatArray | float, sides: Sides = "up"
) -> FloatArray:
    """Deviation over scale, unsigned when both sides count; `level` is the mean size of the values."""
    units = deviation / np.maximum(scale, _LEAST_SHARE * np.abs(level) + _LEAST)
    return np.asarray(np.abs(units) if sides == "both" else units)
