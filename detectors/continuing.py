"""A shifted level is one incident, however often it fires: joins what fires again while the level lasts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from detectors.grouping import Group, hull
from detectors.leaves import hours_apart
from detectors.telling import Accounts, Hourly
from ledger.window import Window

_STILL = 0.5
"""A level is still shifted while the excess, by what was expected, is so much of what it was."""
_GROWN = 1.5
"""What rises so many times as far above its expectation as before is news."""
_LONGEST_PAUSE = 7 * 24
"""Hours; a level that shows nothing for longer is not followed."""
_SILENT = 0.1
"""A pause in which only so much was expected says nothing about the level."""
_BLOCK = 6
"""Hours taken together where a burst would stand for the level."""
_MOST = 0.5
"""A level lasts through a pause when blocks with so much of its expected spend are shifted."""


def join_continuing(groups: Sequence[Group], accounts: Accounts) -> list[Group]:
    """Groups at one place and of one direction that follow each other while the level stays shifted."""
    joined: list[Group] = []
    for group in sorted(groups, key=lambda g: (g.place, g.direction, g.window)):
        if joined and _continues(joined[-1], group, accounts):
            united = replace(joined[-1], window=hull([joined[-1].window, group.window]))
            joined[-1] = united.with_spikes(group.spikes)
        else:
            joined.append(group)
    return joined


def _continues(earlier: Group, later: Group, accounts: Accounts) -> bool:
    """Whether `later` is still the level that `earlier` shifted to, and has not grown on it."""
    if (earlier.place, earlier.direction) != (later.place, later.direction):
        return False
    pause = hours_apart(earlier.window, later.window)
    if not 0 < pause <= _LONGEST_PAUSE:
        return pause == 0
    gap = accounts.hourly(later.place, Window(earlier.window.end_at, later.window.start_at))
    before, after = (_ratio(group, accounts) for group in (earlier, later))
    if not (0 < before < np.inf and 0 < after < _GROWN * before):
        return False
    least = min(accounts.amounts(group.place, group.window).expected for group in (earlier, later))
    due = gap.expected.sum()
    return bool(due <= _SILENT * least or _is_shifted(gap, later.sign, _STILL * min(before, after)))


def _ratio(group: Group, accounts: Accounts) -> float:
    """Excess in the group's direction by what was expected; infinite for what is new."""
    expected, actual = accounts.amounts(group.place, group.window)
    return group.sign * (actual - expected) / expected if expected > 0 else np.inf


def _is_shifted(gap: Hourly, sign: int, ratio: float) -> bool:
    """Whether most of the pause strayed by the ratio at least; a few bursts are no level."""
    starts = np.arange(0, len(gap.expected), _BLOCK)
    expected, actual = np.add.reduceat(gap.expected, starts), np.add.reduceat(gap.actual, starts)
    shifted = sign * (actual - expected) >= ratio * expected
    return bool(expected[shifted].sum() >= _MOST * expected.sum())
