"""Moves of requests between leaves: a rise of one that a fall of another pays back."""

import numpy as np
from numpy.typing import NDArray

from tools.shapley import Floats

NOISE_FALL = 0.3
"""A fall under this share of a leaf's own baseline is noise, not a move (reference, root cause)."""
NOISE_BESIDE_NEW = 0.05
"""The same where the work has somewhere new to go."""
FALLS = (NOISE_FALL, NOISE_BESIDE_NEW)
"""Large falls pay first."""
NEW = 0.05
"""A leaf that did at most this part of what it does now is new."""

Ints = NDArray[np.int64]


def paired_moves(change: Floats, before: Floats, groups: Ints) -> Floats:
    """The part of each leaf's change of requests that moved within its group; sums to 0 in every group.

    What is moved is the smaller of all rises and all falls that are no noise, spread over them in
    proportion. `groups` are dense codes.
    """
    moved = np.zeros_like(change)
    for least in FALLS:
        rises, falls = rises_and_falls(change - moved, before, groups, least)
        up, down = summed(groups, rises), summed(groups, falls)
        both = np.minimum(up, down)[groups]
        moved = moved + rises * quotient(both, up[groups]) - falls * quotient(both, down[groups])
    return moved


def rises_and_falls(change: Floats, before: Floats, groups: Ints, least: float) -> tuple[Floats, Floats]:
    """Sizes of the rises, and of the falls of at least a part of what there was.

    Falls that could be noise count only where most of what rises in a group is new there.
    """
    rises = np.maximum(change, 0.0)
    falls = np.where(change < -least * before, -change, 0.0)
    if least >= NOISE_FALL:
        return rises, falls
    new = summed(groups, np.where(before <= NEW * (before + change), rises, 0.0))
    beside_new = new >= 0.5 * summed(groups, rises)
    return rises * beside_new[groups], falls * beside_new[groups]


def quotient(part: Floats, whole: Floats) -> Floats:
    """`part / whole`, 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)


def summed(groups: Ints, values: Floats) -> Floats:
    """Sums of the values of each group."""
    return np.bincount(groups, values).astype(np.float64)
