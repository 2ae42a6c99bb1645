"""When two parts of spend changed alike, so that one cause is likelier than two."""

from datetime import timedelta

import numpy as np

from detectors.incidents import Direction
from detectors.leaves import Change, LeafChange
from detectors.places import Places
from detectors.statistics import IntArray
from ledger.window import Window

_SMALL_REST = 0.1
"""A remainder that was expected to be so little of the whole proves nothing."""
_ALIKE = 0.5
"""Two parts changed alike when the lesser relative change is at least so much of the greater."""
_BROAD = 0.5
"""A change is broad when keys with so much of the expected spend take part in it."""
_BEFORE = timedelta(hours=24)


def is_small(rest: Change, whole: Change) -> bool:
    return rest.expected <= _SMALL_REST * whole.expected


def are_alike(first: float, second: float) -> bool:
    """Whether two relative changes are about the same; what is new has none."""
    lesser, greater = sorted((first, second))
    return lesser > 0 and greater < np.inf and lesser >= _ALIKE * greater


def rose_alike(rest: LeafChange, owners: IntArray, ratio: float) -> bool:
    """Whether the rest changed by at least about `ratio`, as a whole and in most of its keys by spend."""
    whole = rest.total
    if not 0 < ratio < np.inf or whole.expected <= 0:
        return False
    least = _ALIKE * ratio
    return whole.ratio >= least and _share_risen(rest, owners, least) >= _BROAD


def _share_risen(change: LeafChange, owners: IntArray, ratio: float) -> float:
    """Share of the expected spend of keys that, their leaves taken together, rose by `ratio` at least."""
    expected, excess = np.bincount(owners, change.expected), np.bincount(owners, change.excess)
    return float(expected[excess >= ratio * expected].sum() / expected.sum())


def in_step(part: int, place: int, window: Window, direction: Direction, places: Places) -> bool:
    """Whether the rest of the place changed as the part of it did: as much, as broadly, from when on.

    "From when on" is judged by the day before the window, in which neither may have been ahead of the other.
    """
    rows = places.shared(part, place)
    inside = places.leaf_change(rows, window, direction).total
    whole = places.change(place, window, direction)
    rest = whole.without(inside)
    if is_small(rest, whole) or not are_alike(inside.ratio, rest.ratio):
        return False
    return _began_together(rows, place, window, direction, places, inside.ratio) and _is_broad(
        rows, place, window, direction, places, inside.ratio
    )


def _began_together(
    rows: IntArray, place: int, window: Window, direction: Direction, places: Places, ratio: float
) -> bool:
    start_at = window.start_at - _BEFORE
    if start_at < places.leaves.series.window.start_at:
        return True
    before = Window(start_at, window.start_at)
    inside = places.leaf_change(rows, before, direction).total
    rest = places.change(place, before, direction).without(inside)
    return abs(_shift(inside) - _shift(rest)) <= _ALIKE * ratio


def _shift(change: Change) -> float:
    return change.ratio if change.excess else 0.0


def _is_broad(
    rows: IntArray, place: int, window: Window, direction: Direction, places: Places, ratio: float
) -> bool:
    others = np.setdiff1d(places.rows(place), rows, assume_unique=True)
    return rose_alike(places.leaf_change(others, window, direction), places.owners[others], ratio)
