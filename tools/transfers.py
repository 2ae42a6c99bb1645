"""Moves of requests between leaves: a rise of one that a fall of another pays back."""

from collections.abc import Hashable, Sequence

import numpy as np

from tools.shapley import Floats

NOISE_FALL = 0.3
"""A fall under this share of a leaf's own baseline is noise, not a move (reference, root cause)."""


def paired_moves(change: Floats, before: Floats, groups: Sequence[Hashable]) -> Floats:
    """The part of each leaf's change of requests that moved within its group; sums to 0 in every group.

    What is moved is the smaller of all rises and all falls that are no noise, spread over them in
    proportion.
    """
    moved = np.zeros_like(change)
    members: dict[Hashable, list[int]] = {}
    for i, group in enumerate(groups):
        members.setdefault(group, []).append(i)
    for indexes in members.values():
        if len(indexes) > 1:
            moved[indexes] = _moves_within(change[indexes], before[indexes])
    return moved


def _moves_within(change: Floats, before: Floats) -> Floats:
    rises = np.maximum(change, 0.0)
    falls = np.where(change < -NOISE_FALL * before, -change, 0.0)
    moved = min(rises.sum(), falls.sum())
    if moved <= 0:
        return np.zeros_like(change)
    return np.asarray(rises * (moved / rises.sum()) - falls * (moved / falls.sum()))
