"""What every mechanism does in ordinary weeks: each week of the baseline against the mean of the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.handovers import handed_over
from tools.leaves import Ints, Leaves, Mask, Side, mean_of
from tools.shapley import Floats
from tools.split import MECHANISMS, Mechanism, Weights, split_sides
from tools.transfers import quotient, summed

PRIOR_WEEKS = 4
"""What is usual for keys of the organisation counts as much as so many weeks of the slice itself."""
LEAST_SHARE = 0.002
"""Of a slice's own dollars: rounding makes nothing more exact than that."""


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Effects of the baseline weeks, and how much keys stray by each mechanism."""

    weekly: Floats
    """Shape (weeks, mechanisms, leaves), in pico-dollars; no weeks where there are fewer than two."""
    before: Floats
    keys: Ints
    usual: Floats
    """Per mechanism, the median over keys of the week-to-week spread as a share of their dollars."""

    def spread(self, mechanism: Mechanism, leaves: Mask) -> float:
        """One standard deviation of a mechanism's effect on some leaves, in pico-dollars."""
        at = MECHANISMS.index(mechanism)
        own = self.weekly[:, at, leaves].sum(axis=1)
        by_key = summed(self.keys[leaves], self.before[leaves]) if leaves.any() else np.zeros(1)
        prior = float(self.usual[at] * np.sqrt((by_key**2).sum()))
        weeks = len(own)
        variance = (float((own**2).sum()) + PRIOR_WEEKS * prior**2) / (weeks + PRIOR_WEEKS)
        return float(max(np.sqrt(variance), LEAST_SHARE * by_key.sum(), 1.0))


def ordinary_weeks(leaves: Leaves, weights: Weights) -> Ordinary:
    """Split every baseline week like the window itself."""
    nobody = np.zeros(len(leaves), dtype=bool)
    weekly = []
    for i, week in enumerate(leaves.weeks if len(leaves.weeks) > 1 else ()):
        others = [other for j, other in enumerate(leaves.weeks) if j != i]
        before = handed_over(leaves, mean_of(others, week), week)
        weekly.append(split_sides(leaves, before, week, weights, entity=nobody).astype(np.float64))
    table = np.array(weekly).reshape(len(weekly), len(MECHANISMS), len(leaves))
    keys = leaves.groups(("team", "project", "key_id"))
    before_usd = _mean_cost(leaves.weeks, leaves.before)
    return Ordinary(table, before_usd, keys, _usual(table, keys, before_usd))


def _mean_cost(weeks: Sequence[Side], like: Side) -> Floats:
    return np.asarray(mean_of(weeks, like).cost_pico.astype(np.float64))


def _usual(weekly: Floats, keys: Ints, before: Floats) -> Floats:
    """Spreads of keys in proportion to their dollars; what strays for most, not for the largest."""
    if not weekly.size:
        return np.full(len(MECHANISMS), 0.1)
    dollars = summed(keys, before)
    known = dollars > 0
    spreads = []
    for at in range(len(MECHANISMS)):
        by_key = np.array([summed(keys, week[at]) for week in weekly])
        spreads.append(float(np.median(quotient(np.sqrt((by_key**2).mean(axis=0)), dollars)[known])))
    return np.array(spreads)
