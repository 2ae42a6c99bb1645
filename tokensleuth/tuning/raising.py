"""How far a threshold goes up after `not-an-issue`: above the incident, within a cap, below what was real."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Literal

MARGIN = Decimal("1.25")
"""The same noise is a little higher next time."""
MOST_TIMES = 3
"""Words on ever larger incidents of a scope raise its threshold to so many times the first one's height."""
LASTS = timedelta(days=30)
"""People forget what they quieted; a month has every weekly and monthly rhythm once."""
LOOKBACK = timedelta(days=28)
"""Whole weeks, for which people are told what it would have kept quiet."""

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Standing:
    """The threshold that a scope has already."""

    min_usd: Decimal
    first_usd: Decimal
    """The height of the first incident that was said to be no issue: the cap is counted from it."""


@dataclass(frozen=True, slots=True)
class Raised:
    """Where the threshold goes, and what held it lower than was wanted."""

    min_usd: Decimal
    first_usd: Decimal
    held_by: Literal["cap", "real"] | None

    def is_above(self, usd: Decimal) -> bool:
        """Whether an incident of that height would not open."""
        return abs(usd) < self.min_usd


def raised(usd: Decimal, standing: Standing | None, least_real: Decimal | None) -> Raised | None:
    """From the height of the incident, in dollars; None where what was real leaves no room to raise.

    `least_real` is the smallest incident of the scope that somebody said to be real lately: it must still
    open, and opens at exactly its height.
    """
    height = abs(usd)
    first = standing.first_usd if standing else height
    wanted = max((height * MARGIN).quantize(_CENT, ROUND_CEILING), height + _CENT)
    cap = first * MOST_TIMES
    goal = max(min(wanted, cap), standing.min_usd if standing else Decimal())
    if least_real is not None and least_real < goal:
        at_most = max(abs(least_real), Decimal())
        if at_most <= height:
            return None
        return Raised(at_most, first, "real")
    return Raised(goal, first, "cap" if goal <= height else None)
