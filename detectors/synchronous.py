"""Keys that rise together to the hour: one cause, though the rest of the scope they share stays calm."""

from collections.abc import Sequence

import numpy as np

from detectors.alike import are_alike
from detectors.grouping import Group
from detectors.places import Places
from ledger.window import HOUR, WEEK_HOURS

_TOGETHER = 2
"""Hours between which the starts lie, and between which the ends lie."""
_FEWEST = 3
"""Two may meet by chance; where much happens, so may more."""


def synchronous(groups: Sequence[Group], places: Places) -> Sequence[Sequence[Group]]:
    """Sets of groups of different keys that began and ended together and changed alike.

    A set is larger than what the rate of other groups makes likely to meet within the same hours.
    """
    found = []
    left = sorted(groups, key=lambda group: group.window)
    while len(left) >= _FEWEST:
        first, *others = left
        meeting = [first, *(group for group in others if _meet(first, group, places))]
        if len(meeting) >= _FEWEST + _expected(len(groups) - len(meeting), groups):
            found.append(meeting)
            left = [group for group in left if group not in meeting]
        else:
            left = others
    return found


def _meet(first: Group, second: Group, places: Places) -> bool:
    apart = max(
        abs(first.window.start_at - second.window.start_at), abs(first.window.end_at - second.window.end_at)
    )
    if first.direction != second.direction or apart > _TOGETHER * HOUR:
        return False
    mine, theirs = (places.owners[places.rows(group.place)] for group in (first, second))
    ratios = [places.change(group.place, group.window, group.direction).ratio for group in (first, second)]
    return are_alike(*ratios) and not np.isin(mine, theirs).any()


def _expected(others: int, groups: Sequence[Group]) -> float:
    """How many other groups begin, on average, within the hours in which a set may begin."""
    first, last = min(g.window.start_at for g in groups), max(g.window.end_at for g in groups)
    return others * 2 * _TOGETHER / max((last - first) / HOUR, WEEK_HOURS)
