"""Finds the scope whose leaves moved together: an expectation-based scan over combinations of dimensions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from ledger.scope import DIMENSIONS, Dimension, Scope
from tools.leaves import Ints, Leaves, Mask, dense
from tools.shapley import Floats
from tools.transfers import summed

MAX_DEPTH = 3
SLACK = 0.01
"""A slice with fewer dimensions may score this much less than the best and still be told (the reference
gives 0.5 % for exact effects and 2 % for volume)."""

NATURAL: tuple[Dimension, ...] = (
    "key_id", "team", "feature", "model", "project", "client", "region", "service_tier", "user", "provider",
)  # fmt: skip
"""Of slices with the same rows, the one that pins what comes first is told."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some leaves and the scope that names them."""

    scope: Scope
    leaves: Mask
    score: float


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for: leaves that moved in one direction by one ratio."""

    effect: Floats
    """By leaf, in pico-dollars, signed."""
    exposed: Floats
    """By leaf, the pico-dollars before that could have moved."""
    sign: int
    among: Mask
    """Leaves that are still to be explained."""
    least: float
    """What a slice must have moved by at least, in pico-dollars."""
    dimensions: tuple[Dimension, ...] = DIMENSIONS


@dataclass(slots=True)
class Scan:
    """Leaves with their groupings, kept between questions."""

    leaves: Leaves
    _groups: dict[tuple[Dimension, ...], Ints] = field(default_factory=dict)

    def groups(self, chosen: tuple[Dimension, ...]) -> Ints:
        if chosen not in self._groups:
            self._groups[chosen] = dense([self.leaves.code(d) for d in chosen], len(self.leaves))
        return self._groups[chosen]

    def best(self, asked: Question, accepted: Callable[[Slice], bool]) -> Slice | None:
        """The slice that the effect fits best; nothing pinned is a slice like any other.

        The score A ln(A/B) - (A - B), B the dollars before and A = B + effect, is largest on leaves that
        moved by one ratio: others dilute it, and leaving some out lowers it. None where nothing moved by
        `least` in the direction, or nothing of it is accepted. Slices whose moves in the direction sum to less are passed over with all
        that they contain.
        """
        moved = np.where(asked.among, asked.effect, 0.0)
        before = np.where(asked.among, asked.exposed, 0.0)
        counts = _Counts(moved, before, asked, 1e-3 * float(np.abs(moved).sum() + before.sum()) + 1.0)
        found = [s for s in (self._root(counts), *self._deeper(counts)) if s is not None]
        return _simplest(found, accepted)

    def _root(self, counts: "_Counts") -> Slice | None:
        everything = np.zeros(len(self.leaves), dtype=np.int64)
        scores = counts.scores(everything, slice(None))
        if not scores.size or scores[0] <= 0:
            return None
        return Slice(Scope(), counts.asked.among.copy(), float(scores[0]))

    def _deeper(self, counts: "_Counts") -> Iterator[Slice]:
        alive: dict[tuple[Dimension, ...], Mask] = {}
        for depth in range(1, MAX_DEPTH + 1):
            for chosen in combinations(counts.asked.dimensions, depth):
                parts = [p for p in combinations(chosen, depth - 1) if p]
                if any(p not in alive for p in parts):
                    continue
                rows = np.flatnonzero(np.all([alive[p] for p in parts] + [counts.asked.among], axis=0))
                group = self.groups(chosen)[rows]
                living = counts.living(group, rows)
                if not living.any():
                    continue
                mask = np.zeros(len(self.leaves), dtype=bool)
                mask[rows] = living[group]
                alive[chosen] = mask
                yield from self._best_of(counts, chosen, group, rows)

    def _best_of(
        self, counts: "_Counts", chosen: tuple[Dimension, ...], group: Ints, rows: Ints
    ) -> Iterator[Slice]:
        scores = counts.scores(group, rows)
        top = int(scores.argmax())
        if scores[top] <= 0:
            return
        mask = np.zeros(len(self.leaves), dtype=bool)
        mask[rows[group == top]] = True
        first = int(rows[group == top][0])
        pinned = [
            (d, str(self.leaves.names[DIMENSIONS.index(d)][self.leaves.code(d)[first]])) for d in chosen
        ]
        yield Slice(Scope.of(pinned), mask, float(scores[top]))


@dataclass(frozen=True, slots=True)
class _Counts:
    """Sums by group over the leaves that are looked at."""

    moved: Floats
    before: Floats
    asked: Question
    floor: float
    """Dollars that count as something: slices that spent nothing before are measured against this."""

    def living(self, group: Ints, rows: Ints) -> Mask:
        """Groups of which some part may have moved enough: the sum in the direction only falls inside."""
        along = np.maximum(self.asked.sign * self.moved[rows], 0.0)
        return np.asarray(summed(group, along) >= self.asked.least)

    def scores(self, group: Ints, rows: Ints | slice) -> Floats:
        """Negative where a group moved the other way or too little."""
        moved, before = summed(group, self.moved[rows]), summed(group, self.before[rows])
        base = np.maximum(before, self.floor)
        after = np.maximum(base + moved, self.floor * 1e-6)
        fits = self.asked.sign * moved >= self.asked.least
        return np.asarray(np.where(fits, after * np.log(after / base) - (after - base), -1.0))


def _simplest(found: Sequence[Slice], accepted: Callable[[Slice], bool]) -> Slice | None:
    """The shallowest slice nearly as good as the best accepted; of equals the one with the most natural name."""
    ranked = sorted(found, key=lambda s: -s.score)
    start = next((i for i, s in enumerate(ranked) if accepted(s)), None)
    if start is None:
        return None
    near = [s for s in ranked[start:] if s.score >= (1 - SLACK) * ranked[start].score]
    for depth in range(MAX_DEPTH + 1):
        level = [s for s in near if len(s.scope.items) == depth and accepted(s)]
        if level:
            best = max(s.score for s in level)
            equal = [s for s in level if s.score >= (1 - 1e-9) * best]
            return min(equal, key=lambda s: sorted(NATURAL.index(d) for d in s.scope.dimensions))
    return None


def named(leaves: Leaves, found: Slice) -> Slice:
    """The slice with its key's or feature's only team in its name; its rows stay the same."""
    scope = found.scope
    active = found.leaves & ((leaves.before.cost_pico != 0) | (leaves.after.cost_pico != 0))
    if {"key_id", "feature", "project"} & set(scope.dimensions) and "team" not in scope.dimensions:
        teams = np.unique(leaves.code("team")[active])
        if teams.size == 1:
            scope = scope.with_value("team", str(leaves.names[DIMENSIONS.index("team")][teams[0]]))
    return Slice(scope, found.leaves, found.score)
