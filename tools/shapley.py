"""The exact and symmetric split of a product's change among its factors."""

from math import factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def shapley_of_product(before: Floats, after: Floats) -> Floats:
    """Each factor's Shapley value in the change of the product; shapes (factors, ...) in and out.

    The value of factor i is its own change times the average, over all orders in which the factors could
    have changed, of the product of the others: a weighted sum of the elementary symmetric mixes of their
    old and new values. No logarithm and no division, so zeros do no harm.
    """
    count = before.shape[0]
    values = np.empty_like(before)
    for i in range(count):
        others = [j for j in range(count) if j != i]
        mixes = _symmetric_mixes(before[others], after[others])
        weights = [factorial(r) * factorial(count - 1 - r) / factorial(count) for r in range(count)]
        values[i] = (after[i] - before[i]) * np.tensordot(weights, mixes, axes=1)
    return values


def _symmetric_mixes(before: Floats, after: Floats) -> Floats:
    """For r = 0..n, the sum over all choices of r factors of (chosen after) x (others before)."""
    mixes = np.zeros((before.shape[0] + 1, *before.shape[1:]))
    mixes[0] = 1.0
    for old, new in zip(before, after, strict=True):
        mixes[1:] = mixes[1:] * old + mixes[:-1] * new
        mixes[0] = mixes[0] * old
    return mixes
