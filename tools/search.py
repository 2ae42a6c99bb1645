"""Which slices moved, by which mechanism: arrivals first, then one scan per mechanism, then merged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ledger.scope import DIMENSIONS, Dimension, Scope
from tools.exposure import exposure
from tools.leaves import Leaves, Mask
from tools.newcomers import newcomers, strangers
from tools.ordinary import Ordinary, ordinary_weeks
from tools.shapley import Floats
from tools.slices import Question, Scan, Slice, named
from tools.split import MECHANISMS, Mechanism, Split, Weights
from tools.study import Study
from tools.transfers import quotient, summed

MATERIAL = 0.01
"""A slice that moved by less than this part of all spend is left out."""
BESIDE_THE_LARGEST = 0.05
"""So is one of less than this part of the largest."""
SPREADS = {"volume": 6.5, "retries": 6.5}
OTHER_SPREADS = 5.0
"""A slice must move by so many of its own ordinary spreads; there are dozens of keys, so a few always
stray (the reference asks for 6.5)."""
SAME_LEAVES = 0.6
"""Two slices that share this much of their dollars are one finding."""
INSIDE = 0.9
"""So are two of which one lies in the other this much, where its mechanism goes with the other's."""
GOES_WITH: dict[Mechanism, frozenset[Mechanism]] = {
    "retries": frozenset({"volume", "input_length", "output_length", "cache"}),
    "input_length": frozenset({"cache", "output_length"}),
    "output_length": frozenset({"input_length"}),
    "model_mix": frozenset({"input_length", "output_length", "cache", "price", "tokenizer"}),
    "tokenizer": frozenset({"input_length", "output_length", "cache", "model_mix"}),
    "tier_mix": frozenset({"price"}),
    "cache": frozenset({"input_length"}),
}
"""What a mechanism brings along: longer prompts miss the cache, a retry has no answer."""
PER_MECHANISM = 4
MOVES: tuple[Mechanism, ...] = ("model_mix", "tier_mix")
"""Effects with two ends: what one model or tier lost, another gained."""
MOVABLE_BY: dict[Mechanism, frozenset[Dimension]] = {
    "model_mix": frozenset({"provider", "model"}),
    "tier_mix": frozenset({"service_tier"}),
}
"""Dimensions that do not tell who moved."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """Leaves that moved together, and what moved them."""

    slice: Slice
    lead: Mechanism
    effects_pico: dict[Mechanism, int]
    spreads: float
    """By how many of its ordinary spreads the leading effect moved."""
    known_ratio: float | None = None
    """Where a known key is used from a new place: what its known places did against before."""

    @property
    def delta_pico(self) -> int:
        return sum(self.effects_pico.values())

    @property
    def scope(self) -> Scope:
        return self.slice.scope


def find_suspects(study: Study) -> list[Suspect]:
    """Slices of every mechanism in both directions, largest first, merged where they are the same leaves."""
    search = _Search(study.split, study.weights, ordinary_weeks(study.split.leaves, study.weights))
    arrived = list(search.arrivals(study))
    among = np.ones(len(study.split.leaves), dtype=bool)
    for suspect in arrived:
        among &= ~suspect.slice.leaves
    found = [*arrived, *(s for m in MECHANISMS for s in search.moved(m, among))]
    merged = _merged(found, study.split.leaves)
    largest = max((abs(s.delta_pico) for s in merged), default=0)
    kept = [s for s in merged if abs(s.delta_pico) >= BESIDE_THE_LARGEST * largest]
    return sorted(kept, key=lambda s: (-abs(s.delta_pico), str(s.scope)))


@dataclass(slots=True)
class _Search:
    split: Split
    weights: Weights
    ordinary: Ordinary
    scan: Scan = field(init=False)
    least: float = field(init=False)

    def __post_init__(self) -> None:
        self.scan = Scan(self.split.leaves)
        sides = self.split.leaves.before.cost_pico, self.split.leaves.after.cost_pico
        self.least = max(MATERIAL * max(float(side.sum()) for side in sides), 1.0)

    def arrivals(self, study: Study) -> Iterator[Suspect]:
        for found in newcomers(self.split):
            yield from self._told(found, "new_entities")
        for stranger in strangers(self.split, study.table, study.compared):
            for suspect in self._told(stranger.found, "volume", whole=True):
                yield replace(suspect, known_ratio=stranger.known_ratio)

    def _told(self, found: Slice, lead: Mechanism, *, whole: bool = False) -> Iterator[Suspect]:
        table = self.split.effects_pico[:, found.leaves]
        effects = {m: int(table[i].sum()) for i, m in enumerate(MECHANISMS) if whole or m == lead}
        suspect = Suspect(found, lead, {m: pico for m, pico in effects.items() if pico}, np.inf)
        if suspect.delta_pico >= self.least:
            yield suspect

    def moved(self, mechanism: Mechanism, among: Mask) -> Iterator[Suspect]:
        """The best slices of one mechanism, each taken off before the next is sought; falls before rises."""
        effect = self._netted(mechanism)
        left = among.copy()
        for sign in (-1, 1):
            if mechanism != "volume":
                left = among.copy()
            found: list[Suspect] = []
            for _ in range(PER_MECHANISM):
                suspect = self._next(mechanism, effect, sign, left)
                if suspect is None:
                    break
                left &= ~suspect.slice.leaves
                found = _widened([*found, suspect], self)
            yield from found

    def _next(self, mechanism: Mechanism, effect: Floats, sign: int, among: Mask) -> Suspect | None:
        not_told = MOVABLE_BY.get(mechanism, frozenset())
        dimensions = tuple(d for d in DIMENSIONS if d not in not_told)
        exposed = exposure(self.split, self.weights, mechanism, sign)
        asked = Question(effect, exposed, sign, among, self.least, dimensions)
        best = self.scan.best(asked, lambda s: self._spreads(mechanism, s) >= _enough(mechanism))
        if best is None:
            return None
        return self.suspect(mechanism, named(self.split.leaves, best))

    def suspect(self, mechanism: Mechanism, found: Slice) -> Suspect:
        """The slice with what the mechanism did to it."""
        amount = int(self.split.effect(mechanism)[found.leaves].sum())
        return Suspect(found, mechanism, {mechanism: amount}, self._spreads(mechanism, found))

    def _spreads(self, mechanism: Mechanism, found: Slice) -> float:
        amount = float(self.split.effect(mechanism)[found.leaves].sum())
        return abs(amount) / self.ordinary.spread(mechanism, found.leaves)

    def _netted(self, mechanism: Mechanism) -> Floats:
        """The effect by leaf; moves as what both their ends come to, spread over the leaves they touch."""
        effect = self.split.effect(mechanism).astype(np.float64)
        if mechanism not in MOVES:
            return effect
        places = self.split.leaves.groups(("team", "project", "key_id", "feature"))
        net, size = summed(places, effect), summed(places, np.abs(effect))
        return np.asarray(net[places] * quotient(np.abs(effect), size[places]))


def _widened(found: Sequence[Suspect], search: _Search) -> list[Suspect]:
    """The last of the suspects takes in those that lie in its scope: they moved alike, not at one rate."""
    *earlier, last = found
    inside = [s for s in earlier if last.scope.contains(s.scope)]
    if not inside:
        return list(found)
    leaves = np.any([last.slice.leaves, *(s.slice.leaves for s in inside)], axis=0)
    whole = Slice(last.scope, leaves, last.slice.score)
    return [*(s for s in earlier if s not in inside), search.suspect(last.lead, whole)]


def _enough(mechanism: Mechanism) -> float:
    return SPREADS.get(mechanism, OTHER_SPREADS)


def _merged(found: Sequence[Suspect], leaves: Leaves) -> list[Suspect]:
    """Join suspects on the same leaves into the largest of them."""
    dollars = (leaves.before.cost_pico + leaves.after.cost_pico).astype(np.float64)
    kept: list[Suspect] = []
    for suspect in sorted(found, key=lambda s: -abs(s.delta_pico)):
        same = (i for i, k in enumerate(kept) if _is_one(k, suspect, dollars))
        i = next(same, None)
        if i is None:
            kept.append(suspect)
        else:
            both = dict(kept[i].effects_pico)
            for name, pico in suspect.effects_pico.items():
                both[name] = both.get(name, 0) + pico
            kept[i] = replace(kept[i], effects_pico=both)
    return kept


def _is_one(one: Suspect, other: Suspect, dollars: Floats) -> bool:
    """Whether the smaller `other` is a part or a side effect of `one`."""
    both = dollars[one.slice.leaves & other.slice.leaves].sum()
    either = dollars[one.slice.leaves | other.slice.leaves].sum()
    if both >= SAME_LEAVES * either:
        return True
    inside = both >= INSIDE * dollars[other.slice.leaves].sum()
    return bool(inside and other.lead in GOES_WITH.get(one.lead, frozenset()))
