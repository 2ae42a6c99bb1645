"""Spikes taken as one incident, and when the groups already made explain another spike.

Containment is not guessed from names: the leaves say which series share spend, and how much of one spike's
excess lies in another's scope.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors.incidents import Direction, Spike
from detectors.places import Places
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray
from ledger.window import HOUR, Window

_MOSTLY_TOLD = 0.5
"""A spike whose excess is told to this share may be left to the groups that tell it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Spikes taken as one incident, told at `place`."""

    spikes: tuple[int, ...]
    window: Window
    direction: Direction
    place: int

    @property
    def sign(self) -> int:
        return 1 if self.direction == "up" else -1

    def reversed(self) -> "Group":
        """The same in the other direction."""
        return replace(self, direction="down" if self.direction == "up" else "up")

    def with_spikes(self, spikes: Sequence[int]) -> "Group":
        return replace(self, spikes=tuple(sorted({*self.spikes, *spikes})))


def hull(windows: Sequence[Window]) -> Window:
    return Window(min(w.start_at for w in windows), max(w.end_at for w in windows))


def group_spikes(spikes: Mapping[int, Spike], places: Places, settings: DetectorSettings) -> list[Group]:
    """From the deepest scope to the widest, each spike joins the group that explains it or founds one."""
    alone = [
        Group((index,), spike.window, spike.direction, places.of_scope[spike.series.scope])
        for index, spike in spikes.items()
    ]
    timeline = Timeline.of(alone)
    founded: dict[int, Group] = {}
    for position in sorted(range(len(alone)), key=lambda i: (alone[i].place, i)):
        own = alone[position]
        touching = places.touching(own.place)
        near = [
            i
            for i in timeline.near(own, settings.merge_hours)
            if i in founded and founded[i].place in touching
        ]
        score = spikes[own.spikes[0]].score
        chief = chief_explaining([founded[i] for i in near], own, score, places, settings)
        if chief is None:
            founded[position] = own
        else:
            founded[near[chief]] = founded[near[chief]].with_spikes(own.spikes)
    return list(founded.values())


@dataclass(frozen=True, slots=True)
class Timeline:
    """When many groups took place, to find the near ones without looking at each."""

    starts: FloatArray
    """Shape (groups,) each; hours."""
    ends: FloatArray
    signs: FloatArray
    """+1 upwards, -1 downwards."""

    @classmethod
    def of(cls, groups: Sequence[Group]) -> "Timeline":
        rows = np.array([_times(group) for group in groups]).reshape(-1, 3)
        return cls(*rows.T)

    def near(self, group: Group, hours: float) -> Sequence[int]:
        """Positions of the groups of the same direction that are close in time."""
        start, end, sign = _times(group)
        close = (self.starts - end <= hours) & (start - self.ends <= hours) & (self.signs == sign)
        return list(np.flatnonzero(close).tolist())


def _times(group: Group) -> tuple[float, float, float]:
    start, end = (
        at.timestamp() / HOUR.total_seconds() for at in (group.window.start_at, group.window.end_at)
    )
    return start, end, float(group.sign)


def chief_explaining(
    near: Sequence[Group], own: Group, score: float, places: Places, settings: DetectorSettings
) -> int | None:
    """Which of the groups explains most of `own`, if together they explain it.

    They do when they hold `explained_share` of its excess or all of its leaves, or hold most of it and what
    they leave would not have fired.
    """
    if not near:
        return None
    excess = places.change(own.place, own.window, own.direction).excess
    parts = [places.shared(group.place, own.place) for group in near]
    changes = [places.leaf_change(rows, own.window, own.direction) for rows in parts]
    ranked = sorted(range(len(near)), key=lambda i: -changes[i].total.excess)
    union = np.zeros(len(places.owners), dtype=bool)
    held = most = 0.0
    for i in ranked:
        held += float(changes[i].excess[~union[parts[i]]].sum())
        most = max(most, held)
        union[parts[i]] = True
    explained = 0 < settings.explained_share * excess <= most
    rest_is_quiet = 0 < _MOSTLY_TOLD * excess <= most and score * (1 - most / excess) < settings.fire_score
    whole = union.sum() == len(places.rows(own.place))
    return ranked[0] if explained or rest_is_quiet or whole else None
