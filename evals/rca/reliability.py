"""Whether stated confidence is what comes true."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from evals.rca.case import Culprit
from evals.rca.running import Outcome

EDGES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.001)


@dataclass(frozen=True, slots=True)
class Bin:
    """Culprits whose stated confidence lies in `[low, high)`."""

    low: float
    high: float
    count: int
    stated: float
    right: float
    """The share that covers the right rows under the right name."""


def reliability(outcomes: Sequence[Outcome]) -> list[Bin]:
    """Every culprit that blames a slice, by its confidence."""
    told = [pair for outcome in outcomes for pair in _told(outcome)]
    bins = []
    for low, high in pairwise(EDGES):
        inside = [
            (c.confidence, right)
            for c, right in told
            if c.confidence is not None and low <= c.confidence < high
        ]
        if inside:
            n = len(inside)
            bins.append(Bin(low, high, n, sum(c for c, _ in inside) / n, sum(r for _, r in inside) / n))
    return bins


def calibration_error(bins: Sequence[Bin]) -> float:
    """The mean distance of stated from true, weighted by how often it was stated."""
    count = sum(b.count for b in bins)
    return sum(b.count * abs(b.stated - b.right) for b in bins) / count if count else float("nan")


def _told(outcome: Outcome) -> list[tuple[Culprit, bool]]:
    matched = [(m.culprit, m.is_named) for m in outcome.grade.matches if m.culprit is not None]
    return matched + [(culprit, False) for culprit in outcome.grade.extra]
