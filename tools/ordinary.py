"""What every mechanism does in ordinary weeks: each week of the baseline against the mean of the others."""

from dataclasses import dataclass, field

import numpy as np

from ledger.scope import Dimension
from tools.handovers import handed_over
from tools.leaves import mean_of
from tools.scan import Scan, Slice
from tools.shapley import Floats
from tools.split import MECHANISMS, Mechanism, Weights, split_sides
from tools.transfers import quotient, summed

PRIOR_WEEKS = 4
"""What is usual for keys of the organisation counts as much as so many weeks of the slice itself."""
ALIKE = 3.0
"""Slices spend about as much when one spends at most so many times what the other does."""
FEW = 4
UNTRIED = 0.1
"""Spread as a share of the dollars where there are no two weeks to tell."""
LEAST_SHARE = 0.002
"""Of a slice's own dollars: rounding makes nothing more exact than that."""


@dataclass(frozen=True, slots=True)
class _Peers:
    """Slices that pin the same dimensions: what they spend, and their spread as a share of it."""

    dollars: Floats
    share: Floats


@dataclass(slots=True)
class Ordinary:
    """Effects of the baseline weeks, by leaf."""

    weekly: Floats
    """Shape (weeks, mechanisms, leaves), in pico-dollars; no weeks where there are fewer than two."""
    before: Floats
    scan: Scan
    _peers: dict[tuple[Mechanism, tuple[Dimension, ...]], _Peers] = field(default_factory=dict)

    def spread(self, mechanism: Mechanism, found: Slice) -> float:
        """One standard deviation of a mechanism's effect on a slice, in pico-dollars.

        Four weeks say little of one slice, so others that pin the same dimensions and spend about as much
        are asked too.
        """
        at = MECHANISMS.index(mechanism)
        own = self.weekly[:, at, found.leaves].sum(axis=1)
        dollars = float(self.before[found.leaves].sum())
        usual = self._usual(mechanism, found, dollars)
        weeks = len(own)
        variance = (float((own**2).sum()) + PRIOR_WEEKS * usual**2) / (weeks + PRIOR_WEEKS)
        return float(max(np.sqrt(variance), LEAST_SHARE * dollars, 1.0))

    def _usual(self, mechanism: Mechanism, found: Slice, dollars: float) -> float:
        """The middle spread of comparable slices, in pico-dollars; where there are few, of its keys."""
        if not len(self.weekly):
            return UNTRIED * dollars
        if pinned := found.scope.dimensions:
            peers = self._peers_of(mechanism, pinned)
            alike = (peers.dollars >= dollars / ALIKE) & (peers.dollars <= dollars * ALIKE)
            if alike.sum() >= FEW:
                return float(np.median(peers.share[alike])) * dollars
        keys = self._peers_of(mechanism, ("key_id",))
        known = keys.dollars > 0
        by_key = summed(self.scan.groups(("key_id",))[found.leaves], self.before[found.leaves])
        return float(np.median(keys.share[known]) * np.sqrt((by_key**2).sum())) if known.any() else 0.0

    def _peers_of(self, mechanism: Mechanism, pinned: tuple[Dimension, ...]) -> _Peers:
        if (mechanism, pinned) not in self._peers:
            groups = self.scan.groups(pinned)
            at = MECHANISMS.index(mechanism)
            weeks = np.array([summed(groups, week[at]) for week in self.weekly])
            dollars = summed(groups, self.before)
            share = quotient(np.sqrt((weeks**2).mean(axis=0)), dollars)
            self._peers[mechanism, pinned] = _Peers(dollars, share)
        return self._peers[mechanism, pinned]


def ordinary_weeks(scan: Scan, weights: Weights) -> Ordinary:
    """Split every baseline week like the window itself."""
    leaves = scan.leaves
    nobody = np.zeros(len(leaves), dtype=bool)
    weekly = []
    for i, week in enumerate(leaves.weeks if len(leaves.weeks) > 1 else ()):
        others = [other for j, other in enumerate(leaves.weeks) if j != i]
        before = handed_over(leaves, mean_of(others, week), week)
        weekly.append(split_sides(leaves, before, week, weights, entity=nobody).astype(np.float64))
    table = np.array(weekly).reshape(len(weekly), len(MECHANISMS), len(leaves))
    mean = mean_of(leaves.weeks, leaves.before)
    return Ordinary(table, mean.cost_pico.astype(np.float64), scan)
