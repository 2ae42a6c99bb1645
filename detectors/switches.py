"""Spend that moved from one part of some keys to another: a fall and the rises that make up for it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from detectors.grouping import Group, Timeline
from detectors.incidents import Direction
from detectors.places import Places
from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.window import Window

_OVERLAP = 0.5
"""The two halves of a switch share so much of the shorter one's hours."""
_MADE_UP = 0.1
"""A key moved when other models, or tiers, of it took on so much of what it lost; they may be cheaper."""
_BROAD = 0.5
"""A fall is half of a switch when keys with so much of it moved."""
_MOVED = 0.25
"""A rise is the other half when so much of the smaller of the two is made up for, in the same keys."""
_DEARER = 1.25
"""Rises that nobody flagged are told with the fall when they are so many times as large."""


def unite_switches(groups: Sequence[Group], places: Places) -> list[Group]:
    """Each fall becomes one with the rises, in the same keys and hours, that make up for it."""
    timeline = Timeline.of(groups)
    united: dict[int, Group] = dict(enumerate(groups))
    for index, fall in enumerate(groups):
        if fall.direction == "up" or not _moved(fall, places):
            continue
        keys = _keys(fall, places)
        others = [i for i in timeline.near(fall.reversed(), 0) if i in united]
        touched = [i for i in others if keys[places.owners[places.rows(united[i].place)]].any()]
        rises = [i for i in touched if _is_switch(united[i], fall, places)]
        halves = [fall, *(united.pop(i) for i in rises)]
        del united[index]
        united[rises[0] if rises else index] = _united(halves, places) if rises else _net(fall, places)
    return list(united.values())


def _keys(group: Group, places: Places) -> BoolArray:
    """Whether each key has leaves in the group."""
    touched = np.zeros(places.owners.max() + 1, dtype=bool)
    touched[places.owners[places.rows(group.place)]] = True
    return touched


def _moved(fall: Group, places: Places) -> bool:
    """Whether most of what fell was made up for, if by less, elsewhere in the same keys."""
    lost = _by_key(places.rows(fall.place), fall.window, "down", places)
    gained = _by_key(_leaves_of(lost > 0, places), fall.window, "up", places)
    return bool(lost[gained >= _MADE_UP * lost].sum() >= _BROAD * lost.sum() > 0)


def _is_switch(rise: Group, fall: Group, places: Places) -> bool:
    window = rise.window.overlap(fall.window)
    shorter = min(rise.window.hours, fall.window.hours)
    if window is None or window.hours < _OVERLAP * shorter:
        return False
    gained = _by_key(places.rows(rise.place), window, "up", places)
    lost = _by_key(places.rows(fall.place), window, "down", places)
    moved = np.minimum(gained, lost).sum()
    return bool(0 < _MOVED * min(gained.sum(), lost.sum()) <= moved)


def _net(fall: Group, places: Places) -> Group:
    """The fall, with the rises in the same keys where those outweigh it."""
    lost = _by_key(places.rows(fall.place), fall.window, "down", places)
    rows = _leaves_of(lost > 0, places)
    rises = places.leaf_change(rows, fall.window, "up").excess
    if rises[rises > 0].sum() < _DEARER * lost.sum():
        return fall
    return _at_covering(fall, np.concatenate([places.rows(fall.place), rows[rises > 0]]), places)


def _united(groups: Sequence[Group], places: Places) -> Group:
    """The groups as one over the hours of the largest, at the deepest place that holds them all."""
    largest = max(groups, key=lambda group: places.change(group.place, group.window, group.direction).excess)
    rows = np.unique(np.concatenate([places.rows(group.place) for group in groups]))
    united = _at_covering(largest, rows, places)
    return united.with_spikes([i for group in groups for i in group.spikes])


def _at_covering(group: Group, rows: IntArray, places: Places) -> Group:
    covering = places.covering(rows)
    place = group.place if covering is None else covering
    net = places.change(place, group.window, "up").excess
    return replace(group, place=place, direction="up" if net > 0 else "down")


def _leaves_of(keys: BoolArray, places: Places) -> IntArray:
    return np.flatnonzero(keys[places.owners])


def _by_key(rows: IntArray, window: Window, direction: Direction, places: Places) -> FloatArray:
    """What the leaves of each key that moved in the direction moved by."""
    excess = np.maximum(places.leaf_change(rows, window, direction).excess, 0)
    return np.asarray(
        np.bincount(places.owners[rows], excess, minlength=places.owners.max() + 1), dtype=float
    )
