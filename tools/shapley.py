"""The exact and symmetric split of a product's change among its factors."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLOCK = 8192
"""Products worked on at once: so many stay in the processor's cache."""


def shapley_of_product(before: Floats, after: Floats) -> Floats:
    """Each factor's Shapley value in the change of the product; shapes (factors, ...) in and out.

    The mean over all orders in which the factors could change is the integral of what a factor adds while
    all of them go from old to new together (Owen, Multilinear Extensions of Games, 1972). The integrand
    is a polynomial in time, so Gauss's rule with half as many points as factors is exact. No logarithm and
    no division, so zeros do no harm.
    """
    count = before.shape[0]
    old, new = before.reshape(count, -1), after.reshape(count, -1)
    values = np.empty_like(old, dtype=np.float64)
    for start in range(0, old.shape[1], BLOCK):
        part = slice(start, start + BLOCK)
        values[:, part] = _of_block(old[:, part], new[:, part])
    return values.reshape(before.shape)


def _of_block(old: Floats, new: Floats) -> Floats:
    points, weights = np.polynomial.legendre.leggauss(-(-old.shape[0] // 2))
    change = new - old
    total = np.zeros_like(change)
    for time, weight in zip((points + 1) / 2, weights / 2, strict=True):
        total += weight * _products_of_others(old + time * change)
    return np.asarray(change * total)


def _products_of_others(factors: Floats) -> Floats:
    """For each factor, the product of all others."""
    result = np.ones_like(factors)
    for i in range(1, len(factors)):
        result[i] = result[i - 1] * factors[i - 1]
    after = np.ones_like(factors[0])
    for i in range(len(factors) - 2, -1, -1):
        after = after * factors[i + 1]
        result[i] *= after
    return result
