"""Judges an answer by the rows its slices cover.

A slice is right where it covers all leaves it must and nothing beyond those it may, but for leaves that carry
under 1 % of the right slice's dollars. A slice that covers everything blames nobody and is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from evals.rca.case import Accepted, Answer, Case, Culprit, LeafTable, Mask, Truth

TOLERANCE = 0.01
"""Of the right slice's dollars."""


@dataclass(frozen=True, slots=True)
class Match:
    """A cause and the slice that names it; `culprit` is None where nobody did."""

    truth: Truth
    culprit: Culprit | None

    @property
    def is_named(self) -> bool:
        return self.culprit is not None and self.culprit.cause in self.truth.causes


@dataclass(frozen=True, slots=True)
class Grade:
    """How right an answer is."""

    matches: tuple[Match, ...]
    extra: tuple[Culprit, ...]
    """Blamed without a cause."""
    dollar_error: float | None
    """Of the only cause: how far the nearest culprit's dollars are off, as a share; None for other cases."""

    @property
    def hits(self) -> int:
        return sum(match.culprit is not None for match in self.matches)

    @property
    def is_exact(self) -> bool:
        return not self.extra and self.hits == len(self.matches)

    @property
    def is_named(self) -> bool:
        """Exact, and every cause has its right name."""
        return self.is_exact and all(match.is_named for match in self.matches)


def grade(case: Case, answer: Answer) -> Grade:
    table = case.table
    blamed = [c for c in answer.culprits if not covers_everything(table, c)]
    left = list(blamed)
    matches = []
    for truth in case.truths:
        right = _best([c for c in left if is_right(table, truth, c)], truth)
        if right is not None:
            left.remove(right)
        matches.append(Match(truth, right))
    error = dollar_error(table, case.truths[0], matches[0], blamed) if len(case.truths) == 1 else None
    return Grade(tuple(matches), tuple(left), error)


def covers_everything(table: LeafTable, culprit: Culprit) -> bool:
    outside = table.weight_usd[~table.covered(culprit.scope)].sum()
    return bool(outside <= TOLERANCE * table.weight_usd.sum())


def is_right(table: LeafTable, truth: Truth, culprit: Culprit) -> bool:
    covered = table.covered(culprit.scope)
    return any(is_same(table, covered, accepted) for accepted in truth.accepted)


def is_same(table: LeafTable, covered: Mask, accepted: Accepted) -> bool:
    """Whether a set of leaves is an accepted one, give or take the tolerance."""
    weight = table.weight_usd
    missing = weight[accepted.must & ~covered].sum()
    beyond = weight[covered & ~accepted.must & ~accepted.may].sum()
    return bool(missing + beyond <= TOLERANCE * weight[accepted.must].sum())


def dollar_error(table: LeafTable, truth: Truth, match: Match, blamed: Sequence[Culprit]) -> float:
    """Without a right slice the one that overlaps most is taken; without any the error is whole."""
    nearest = match.culprit or max(blamed, key=lambda c: overlap(table, truth, c), default=None)
    if nearest is None or nearest.delta_usd is None:
        return 1.0
    return abs(nearest.delta_usd - truth.delta_usd) / abs(truth.delta_usd)


def overlap(table: LeafTable, truth: Truth, culprit: Culprit) -> float:
    """Dollars in both over dollars in either, for the best of the accepted sets."""
    covered, weight = table.covered(culprit.scope), table.weight_usd
    shares = []
    for accepted in truth.accepted:
        either = weight[accepted.must | (covered & ~accepted.may)].sum()
        shares.append(float(weight[accepted.must & covered].sum() / either) if either else 0.0)
    return max(shares)


def _best(culprits: Sequence[Culprit], truth: Truth) -> Culprit | None:
    """Of several right slices the one that has the right name."""
    return max(culprits, key=lambda culprit: culprit.cause in truth.causes, default=None)
