"""Keys that rise together to the hour: one cause, though the rest of the scope they share stays calm."""

from collections.abc import Sequence
from typing import NamedTuple

from detectors.alike import SMALL_REST, are_alike
from detectors.grouping import Group
from detectors.places import Places
from ledger.window import HOUR, WEEK_HOURS

_TOGETHER = 2
"""Hours between which the starts lie, and between which the ends lie."""
_FEWEST = 3
"""Two may meet by chance; where much happens, so may more."""
_TWINS = 0.8
"""Two meet by no chance when they keep the same hours and changed by nearly the same ratio ..."""
_RARE = 0.1
"""... and so many others, or fewer, are expected in these hours."""


class Meeting(NamedTuple):
    """Groups of different keys that began and ended together and changed alike."""

    groups: Sequence[Group]
    whole: bool
    """Whether they are nearly all of the place."""


def synchronous(groups: Sequence[Group], place: int, places: Places) -> Sequence[Meeting]:
    """Meetings that are nearly all of the place, or larger than chance makes likely among so many groups."""
    found = []
    left = sorted(groups, key=lambda group: group.window)
    while left:
        first, *left = left
        meeting = _meeting(first, left, places)
        whole = len(meeting) > 1 and _is_whole(meeting, place, places)
        if whole or (len(meeting) > 1 and _is_no_chance(meeting, groups, places)):
            found.append(Meeting(meeting, whole))
            left = [group for group in left if group not in meeting]
    return found


def _meeting(first: Group, later: Sequence[Group], places: Places) -> Sequence[Group]:
    """The group and those, in order of their start, that met with it, each of other keys."""
    meeting = [first]
    keys = set(places.keys(first.place))
    for group in later:
        if group.window.start_at - first.window.start_at > _TOGETHER * HOUR:
            break
        if _meet(first, group, places) and keys.isdisjoint(places.keys(group.place)):
            meeting.append(group)
            keys.update(places.keys(group.place))
    return meeting


def _meet(first: Group, second: Group, places: Places) -> bool:
    apart = abs(first.window.end_at - second.window.end_at)
    if first.direction != second.direction or apart > _TOGETHER * HOUR:
        return False
    return are_alike(_ratio(first, places), _ratio(second, places))


def _is_whole(groups: Sequence[Group], place: int, places: Places) -> bool:
    window, direction = groups[0].window, groups[0].direction
    whole = places.change(place, window, direction)
    parts = [places.change(group.place, window, direction).expected for group in groups]
    return whole.expected - sum(parts) <= SMALL_REST * whole.expected


def _is_no_chance(meeting: Sequence[Group], groups: Sequence[Group], places: Places) -> bool:
    """Whether more met, or two more exactly, than others would that begin in the same hours by chance."""
    others = len(groups) - len(meeting)
    first, last = min(g.window.start_at for g in groups), max(g.window.end_at for g in groups)
    chance = others * 2 * _TOGETHER / max((last - first) / HOUR, WEEK_HOURS)
    if len(meeting) >= _FEWEST + chance:
        return True
    ratios = [_ratio(group, places) for group in meeting]
    same_hours = len({group.window for group in meeting}) == 1
    return chance <= _RARE and same_hours and min(ratios) >= _TWINS * max(ratios)


def _ratio(group: Group, places: Places) -> float:
    return places.change(group.place, group.window, group.direction).ratio
