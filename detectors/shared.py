"""One cause behind several groups: told at the scope that changed as a whole, in step with each of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

from detectors.alike import in_step
from detectors.grouping import Group, group_spikes, hull
from detectors.incidents import Direction, Spike
from detectors.leaves import hours_apart
from detectors.places import Places
from detectors.settings import DetectorSettings
from detectors.synchronous import synchronous
from detectors.telling import told_at_the_deepest
from ledger.window import Window

_BACK = 0.75
"""A change is over when parts with so much of it are back."""
_INSIDE = 0.5
"""A spike stays with a cause that has so much of its excess."""


def unite_shared(
    groups: Sequence[Group], spikes: Sequence[Spike], places: Places, settings: DetectorSettings
) -> list[Group]:
    """From the deepest place to the widest, the groups that moved in step with the place become one at it.

    A place has to have two such groups, or one and a spike of its own. So do keys that moved together to the
    hour, at the deepest place that pins something.
    """
    board = _Board(spikes, places, settings)
    for group in groups:
        board.add(group)
    for place in board.deepest_first():
        for cluster in _clusters(board.in_step(place), settings.merge_hours):
            if len(cluster) > 1 or (cluster[0].place != place and board.spikes_at(place, cluster)):
                board.unite(cluster, place)
        if places.scopes[place].items:
            for cluster in synchronous(board.claimed(place), places):
                board.unite(cluster, place)
    return list(board.groups.values())


def _clusters(groups: Sequence[Group], hours: float) -> Iterator[Sequence[Group]]:
    """Groups of one direction that follow each other closely in time."""
    chain: list[Group] = []
    for group in sorted(groups, key=lambda g: (g.direction, g.window)):
        near = chain and hours_apart(hull([g.window for g in chain]), group.window) <= hours
        if chain and not (near and group.direction == chain[0].direction):
            yield chain
            chain = []
        chain.append(group)
    if chain:
        yield chain


@dataclass(frozen=True, slots=True)
class _Board:
    """The groups by their spikes, and which of them each place may have to answer for."""

    spikes: Sequence[Spike]
    places: Places
    settings: DetectorSettings
    groups: dict[tuple[int, ...], Group] = field(default_factory=dict)
    _claimed: dict[int, list[Group]] = field(default_factory=dict)
    _queue: list[int] = field(default_factory=list)

    def add(self, group: Group) -> None:
        self.groups[group.spikes] = group
        for place in self._holders(group):
            if place not in self._claimed:
                self._claimed[place] = []
                heappush(self._queue, place)
            self._claimed[place].append(group)

    def deepest_first(self) -> Iterator[int]:
        while self._queue:
            yield heappop(self._queue)

    def claimed(self, place: int) -> Sequence[Group]:
        """Groups at the place, and those it holds the excess of."""
        return [group for group in self._claimed[place] if self.groups.get(group.spikes) is group]

    def in_step(self, place: int) -> Sequence[Group]:
        """Groups at the place, and those that moved in step with it."""
        return [
            group
            for group in self.claimed(place)
            if group.place == place or in_step(group.place, place, group.window, group.direction, self.places)
        ]

    def spikes_at(self, place: int, groups: Sequence[Group]) -> Sequence[Spike]:
        spikes = (self.spikes[i] for group in groups for i in group.spikes)
        return [spike for spike in spikes if spike.series.scope == self.places.scopes[place]]

    def unite(self, groups: Sequence[Group], place: int) -> None:
        """Put one group at the place for these, without spikes whose excess lies elsewhere."""
        direction = groups[0].direction
        parts = [(g.window, self._excess(g.place, g.window, direction)) for g in groups]
        own = [spike.window for spike in self.spikes_at(place, groups)]
        parts += [(window, self._excess(place, window, direction)) for window in own]
        taken = {i for group in groups for i in group.spikes}
        inside = {i for i in taken if self._is_inside(self.spikes[i], place)}
        for group in groups:
            del self.groups[group.spikes]
        self.add(Group(tuple(sorted(inside)), _span(parts), direction, place))
        outside = group_spikes({i: self.spikes[i] for i in taken - inside}, self.places, self.settings)
        for group in told_at_the_deepest(outside, self.places, self.settings):
            self.add(group)

    def _excess(self, place: int, window: Window, direction: Direction) -> float:
        return self.places.change(place, window, direction).excess

    def _is_inside(self, spike: Spike, place: int) -> bool:
        theirs = self.places.of_scope[spike.series.scope]
        shared = self.places.shared(theirs, place)
        if len(shared) == len(self.places.rows(theirs)):
            return True
        held = self.places.leaf_change(shared, spike.window, spike.direction).total.excess
        return held >= _INSIDE * self._excess(theirs, spike.window, spike.direction)

    def _holders(self, group: Group) -> Sequence[int]:
        """The group's own place and the wider ones that hold its excess."""
        rows = self.places.rows(group.place)
        change = self.places.leaf_change(rows, group.window, group.direction)
        least = self.settings.explained_share * change.total.excess
        held = self.places.sums(rows, change.excess) if least > 0 else {}
        return [group.place, *(p for p, excess in held.items() if p > group.place and excess >= least)]


def _span(parts: Sequence[tuple[Window, float]]) -> Window:
    """From the first start on until parts with most of the excess were back."""
    ordered = sorted(parts, key=lambda part: part[0].end_at)
    running = np.cumsum([max(excess, 0.0) for _, excess in ordered])
    last = int(np.searchsorted(running, _BACK * running[-1]))
    return Window(min(window.start_at for window, _ in parts), ordered[last][0].end_at)
