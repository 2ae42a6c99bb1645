"""One cause behind several groups: told at the scope that changed as a whole, in step with each of them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

from detectors.alike import are_alike, goes_along, in_step, is_uniform
from detectors.grouping import Group, Timeline, chief_explaining, group_spikes, hull
from detectors.incidents import Direction, Spike
from detectors.leaves import hours_apart
from detectors.places import Places
from detectors.settings import DetectorSettings
from detectors.synchronous import synchronous
from detectors.telling import SWITCH, told_at_the_deepest
from ledger.window import HOUR, Window

_BACK = 0.75
"""A change is over when parts with so much of it are back."""
_INSIDE = 0.5
"""A spike stays with a cause that has so much of its excess."""


def unite_shared(
    groups: Sequence[Group], spikes: Sequence[Spike], places: Places, settings: DetectorSettings
) -> list[Group]:
    """From the deepest place to the widest, the groups that moved in step with the place become one at it.

    A place has to have two such groups, or one that stands for all of it; what its change accounts for goes
    along. Keys that moved together to the hour become one at the deepest place that pins something.
    """
    board = _Board(spikes, places, settings)
    for group in groups:
        board.add(group)
    for place in board.deepest_first():
        for chain in _clusters(board.stepping(place), settings.merge_hours):
            cluster = board.alive(chain)
            if board.is_change_of(place, cluster):
                board.unite([*cluster, *board.going_along(cluster, place)], place)
        for meeting in synchronous(board.claimed(place), place, places):
            cluster = board.alive(meeting.groups)
            if len(cluster) > 1 and meeting.whole:
                board.unite([*cluster, *board.going_along(cluster, place)], place)
            elif len(cluster) > 1 and places.scopes[place].items:
                board.unite([*cluster, *board.joining(cluster, place)], place)
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
        return self.alive(self._claimed[place])

    def alive(self, groups: Sequence[Group]) -> Sequence[Group]:
        """Those of the groups that were not united with others since."""
        return [group for group in groups if self.groups.get(group.spikes) is group]

    def stepping(self, place: int) -> Sequence[Group]:
        """Groups at the place, and those that moved in step with it."""
        return [
            group
            for group in self.claimed(place)
            if group.place == place or in_step(group, place, self.places)
        ]

    def spikes_at(self, place: int, groups: Sequence[Group]) -> Sequence[Spike]:
        spikes = (self.spikes[i] for group in groups for i in group.spikes)
        return [spike for spike in spikes if spike.series.scope == self.places.scopes[place]]

    def is_change_of(self, place: int, cluster: Sequence[Group]) -> bool:
        """Whether the groups, each in step with the place or at it, tell that it changed as a whole."""
        if len(cluster) != 1:
            return any(group.place != place for group in cluster)
        return cluster[0].place == place or self.stands_for(cluster[0], place)

    def stands_for(self, group: Group, place: int) -> bool:
        """Whether the group is a part of a spike of the place, or the place changed uniformly without one."""
        return is_uniform(group, place, self.places) or any(
            abs(spike.window.start_at - group.window.start_at) <= self.settings.merge_hours * HOUR
            and self._held(spike, group.place) < self.settings.explained_share
            for spike in self.spikes_at(place, [group])
        )

    def going_along(self, cluster: Sequence[Group], place: int) -> Sequence[Group]:
        """Groups near the cluster, or near those that are, that the change of the place accounts for."""
        direction, window = cluster[0].direction, hull([group.window for group in cluster])
        ratio = self.places.change(place, window, direction).ratio
        left = [g for g in self.claimed(place) if g.direction == direction and g not in cluster]
        left = [g for g in left if goes_along(g, place, ratio, self.places)]
        along: list[Group] = []
        while near := [g for g in left if hours_apart(g.window, window) <= self.settings.merge_hours]:
            along += near
            left = [g for g in left if g not in near]
            window = hull([window, *(g.window for g in near)])
        return along

    def joining(self, cluster: Sequence[Group], place: int) -> Sequence[Group]:
        """Groups within the hours of the cluster that changed as its groups did."""
        direction, window = cluster[0].direction, hull([group.window for group in cluster])
        ratios = [self._ratio(group) for group in cluster]
        return [
            group
            for group in self.claimed(place)
            if group not in cluster
            and group.direction == direction
            and hull([window, group.window]) == window
            and all(are_alike(self._ratio(group), ratio) for ratio in ratios)
        ]

    def unite(self, groups: Sequence[Group], place: int) -> None:
        """Put one group at the place for these, without spikes whose excess lies elsewhere."""
        if len(groups) == 1 and groups[0].place == place:
            return
        direction = groups[0].direction
        parts = [(g.window, self._excess(g.place, g.window, direction)) for g in groups]
        own = [spike.window for spike in self.spikes_at(place, groups)]
        parts += [(window, self._excess(place, window, direction)) for window in own]
        taken = {i for group in groups for i in group.spikes}
        inside = {i for i in taken if self._held(self.spikes[i], place) >= _INSIDE} or taken
        for group in groups:
            del self.groups[group.spikes]
        self.add(Group(tuple(sorted(inside)), _span(parts), direction, place))
        self._release(taken - inside)

    def _release(self, spikes: Collection[int]) -> None:
        """Leave each spike to the group that explains it now, or to one of its own."""
        loose = group_spikes({i: self.spikes[i] for i in sorted(spikes)}, self.places, self.settings)
        for group in told_at_the_deepest(loose, self.places, self.settings):
            touching = self.places.touching(group.place)
            others = [other for other in self.groups.values() if other.place in touching]
            near = [others[i] for i in Timeline.of(others).near(group, self.settings.merge_hours)]
            score = max(self.spikes[i].score for i in group.spikes)
            chief = chief_explaining(near, group, score, self.places, self.settings)
            if chief is not None:
                del self.groups[near[chief].spikes]
                group = near[chief].with_spikes(group.spikes)
            self.add(group)

    def _ratio(self, group: Group) -> float:
        return self.places.change(group.place, group.window, group.direction).ratio

    def _excess(self, place: int, window: Window, direction: Direction) -> float:
        return self.places.change(place, window, direction).excess

    def _held(self, spike: Spike, place: int) -> float:
        """The share of the spike's excess that lies in the place."""
        theirs = self.places.of_scope[spike.series.scope]
        shared = self.places.shared(theirs, place)
        if len(shared) == len(self.places.rows(theirs)):
            return 1.0
        held = self.places.leaf_change(shared, spike.window, spike.direction).total.excess
        excess = self._excess(theirs, spike.window, spike.direction)
        return held / excess if excess > 0 else 0.0

    def _holders(self, group: Group) -> Sequence[int]:
        """The group's own place and the wider ones that hold its excess, not only one half of a switch."""
        rows = self.places.rows(group.place)
        change = self.places.leaf_change(rows, group.window, group.direction)
        least, most = (share * change.total.excess for share in (self.settings.explained_share, SWITCH))
        held = self.places.sums(rows, change.excess) if least > 0 else {}
        return [
            group.place,
            *(p for p, excess in held.items() if p > group.place and least <= excess <= most),
        ]


def _span(parts: Sequence[tuple[Window, float]]) -> Window:
    """From the first start on until parts with most of the excess were back."""
    ordered = sorted(parts, key=lambda part: part[0].end_at)
    running = np.cumsum([max(excess, 0.0) for _, excess in ordered])
    last = int(np.searchsorted(running, _BACK * running[-1]))
    return Window(min(window.start_at for window, _ in parts), ordered[last][0].end_at)
