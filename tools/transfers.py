"""Moves of requests between leaves: a rise of one that a fall of another pays back."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.shapley import Floats

NOISE = 0.3
"""A fall or rise under this share of a leaf's own baseline is noise, not a move (reference, root cause)."""
NOISE_BESIDE_NEW = 0.05
"""The same for a fall where the work has somewhere new to go."""
NEW = 0.05
"""A leaf that did at most this part of what it does now is new."""


class Pass(NamedTuple):
    """Which falls pay for which rises."""

    least_fall: float
    new_only: bool


PASSES = (Pass(NOISE, new_only=True), Pass(NOISE, new_only=False), Pass(NOISE_BESIDE_NEW, new_only=True))
"""Large falls pay for what is new, then for other rises; small ones only for what is new."""

Ints = NDArray[np.int64]


def paired_moves(change: Floats, before: Floats, groups: Ints) -> Floats:
    """The part of each leaf's change of requests that moved within its group; sums to 0 in every group.

    What is moved is the smaller of the rises and the falls that are no noise, spread over them in
    proportion. `groups` are dense codes.
    """
    moved = np.zeros_like(change)
    for step in PASSES:
        rises, falls = rises_and_falls(change - moved, before, groups, step)
        up, down = summed(groups, rises), summed(groups, falls)
        both = np.minimum(up, down)[groups]
        moved = moved + rises * quotient(both, up[groups]) - falls * quotient(both, down[groups])
    return moved


def rises_and_falls(change: Floats, before: Floats, groups: Ints, step: Pass) -> tuple[Floats, Floats]:
    """Sizes of the rises and falls that count in one pass.

    Falls that could be noise count only where most of what rises in a group is new there.
    """
    rises = np.where(change > NOISE * before, np.maximum(change, 0.0), 0.0)
    falls = np.where(change < -step.least_fall * before, -change, 0.0)
    if not step.new_only:
        return rises, falls
    new = np.where(before <= NEW * (before + change), rises, 0.0)
    if step.least_fall >= NOISE:
        return new, falls
    mostly_new = summed(groups, new) >= 0.5 * summed(groups, np.maximum(change, 0.0))
    return new * mostly_new[groups], falls * mostly_new[groups]


def quotient(part: Floats, whole: Floats) -> Floats:
    """`part / whole`, 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)


def summed(groups: Ints, values: Floats) -> Floats:
    """Sums of the values of each group."""
    return np.bincount(groups, values).astype(np.float64)
