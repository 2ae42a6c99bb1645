"""A change back to what was before another change is that one's end, and no incident of its own."""

from collections.abc import Sequence

from detectors.grouping import Group, Timeline
from detectors.telling import Accounts

_LATEST = 3 * 24
"""Hours after its end at which what has been learnt from a change may still be expected."""
_RESTORED = 0.5
"""Against the weeks before, a change back is at most so much of what it is against what was learnt since."""


def fold_returns(groups: Sequence[Group], accounts: Accounts) -> list[Group]:
    """Each group that only restores what an earlier one changed becomes evidence for that one."""
    ordered = sorted(groups, key=lambda g: g.window)
    timeline = Timeline.of(ordered)
    kept: dict[int, Group] = {}
    for index, group in enumerate(ordered):
        around = accounts.places.around(group.place)
        near = (i for i in timeline.near(group.reversed(), _LATEST) if i in kept)
        begun = next((i for i in near if kept[i].place in around), None)
        if begun is None or not _restores(group, accounts):
            kept[index] = group
        else:
            kept[begun] = kept[begun].with_spikes(group.spikes)
    return list(kept.values())


def _restores(group: Group, accounts: Accounts) -> bool:
    expected, actual = accounts.amounts(group.place, group.window)
    against_weeks = accounts.places.change(group.place, group.window, group.direction).excess
    return against_weeks <= _RESTORED * group.sign * (actual - expected)
