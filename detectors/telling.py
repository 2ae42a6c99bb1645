"""Where an incident is told, and the amounts it is told with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from detectors.alike import is_small, rose_alike
from detectors.grouping import Group, Timeline
from detectors.leaves import LeafChange
from detectors.places import Places
from detectors.scored import Amounts, ScoredSeries
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray, IntArray
from ledger.scope import Scope
from ledger.window import Window

SWITCH = 1.05
"""A part that holds more than so many times the excess of the whole is made up for by another part."""


def told_at_the_deepest(groups: Sequence[Group], places: Places, settings: DetectorSettings) -> list[Group]:
    """Each group at the deepest place that holds what others do not tell, unless the rest rose alike."""
    timeline = Timeline.of(groups)
    near = [[groups[i] for i in timeline.near(group, settings.merge_hours)] for group in groups]
    return [
        replace(group, place=_deepest(group, others, places, settings))
        for group, others in zip(groups, near, strict=True)
    ]


def _deepest(group: Group, near: Sequence[Group], places: Places, settings: DetectorSettings) -> int:
    """The deepest place that tells the group; one half of a switch, which holds much more, does not."""
    free = _untold(group, near, places)
    change = places.leaf_change(free, group.window, group.direction)
    excess = change.total.excess
    if excess <= 0:
        return group.place
    held = places.sums(free, change.excess)
    for place in sorted(p for p in held if p < group.place):
        tells = settings.explained_share * excess <= held[place] <= SWITCH * excess
        if tells and _stands_out(place, free, change, places):
            return place
    return group.place


def _untold(group: Group, near: Sequence[Group], places: Places) -> IntArray:
    """Leaves of the group without those of the near groups within it."""
    free = places.mask(group.place)
    touching = places.touching(group.place)
    for other in near:
        shared = touching.get(other.place, 0)
        if 0 < shared < touching[group.place] and shared == len(places.rows(other.place)):
            free[places.rows(other.place)] = False
    return np.flatnonzero(free)


def _stands_out(place: int, free: IntArray, change: LeafChange, places: Places) -> bool:
    """Whether all of the place is free, and the rest of what is free did not rise as it did."""
    inside = (places.levels[:, free] == place).any(axis=0)
    if inside.sum() < len(places.rows(place)):
        return False
    part, rest = change.only(inside), change.only(~inside)
    owners = places.owners[free[~inside]]
    return is_small(rest.total, part.total) or not rose_alike(rest, owners, part.total.ratio)


class Hourly(NamedTuple):
    """Spend by hour, shape (hours,) each."""

    expected: FloatArray
    actual: FloatArray


@dataclass(frozen=True, slots=True)
class Accounts:
    """Hourly expected and actual spend of places: as scored where they were, else from their past weeks."""

    places: Places
    scored: ScoredSeries | None
    row_of: dict[Scope, int]

    @classmethod
    def of(cls, places: Places, scored: ScoredSeries | None) -> "Accounts":
        keys = scored.series if scored else ()
        return cls(places, scored, {key.scope: row for row, key in enumerate(keys)})

    def hourly(self, place: int, window: Window) -> Hourly:
        row = self.row_of.get(self.places.scopes[place])
        if self.scored is not None and row is not None:
            hours = self.scored.hours_of(window)
            scored = Hourly(self.scored.expected[row, hours], self.scored.actual[row, hours])
            if np.isfinite(scored.expected).all():
                return scored
        return Hourly(*self.places.curve(place).hourly(window))

    def amounts(self, place: int, window: Window) -> Amounts:
        hourly = self.hourly(place, window)
        return Amounts(float(hourly.expected.sum()), float(hourly.actual.sum()))
