"""Finds the scope whose leaves moved together: an expectation-based scan over combinations of dimensions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, takewhile

import numpy as np

from ledger.leaf_sums import dense
from ledger.scope import DIMENSIONS, Dimension, Scope
from tools.leaves import OWNER, PLACE, Ints, Leaves, Mask
from tools.shapley import Floats
from tools.transfers import summed

MAX_DEPTH = 3
SLACK = 0.01
"""A slice with fewer dimensions may score this much less than the best and still be told (the reference
gives 0.5 % for exact effects and 2 % for volume)."""

BEST_OF = 3
"""Slices of a combination that are looked at; the best may be ordinary."""
MOST_ORDINARY = 40
MOSTLY_ALONG = 0.5
"""Where less of a slice moved along, a few of its keys did and the rest is no part of it."""
OWED = 0.6
"""A slice that owes so much of its move to another one that moves so anyway is ordinary too."""
PURE = 0.7
"""A slice is not told by a shallower one that is less pure than this part of it."""

NATURAL: tuple[Dimension, ...] = (
    "key_id", "team", "feature", "model", "project", "client", "region", "service_tier", "user", "provider",
)  # fmt: skip
"""Of slices that fit alike, the one that pins what comes first is told."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some leaves and the scope that names them."""

    scope: Scope
    leaves: Mask
    score: float
    rivals: int = 1
    """How many slices pin these dimensions: the best of many strays further by chance."""


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
    barred: Mapping[Dimension, Mask] = field(default_factory=dict)
    """Leaves that a dimension does not tell apart: nothing can be said against their past there."""
    root_slack: float = 0.0
    """What the whole may score less than a part of it and still be told; 0: it is a slice like any other."""
    bystanders: Mask | None = None
    """Leaves that a slice may hold without being less pure."""


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
        `least` in the direction, or nothing of it is accepted. Slices whose moves in the direction sum to
        less are passed over with all that they contain.
        """
        moved = np.where(asked.among, asked.effect, 0.0)
        before = np.where(asked.among, asked.exposed, 0.0)
        counts = _Counts(moved, before, asked, 1e-3 * float(np.abs(moved).sum() + before.sum()) + 1.0)
        found = [s for s in (self._root(counts), *self._deeper(counts)) if s is not None]
        return self._simplest(found, accepted, asked)

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
                if any(p not in alive for p in parts) or not self._tells_more(chosen, parts):
                    continue
                allowed = [~counts.asked.barred[d] for d in chosen if d in counts.asked.barred]
                wanted = [*(alive[p] for p in parts), counts.asked.among, *allowed]
                rows = np.flatnonzero(np.all(wanted, axis=0))
                group = self.groups(chosen)[rows]
                living = counts.living(group, rows)
                if not living.any():
                    continue
                mask = np.zeros(len(self.leaves), dtype=bool)
                mask[rows] = living[group]
                alive[chosen] = mask
                yield from self._best_of(counts, chosen, group, rows)

    def _tells_more(self, chosen: tuple[Dimension, ...], parts: Sequence[tuple[Dimension, ...]]) -> bool:
        """Whether the combination has slices that none of its parts has."""
        width = self.width(chosen)
        return width > 1 and all(width > self.width(p) for p in parts)

    def width(self, chosen: tuple[Dimension, ...]) -> int:
        """How many slices pin these dimensions."""
        return int(self.groups(chosen).max()) + 1 if len(self.leaves) else 0

    def _best_of(
        self, counts: "_Counts", chosen: tuple[Dimension, ...], group: Ints, rows: Ints
    ) -> Iterator[Slice]:
        scores = counts.scores(group, rows)
        best = np.argsort(-scores, kind="stable")[: BEST_OF if len(chosen) < MAX_DEPTH else 1]
        for top in best[scores[best] > 0].tolist():
            mask = np.zeros(len(self.leaves), dtype=bool)
            mask[rows[group == top]] = True
            first = int(rows[group == top][0])
            pinned = [(d, self.leaves.value(d, first)) for d in chosen]
            yield Slice(Scope.of(pinned), mask, float(scores[top]), self.width(chosen))

    def _simplest(
        self, found: Sequence[Slice], accepted: Callable[[Slice], bool], asked: Question
    ) -> Slice | None:
        """The shallowest slice nearly as good as the best accepted; of equals the most natural name."""
        standing = self._standing(sorted(found, key=lambda s: -s.score), accepted, asked)
        first = next(standing, None)
        if first is None:
            return None
        top = first.score
        least = (1 - max(SLACK, asked.root_slack)) * top
        near = [first, *takewhile(lambda s: s.score >= least, standing)]
        whole = next((s for s in near if not s.scope.items), None)
        if whole and asked.root_slack:
            return whole
        near = [s for s in near if s.score >= (1 - SLACK) * top]
        purest = max(self._purity(s, asked) for s in near)
        near = [s for s in near if self._purity(s, asked) >= PURE * purest]
        depth = min(len(s.scope.items) for s in near)
        level = [s for s in near if len(s.scope.items) == depth]
        best = max(s.score for s in level)
        equal = [s for s in level if s.score >= (1 - 1e-6) * best]
        return min(equal, key=lambda s: (-round(self._purity(s, asked), 2), _naturalness(s.scope)))

    def _standing(
        self, ranked: Sequence[Slice], accepted: Callable[[Slice], bool], asked: Question
    ) -> Iterator[Slice]:
        """Accepted slices, best first, but for those that owe their effect to a part that is ordinary."""
        ordinary: list[Slice] = []
        for found in ranked:
            if not accepted(found) or any(_owes(found, part, asked) for part in ordinary):
                ordinary = [*ordinary, found][:MOST_ORDINARY]
            elif self._along(found, asked) >= MOSTLY_ALONG:
                yield found

    def _along(self, found: Slice, asked: Question) -> float:
        """How much of what was exposed in a slice lies in keys that moved at least half as fast as it did."""
        keys = self.groups(OWNER)[found.leaves]
        exposed, moved = summed(keys, asked.exposed[found.leaves]), summed(keys, asked.effect[found.leaves])
        total = float(exposed.sum())
        if total <= 0:
            return 1.0
        rate = float(moved.sum()) / total
        return float(exposed[asked.sign * moved >= 0.5 * asked.sign * rate * exposed].sum()) / total

    def _purity(self, found: Slice, asked: Question) -> float:
        """How much of the dollars of a slice lies in places that the effect touched."""
        places = self.groups(PLACE)
        touched = summed(places, (asked.effect != 0).astype(np.float64))[places] > 0
        counted = found.leaves if asked.bystanders is None else found.leaves & ~asked.bystanders
        dollars = np.where(counted, self.leaves.before.cost_pico + self.leaves.after.cost_pico, 0)
        total = float(dollars.sum())
        return float(dollars[touched].sum()) / total if total else 1.0


def _owes(found: Slice, part: Slice, asked: Question) -> bool:
    """Whether a slice is mostly another one that is ordinary, and not a part of it."""
    shared = part.leaves & found.leaves
    inside_a_larger = bool((shared == found.leaves).all() and (part.leaves & ~found.leaves).any())
    moved = float(asked.effect[found.leaves].sum())
    return not inside_a_larger and float(asked.effect[shared].sum()) / moved >= OWED


def _naturalness(scope: Scope) -> list[int]:
    return sorted(NATURAL.index(d) for d in scope.dimensions)


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


def named(leaves: Leaves, found: Slice) -> Slice:
    """The slice with its key's or feature's only team in its name; its rows stay the same."""
    scope = found.scope
    active = found.leaves & ((leaves.before.cost_pico != 0) | (leaves.after.cost_pico != 0))
    if {"key_id", "feature", "project"} & set(scope.dimensions) and "team" not in scope.dimensions:
        teams = np.unique(leaves.code("team")[active])
        if teams.size == 1:
            scope = scope.with_value("team", str(leaves.names[DIMENSIONS.index("team")][teams[0]]))
    return Slice(scope, found.leaves, found.score)
