"""Merges spikes that share one cause into one incident, told at the deepest scope that explains it.

Containment is not guessed from names: the leaves (the finest scopes with their hourly spend) say which
series share spend, and how much of one spike's excess lies in another's scope. Spikes are taken from the
deepest scope to the widest. A spike whose excess lies in an incident already made is evidence for it; one
that shows that the incidents within it, and the rest of its scope, rose alike is their common cause and
takes them over; any other is an incident of its own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors.grouping import (
    Group,
    explaining,
    hours_apart,
    is_common_cause,
    is_small,
    rises_alike,
    takes_over,
)
from detectors.incidents import Incident, Spike
from detectors.leaves import Leaves
from detectors.scored import Amounts, ScoredSeries
from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray
from ledger.reader import HourlySeries
from ledger.scope import Scope

_SWITCH = 1.05
"""A part that holds more than so many times the excess of the whole is made up for by another part."""


def merge_incidents(
    spikes: Sequence[Spike],
    leaves: HourlySeries,
    settings: DetectorSettings,
    *,
    scored: ScoredSeries | None = None,
    scopes: Collection[Scope] = (),
) -> tuple[Incident, ...]:
    """One incident per cause, by start, then largest first; every spike belongs to exactly one.

    `scopes` are further scopes an incident may be told at, such as keys too new to be scored. Amounts come
    from the scope's own scored series where there is one, else from the leaves.
    """
    finest = Leaves.of(leaves)
    places = _Places.of([*scopes, *(spike.series.scope for spike in spikes)], finest)
    merger = _Merger(tuple(spikes), finest, places, settings)
    groups: list[Group] = []
    for index in merger.deepest_first():
        groups = merger.place(index, groups)
    incidents = merger.net([merger.tell(group, groups, scored) for group in groups])
    return tuple(sorted(incidents, key=lambda i: (i.window.start_at, -abs(i.excess_usd), i.scope)))


@dataclass(frozen=True, slots=True)
class _Places:
    """Scopes from the deepest to the widest, and their leaves.

    Keys come first, for a key is somebody's to act on; then scopes by spend; the more pinned name first.
    """

    scopes: tuple[Scope, ...]
    members: BoolArray
    """Shape (scopes, leaves)."""
    rank: Mapping[Scope, int]

    @classmethod
    def of(cls, scopes: Collection[Scope], leaves: Leaves) -> "_Places":
        spend = leaves.spend()
        members = {scope: leaves.members(scope) for scope in scopes}

        def depth(scope: Scope) -> tuple[bool, float, int, Scope]:
            return (
                "key_id" not in scope.dimensions,
                float(spend[members[scope]].sum()),
                -len(scope.items),
                scope,
            )

        ordered = tuple(sorted(members, key=depth))
        matrix = np.array([members[scope] for scope in ordered], dtype=bool).reshape(len(ordered), len(spend))
        return cls(ordered, matrix, {scope: rank for rank, scope in enumerate(ordered)})

    def leaves_of(self, scope: Scope) -> BoolArray:
        return np.asarray(self.members[self.rank[scope]])


@dataclass(frozen=True, slots=True)
class _Merger:
    spikes: tuple[Spike, ...]
    leaves: Leaves
    places: _Places
    settings: DetectorSettings

    def deepest_first(self) -> Sequence[int]:
        rank = self.places.rank
        return sorted(range(len(self.spikes)), key=lambda i: (rank[self.spikes[i].series.scope], i))

    def place(self, index: int, groups: list[Group]) -> list[Group]:
        """Add the spike to the group that explains it, or make it one, over those it explains."""
        spike, share = self.spikes[index], self.settings.explained_share
        members = self.places.leaves_of(spike.series.scope)
        own = Group(index, (index,), spike.window, spike.direction, members)
        near = [group for group in groups if group.is_near(own, self.settings.merge_hours)]
        change = self.leaves.change(own.window, own.direction)
        holders = explaining(near, own, change, share)
        if holders and not is_common_cause(own, holders, change, self.settings):
            chief = holders[0]
            joined = replace(chief, spikes=(*chief.spikes, index))
            return [joined if group is chief else group for group in groups]
        taken = [
            group
            for group in near
            if any(group is holder for holder in holders)
            or takes_over(own, group, change, self.leaves, share)
        ]
        kept = [group for group in groups if not any(group is other for other in taken)]
        return [*kept, replace(own, spikes=(index, *(i for group in taken for i in group.spikes)))]

    def tell(self, group: Group, groups: Sequence[Group], scored: ScoredSeries | None) -> Incident:
        """The incident at its deepest scope, with the amounts of that scope."""
        founder = self.spikes[group.founder]
        scope = self._deepest_scope(group, groups)
        amounts = Amounts(founder.expected, founder.actual)
        if scope != founder.series.scope:
            amounts = self._amounts(scope, group, scored)
        return Incident(
            window=group.window,
            scope=scope,
            direction=group.direction,
            expected_usd=amounts.expected,
            actual_usd=amounts.actual,
            spikes=tuple(sorted(group.spikes)),
        )

    def net(self, incidents: Sequence[Incident]) -> Sequence[Incident]:
        """One incident per id, and none for what another one's excess is already net of.

        A switch from one model to a dearer one is a drop within a larger rise, and told with it.
        """
        kept: list[Incident] = []
        for incident in sorted(_unite(incidents), key=lambda i: -abs(i.excess_usd)):
            host = next((place for place, h in enumerate(kept) if self._is_net_of(h, incident)), None)
            if host is None:
                kept.append(incident)
            else:
                kept[host] = _with_spikes(kept[host], incident.spikes)
        return kept

    def _is_net_of(self, host: Incident, incident: Incident) -> bool:
        outside = self.places.leaves_of(incident.scope) & ~self.places.leaves_of(host.scope)
        close = hours_apart(host.window, incident.window) <= self.settings.merge_hours
        return close and host.direction != incident.direction and not outside.any()

    def _deepest_scope(self, group: Group, groups: Sequence[Group]) -> Scope:
        """The deepest scope that holds the excess not told by other incidents, unless the rest rose alike.

        A scope that holds much more than the excess is one half of a switch, and does not tell it.
        """
        founder = self.spikes[group.founder].series.scope
        change = self.leaves.change(group.window, group.direction)
        free = self._untold(group, groups)
        total = change.excess_of(free)
        held = self.places.members @ np.where(free, change.excess, 0.0)
        inside = ~(self.places.members & ~free).any(axis=1)
        tells = inside & (held >= self.settings.explained_share * total) & (held <= _SWITCH * total)
        for rank in np.flatnonzero(tells[: self.places.rank[founder]]) if total > 0 else ():
            part = self.places.members[rank]
            rest = free & ~part
            if is_small(rest, free, change) or not rises_alike(rest, change.ratio_of(part), change):
                return self.places.scopes[rank]
        return founder

    def _untold(self, group: Group, groups: Sequence[Group]) -> BoolArray:
        """Leaves of the group without those of incidents within it."""
        free = group.leaves.copy()
        for other in groups:
            within = not (other.leaves & ~group.leaves).any()
            if other is not group and within and other.is_near(group, self.settings.merge_hours):
                free &= ~other.leaves
        return free

    def _amounts(self, scope: Scope, group: Group, scored: ScoredSeries | None) -> Amounts:
        row = scored.row_of(scope) if scored else None
        if scored is not None and row is not None:
            amounts = scored.amounts(row, group.window)
            if np.isfinite(amounts.expected):
                return amounts
        change = self.leaves.change(group.window, "up")
        members = self.places.leaves_of(scope)
        expected = change.expected_of(members)
        return Amounts(expected, expected + change.excess_of(members))


def _unite(incidents: Sequence[Incident]) -> Sequence[Incident]:
    """One of the incidents that came out at the same scope, start and direction, with all their spikes."""
    united: dict[str, Incident] = {}
    for incident in incidents:
        same = united.get(incident.id, incident)
        longest = max(same, incident, key=lambda i: i.window.end_at)
        united[incident.id] = _with_spikes(longest, (*same.spikes, *incident.spikes))
    return list(united.values())


def _with_spikes(incident: Incident, spikes: Collection[int]) -> Incident:
    return replace(incident, spikes=tuple(sorted({*incident.spikes, *spikes})))
