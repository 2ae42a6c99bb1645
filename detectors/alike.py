"""When two parts of spend changed alike, so that one cause is likelier than two."""

from datetime import timedelta

import numpy as np

from detectors.grouping import Group
from detectors.leaves import Change, LeafChange
from detectors.places import Places
from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.window import Window

SMALL_REST = 0.1
"""A remainder that was expected to be so little of the whole proves nothing."""
_ALIKE = 0.5
"""Two parts changed alike when the lesser relative change is at least so much of the greater."""
_BROAD = 0.5
"""A change is broad when keys with so much of the expected spend take part in it."""
_SEVERAL = 1.5
"""Keys that take part, counted by spend: one large and one tiny key are hardly more than one."""
_UNIFORM = 0.67
"""A change is uniform when parts with nearly all of the spend differ by no more than this ..."""
_NEARLY_ALL = 0.75
_KEYS = 3
"""... and so many keys are among them ..."""
_COUNTS = 0.02
"""... that have at least this share of the spend."""
_LEAST = 0.25
"""What the rest of a place that is known to have changed shows of it in the hours of a part, at the least."""
_BEFORE = timedelta(hours=24)


def is_small(rest: Change, part: Change) -> bool:
    return rest.expected <= SMALL_REST * (rest.expected + part.expected)


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
    """Share of the expected spend of keys that rose by `ratio` at least."""
    expected, risen = _by_key(change, owners, ratio)
    return float(expected[risen].sum() / expected.sum())


def _count_risen(change: LeafChange, owners: IntArray, ratio: float) -> float:
    """How many keys rose by `ratio` at least, each counted by its share of their expected spend."""
    expected, risen = _by_key(change, owners, ratio)
    return float(expected[risen].sum() ** 2 / (expected[risen] ** 2).sum())


def _by_key(change: LeafChange, owners: IntArray, ratio: float) -> tuple[FloatArray, BoolArray]:
    """What was expected of each key, its leaves taken together, and whether it rose by `ratio` at least."""
    expected, excess = np.bincount(owners, change.expected), np.bincount(owners, change.excess)
    return np.asarray(expected, dtype=float), np.asarray(excess >= ratio * expected)


def in_step(group: Group, place: int, places: Places) -> bool:
    """Whether the rest of the place changed as the group did: as much, as broadly, from when on.

    "From when on" is judged by the day before, in which neither may have been ahead of the other.
    """
    inside, rest = _parts(group, place, group.window, places)
    if is_small(rest, inside) or not are_alike(inside.ratio, rest.ratio):
        return False
    return _began_together(group, place, inside.ratio, places) and _is_broad(
        group, place, inside.ratio, places
    )


def is_uniform(group: Group, place: int, places: Places) -> bool:
    """Whether nearly all of the rest of the place, in several keys, changed by nearly the group's ratio."""
    inside, _ = _parts(group, place, group.window, places)
    change, owners = _others(group, place, places)
    expected, risen = _by_key(change, owners, _UNIFORM * inside.ratio)
    _, beyond = _by_key(change, owners, inside.ratio / _UNIFORM)
    alike = expected[risen & ~beyond] / expected.sum()
    return bool(alike.sum() >= _NEARLY_ALL and (alike >= _COUNTS).sum() >= _KEYS)


def goes_along(group: Group, place: int, ratio: float, places: Places) -> bool:
    """Whether the group changed by about `ratio`, as its place is known to have, and the rest no less."""
    inside, rest = _parts(group, place, group.window, places)
    return are_alike(inside.ratio, ratio) and _LEAST * ratio <= rest.ratio < np.inf


def _parts(group: Group, place: int, window: Window, places: Places) -> tuple[Change, Change]:
    """How the group's part of the place changed, and the rest of the place."""
    rows = places.shared(group.place, place)
    inside = places.leaf_change(rows, window, group.direction).total
    return inside, places.change(place, window, group.direction).without(inside)


def _began_together(group: Group, place: int, ratio: float, places: Places) -> bool:
    start_at = group.window.start_at - _BEFORE
    if start_at < places.leaves.series.window.start_at:
        return True
    inside, rest = _parts(group, place, Window(start_at, group.window.start_at), places)
    return abs(_shift(inside) - _shift(rest)) <= _ALIKE * ratio


def _shift(change: Change) -> float:
    return change.ratio if change.excess else 0.0


def _is_broad(group: Group, place: int, ratio: float, places: Places) -> bool:
    """Whether the others changed in several keys, as in none of the weeks before."""
    change, owners = _others(group, place, places)
    if not rose_alike(change, owners, ratio) or _count_risen(change, owners, _ALIKE * ratio) < _SEVERAL:
        return False
    return places.leaves.is_unlike_before(_other_rows(group, place, places), group.window, group.direction)


def _others(group: Group, place: int, places: Places) -> tuple[LeafChange, IntArray]:
    """How the leaves of the place that are not the group's changed, and their keys."""
    rows = _other_rows(group, place, places)
    return places.leaf_change(rows, group.window, group.direction), places.owners[rows]


def _other_rows(group: Group, place: int, places: Places) -> IntArray:
    return np.setdiff1d(places.rows(place), places.rows(group.place), assume_unique=True)
