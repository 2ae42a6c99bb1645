"""The end of what was new: a fall back to nothing is the end of the rise, and no incident of its own."""

from collections.abc import Sequence

from detectors.grouping import Group, Timeline
from detectors.places import Places
from detectors.telling import Accounts

_LATEST = 3 * 24
"""Hours after its end at which what has been learnt from a rise may still be expected."""
_NEW = 5.0
"""What rises so many times as far as was expected is new: it is soon expected to go on ..."""
_LEARNT_HOURS = 24
"""... when it lasts so long."""
_RESTORED = 0.5
"""Against the weeks before, a fall back is at most so much of what it is against what was learnt since."""


def fold_returns(groups: Sequence[Group], accounts: Accounts) -> list[Group]:
    """Each fall that only restores what was before something new becomes evidence for that."""
    ordered = sorted(groups, key=lambda group: group.window)
    timeline = Timeline.of(ordered)
    kept: dict[int, Group] = {}
    for index, group in enumerate(ordered):
        near = timeline.near(group.reversed(), _LATEST) if group.direction == "down" else ()
        begun = next((i for i in near if i in kept and _ends(group, kept[i], accounts)), None)
        if begun is None:
            kept[index] = group
        else:
            kept[begun] = kept[begun].with_spikes(group.spikes)
    return list(kept.values())


def _ends(fall: Group, rise: Group, accounts: Accounts) -> bool:
    if fall.place != rise.place or not _is_new(rise, accounts.places):
        return False
    expected, actual = accounts.amounts(fall.place, fall.window)
    against_weeks = accounts.places.change(fall.place, fall.window, "down").excess
    return against_weeks <= _RESTORED * (expected - actual)


def _is_new(rise: Group, places: Places) -> bool:
    lasts = rise.window.hours >= _LEARNT_HOURS
    return lasts and places.change(rise.place, rise.window, "up").ratio >= _NEW
