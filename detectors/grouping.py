"""When one incident explains another spike: judged by where, among the leaves, the excess lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from detectors.incidents import Direction
from detectors.leaves import LeafChange, Leaves
from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray
from ledger.window import HOUR, Window

_SMALL_REST = 0.1
"""A remainder that was expected to be so little of the whole proves nothing."""
_ALIKE = 0.5
"""Two parts rose alike when the lesser relative change is at least so much of the greater."""
_BROAD = 0.5
"""A rise is broad when keys with so much of the expected spend take part in it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Spikes taken as one incident; `founder` is the one whose window it has."""

    founder: int
    spikes: tuple[int, ...]
    window: Window
    direction: Direction
    leaves: BoolArray

    def is_near(self, other: "Group", hours: float) -> bool:
        """Same direction, some spend in common, and close in time."""
        shared = bool((self.leaves & other.leaves).any())
        return (
            shared and self.direction == other.direction and hours_apart(self.window, other.window) <= hours
        )


def explaining(near: Sequence[Group], own: Group, change: LeafChange, share: float) -> Sequence[Group]:
    """The fewest groups that hold `share` of the excess of `own`; none if all of them do not suffice."""
    needed = share * change.excess_of(own.leaves)
    ranked = sorted(near, key=lambda group: -change.excess_of(group.leaves & own.leaves))
    union = np.zeros_like(own.leaves)
    for count, group in enumerate(ranked, start=1):
        union |= group.leaves & own.leaves
        if not (own.leaves & ~union).any() or 0 < needed <= change.excess_of(union):
            return ranked[:count]
    return []


def is_common_cause(
    own: Group, parts: Sequence[Group], change: LeafChange, settings: DetectorSettings
) -> bool:
    """Whether `own` changed as a whole, rather than by some independent parts of it."""
    shared = [part.leaves & own.leaves for part in parts]
    union = np.logical_or.reduce(shared)
    rest = own.leaves & ~union
    if not is_small(rest, own.leaves, change):
        return rises_alike(rest, change.ratio_of(union), change)
    ratios = [change.ratio_of(leaves) for leaves in shared]
    starts = [part.window.start_at for part in parts]
    together = max(starts) - min(starts) <= settings.merge_hours * HOUR
    return len(parts) > 1 and together and min(ratios) >= _ALIKE * max(ratios)


def takes_over(own: Group, group: Group, change: LeafChange, leaves: Leaves, share: float) -> bool:
    """Whether `group`, which does not explain `own`, is explained by it.

    A group within it is when the rest rose alike; one across it when its excess lies in what they share.
    """
    if not (group.leaves & ~own.leaves).any():
        return rises_alike(own.leaves & ~group.leaves, change.ratio_of(group.leaves), change)
    theirs = leaves.change(group.window, group.direction)
    return theirs.excess_of(group.leaves & own.leaves) >= share * theirs.excess_of(group.leaves)


def is_small(rest: BoolArray, whole: BoolArray, change: LeafChange) -> bool:
    return change.expected_of(rest) <= _SMALL_REST * change.expected_of(whole)


def rises_alike(rest: BoolArray, ratio: float, change: LeafChange) -> bool:
    """Whether the rest changed by about `ratio` too, as a whole and in most of its keys by spend."""
    if not 0 < ratio < np.inf or change.expected_of(rest) <= 0:
        return False
    least = _ALIKE * ratio
    return change.ratio_of(rest) >= least and change.share_risen(rest, least) >= _BROAD


def hours_apart(first: Window, second: Window) -> float:
    """Hours between two windows; 0 where they touch or overlap."""
    gap = max(first.start_at, second.start_at) - min(first.end_at, second.end_at)
    return max(gap / timedelta(hours=1), 0.0)
