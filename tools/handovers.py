"""Work that passes from one client, region or user to another is compared with what it was there."""

from dataclasses import replace

import numpy as np

from ledger.scope import Dimension
from tools.leaves import GRAIN, Ints, Leaves, Mask, Pico, Side
from tools.shapley import Floats
from tools.transfers import PASSES, Pass, quotient, rises_and_falls, summed

CARRIERS: tuple[tuple[Dimension, ...], ...] = (
    ("user", "region"),
    ("user", "client"),
    ("user",),
    (),
)
"""What stays the same while the rest of a leaf changes: first clients pass work on, then regions, then
both, at last users."""


def handed_over(leaves: Leaves, before: Side, after: Side) -> Side:
    """`before` with the past of work that moved within its grain given to the leaves it moved to.

    A leaf whose fall is no noise gives the part of its past that another leaf took over; sums over the grain
    stay what they were, money to 1e-12 USD. Work is requests; tokens in a grain where any are not known.
    """
    by_tokens = leaves.by_tokens(GRAIN)
    for kept in CARRIERS:
        groups = leaves.groups((*GRAIN, *kept))
        for step in PASSES:
            before = _passed_on(before, after, groups, step, by_tokens)
    return before


def _passed_on(before: Side, after: Side, groups: Ints, step: Pass, by_tokens: Mask) -> Side:
    was = before.work(by_tokens)
    rises, falls = rises_and_falls(after.work(by_tokens) - was, was, groups, step)
    up, down = summed(groups, rises), summed(groups, falls)
    moved = np.minimum(up, down)
    if not moved.any():
        return before
    given = quotient(falls, was) * quotient(moved, down)[groups]
    taken = quotient(rises * (moved > 0)[groups], up[groups])
    plain = {
        name: _moved(getattr(before, name), given, taken, groups)
        for name in ("requests", "failed", "retried", "tokens", "characters", "unpriced", "uncounted")
    }
    return replace(before, **plain, cost_pico=_moved_pico(before.cost_pico, given, taken, groups))


def _moved(values: Floats, given: Floats, taken: Floats, groups: Ints) -> Floats:
    if values.ndim > 1:
        return np.stack([_moved(column, given, taken, groups) for column in values.T], axis=-1)
    gift = np.where(given > 0, values * given, 0.0)
    pool = summed(groups, gift)[groups]
    return np.asarray(values - gift + np.where(taken > 0, pool * taken, 0.0))


def _moved_pico(values: Pico, given: Floats, taken: Floats, groups: Ints) -> Pico:
    """The same in whole numbers; what rounding leaves over goes to the last taker of each group."""
    gift = np.minimum(np.floor(values * given), values).astype(np.int64)
    pool = np.zeros(int(groups.max()) + 1, dtype=np.int64)
    np.add.at(pool, groups, gift)
    takers = np.flatnonzero(taken > 0)
    got = np.floor(pool[groups[takers]] * taken[takers]).astype(np.int64)
    left = pool.copy()
    np.subtract.at(left, groups[takers], got)
    last = np.full(len(pool), -1)
    last[groups[takers]] = np.arange(len(takers))
    has_taker = last >= 0
    got[last[has_taker]] += left[has_taker]
    result = values - gift
    result[takers] += got
    return result
