"""Which slices moved, by which mechanism: arrivals first, then one scan per mechanism, then merged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ledger.scope import DIMENSIONS, Dimension, Scope
from tools.exposure import MOVED_BETWEEN, exposure
from tools.leaves import PLACE, Leaves, Mask, without_past
from tools.newcomers import newcomers, strangers
from tools.ordinary import Ordinary, ordinary_weeks
from tools.scan import Question, Scan, Slice, named
from tools.shapley import Floats
from tools.split import MECHANISMS, Mechanism, Split, Weights
from tools.study import Study
from tools.transfers import quotient, summed

MATERIAL = 0.003
"""A slice that moved by less than this part of all spend is left out."""
BESIDE_THE_LARGEST = 0.05
"""So is one of less than this part of the largest."""
LEAST_PICO = 10.0**10
"""A cent."""
ENOUGH = 3.7
"""A slice must move by so many of its own ordinary spreads, and by as many more as the best of all slices of
its dimensions strays by chance: 5.8 for ten teams, 6.7 for a hundred keys (the reference asks for 6.5)."""
FEWEST_RIVALS = 8
"""All spend is one of the slices of each dimension."""
LEAST_LEFT = 0.2
"""What fell to less than this part of itself counts as this much: a log of nothing says too much."""
CARRIED: tuple[Dimension, ...] = ("client", "provider", "model", "service_tier", "region", "user")
"""What work is carried by: a value that a key took up has no past to have grown from."""
NOISY: frozenset[Mechanism] = frozenset({"volume"})
"""Requests come and go by themselves; all other drivers stay what they are."""
ROOT_SLACK = 0.15
"""Growth of all spend is not told of the part of it that grew a little faster."""
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
"""So many slices of one mechanism and direction at most."""
SCANNED: tuple[Mechanism, ...] = tuple(m for m in MECHANISMS if m not in ("new_entities", "gone_entities"))
"""What appeared is told by set differences, what is gone together with what fell."""


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is looked for in one scan."""

    mechanism: Mechanism
    sign: int

    @property
    def together(self) -> tuple[Mechanism, ...]:
        """Work that is less and work that is gone are one fall."""
        if self.mechanism in ("volume", "gone_entities") and self.sign < 0:
            return "volume", "gone_entities"
        return (self.mechanism,)


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
    search = _Search(study.split, study.weights)
    arrived = list(search.arrivals(study))
    among = np.ones(len(study.split.leaves), dtype=bool)
    for suspect in arrived:
        among &= ~suspect.slice.leaves
    found = [*arrived, *(s for m in SCANNED for s in search.moved(m, among))]
    merged = _merged(found, study.split.leaves)
    largest = max((abs(s.delta_pico) for s in merged), default=0)
    kept = [s for s in merged if abs(s.delta_pico) >= BESIDE_THE_LARGEST * largest]
    return sorted(kept, key=lambda s: (-abs(s.delta_pico), str(s.scope)))


@dataclass(slots=True)
class _Search:
    split: Split
    weights: Weights
    scan: Scan = field(init=False)
    ordinary: Ordinary = field(init=False)
    least: float = field(init=False)
    without_past: dict[Dimension, Mask] = field(init=False)
    _nets: dict[Mechanism, Floats] = field(default_factory=dict)
    _exposed: dict[_Looked, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scan = Scan(self.split.leaves)
        self.ordinary = ordinary_weeks(self.scan, self.weights)
        sides = self.split.leaves.before.cost_pico, self.split.leaves.after.cost_pico
        self.least = max(MATERIAL * max(float(side.sum()) for side in sides), LEAST_PICO)
        self.without_past = {d: without_past(self.split.leaves, d) for d in CARRIED}

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
        left = among.copy()
        for sign in (-1, 1):
            if mechanism != "volume":
                left = among.copy()
            found: list[Suspect] = []
            for _ in range(PER_MECHANISM):
                suspect = self._next(_Looked(mechanism, sign), left)
                if suspect is None:
                    break
                left &= ~suspect.slice.leaves
                found = _widened([*found, suspect], self, sign)
            yield from found

    def _next(self, looked: _Looked, among: Mask) -> Suspect | None:
        effect = self.effect(looked)
        exposed = self.exposed(looked)
        not_told = MOVED_BETWEEN.get(looked.mechanism, ())
        asked = Question(
            effect=effect,
            exposed=exposed,
            sign=looked.sign,
            among=among,
            least=self.least,
            dimensions=tuple(d for d in DIMENSIONS if d not in not_told),
            barred=self.without_past if looked.mechanism == "volume" else {},
            root_slack=ROOT_SLACK if looked.mechanism == "volume" else 0.0,
            bystanders=(exposed <= 0) & (effect == 0) if looked.mechanism == "tokenizer" else None,
        )
        best = self.scan.best(asked, lambda s: self._stands_out(looked, s, effect))
        return self.suspect(looked, named(self.split.leaves, best)) if best else None

    def suspect(self, looked: _Looked, found: Slice) -> Suspect:
        """The slice with what the mechanism did to it."""
        effects = {m: int(self._netted(m)[found.leaves].sum()) for m in looked.together}
        lead = max(looked.together, key=lambda m: abs(effects[m]))
        amount = float(sum(effects.values()))
        spreads = abs(amount) / self.ordinary.spread(looked.mechanism, found)
        return Suspect(found, lead, {m: pico for m, pico in effects.items() if pico}, spreads)

    def made_up_by(self, looked: _Looked, earlier: Sequence[Suspect], last: Suspect) -> Scope | None:
        """What two suspects have in common, where nearly all that was exposed in it lies in the two."""
        if looked.mechanism in NOISY:
            return None
        exposed = self.exposed(looked)
        for suspect in earlier:
            common = Scope(tuple(i for i in last.scope.items if i in suspect.scope.items))
            both = suspect.slice.leaves | last.slice.leaves
            whole = float(exposed[self.split.leaves.inside(common)].sum())
            if common.items and float(exposed[both].sum()) >= INSIDE * whole:
                return common
        return None

    def _stands_out(self, looked: _Looked, found: Slice, effect: Floats) -> bool:
        """Whether the slice moved by more than the best of so many slices does in ordinary weeks.

        A fall is measured on a log scale: it cannot be larger than what there was.
        """
        amount = float(effect[found.leaves].sum())
        if looked.mechanism in NOISY and amount < 0:
            before = float(self.split.leaves.before.cost_pico[found.leaves].sum())
            left = max((before + amount) / before, LEAST_LEFT) if before > 0 else LEAST_LEFT
            amount = before * float(np.log(left))
        spreads = abs(amount) / self.ordinary.spread(looked.mechanism, found)
        return spreads >= ENOUGH + float(np.sqrt(2 * np.log(max(found.rivals, FEWEST_RIVALS))))

    def exposed(self, looked: _Looked) -> Floats:
        """What could have moved, by leaf."""
        if looked not in self._exposed:
            self._exposed[looked] = exposure(self.split, self.weights, looked.mechanism, looked.sign)
        return self._exposed[looked]

    def effect(self, looked: _Looked) -> Floats:
        return np.asarray(np.sum([self._netted(m) for m in looked.together], axis=0))

    def _netted(self, mechanism: Mechanism) -> Floats:
        """The effect by leaf; moves as what both their ends come to, on the leaves where work left."""
        if mechanism not in self._nets:
            effect = self.split.effect(mechanism).astype(np.float64)
            self._nets[mechanism] = self._at_the_old_end(effect) if mechanism in MOVED_BETWEEN else effect
        return self._nets[mechanism]

    def _at_the_old_end(self, effect: Floats) -> Floats:
        places = self.scan.groups(PLACE)
        left = np.maximum(-effect, 0.0)
        size = summed(places, left)
        alone = size[places] <= 0
        return np.asarray(
            np.where(alone, effect, summed(places, effect)[places] * quotient(left, size[places]))
        )


def _widened(found: Sequence[Suspect], search: _Search, sign: int) -> list[Suspect]:
    """The last of the suspects takes in those that lie in its scope, or with it make up a larger one.

    They moved alike, not at one rate: by other models, or in keys that do other things beside.
    """
    *earlier, last = found
    looked = _Looked(last.lead, sign)
    scope = last.scope
    inside = [s for s in earlier if scope.items and scope.contains(s.scope)]
    if not inside and (whole := search.made_up_by(looked, earlier, last)):
        scope = whole
        inside = [s for s in earlier if scope.contains(s.scope)]
    if not inside:
        return list(found)
    leaves = np.any([last.slice.leaves, *(s.slice.leaves for s in inside)], axis=0)
    whole_slice = Slice(scope, leaves, last.slice.score)
    return [*(s for s in earlier if s not in inside), search.suspect(looked, whole_slice)]


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
