"""Who is new, who is gone, and who only changed its name: set differences against the whole history."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ledger.leaf_sums import ScopeTable, hour_number
from ledger.scope import DIMENSIONS, UNALLOCATED, Dimension
from tools.comparison import Comparison
from tools.leaves import Ints, Leaves, Mask

ENTITY: tuple[Dimension, ...] = ("team", "project", "key_id", "feature")
ROTATION = (0.5, 2.0)
"""A new key that does between half and twice the work of a key that fell silent replaces it."""
SAME_WORK = (0.1, 10.0)
"""The same for a key that is used for the same features: then more or less is told of the work."""
IDLE_HOURS = 72
"""A weekend may lie between the two."""
HANDOVER_HOURS = 6
"""Two keys may both be in use for so long while one replaces the other."""


@dataclass(frozen=True, slots=True)
class Entities:
    """Codes of each dimension that appeared after the baseline, or fell silent before the window."""

    new: Mapping[Dimension, Ints]
    gone: Mapping[Dimension, Ints]
    renamed: Mapping[str, str]
    """Key ids to the older ids they replace."""


def find_entities(table: ScopeTable, leaves: Leaves, compared: Comparison) -> Entities:
    """Compare the window with everything seen before it."""
    start, end = hour_number(compared.window)
    known_until = max((hour_number(w)[1] for w in compared.baseline), default=start)
    new: dict[Dimension, Ints] = {}
    gone: dict[Dimension, Ints] = {}
    for dimension in ENTITY:
        first, last = lives(table, dimension)
        new[dimension] = np.flatnonzero((first >= known_until) & (first < end))
        gone[dimension] = np.flatnonzero(last < start)
    inside = np.intersect1d(new["key_id"], leaves.code("key_id"))
    return Entities(new, gone, _rotations(table, leaves, inside))


def lives(table: ScopeTable, dimension: Dimension) -> tuple[Ints, Ints]:
    """First and last hour ever of each code of the dimension."""
    position = DIMENSIONS.index(dimension)
    count = len(table.names[position])
    first = np.full(count, np.iinfo(np.int64).max)
    last = np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(first, table.codes[position], table.first_hour)
    np.maximum.at(last, table.codes[position], table.last_hour)
    return first, last


def new_leaves(leaves: Leaves, entities: Entities) -> Mask:
    """Leaves of an entity that appeared, as a mask; renamed keys are not new."""
    return np.asarray(_holding(leaves, entities.new) & (leaves.before.cost_pico == 0))


def gone_leaves(leaves: Leaves, entities: Entities) -> Mask:
    """Leaves of an entity that fell silent, as a mask; only what ran in every baseline window can be gone."""
    weekly = [week.cost_pico > 0 for week in leaves.weeks]
    steady = np.all(weekly, axis=0) if weekly else np.zeros(len(leaves), dtype=bool)
    return np.asarray(_holding(leaves, entities.gone) & (leaves.after.requests == 0) & steady)


def _holding(leaves: Leaves, values: Mapping[Dimension, Ints]) -> Mask:
    mask = np.zeros(len(leaves), dtype=bool)
    for dimension in ENTITY:
        mask |= np.isin(leaves.code(dimension), values[dimension])
    return mask


def _rotations(table: ScopeTable, leaves: Leaves, new: Ints) -> Mapping[str, str]:
    """Pair new keys with keys of the same team and project that fell silent when the new ones began.

    A key that does the same features is compared with the old one even where it does far more or less.
    """
    if not (new.size and leaves.weeks):
        return {}
    first, last = lives(table, "key_id")
    steady = np.all([week.activity > 0 for week in leaves.weeks], axis=0)
    known = np.setdiff1d(np.unique(leaves.code("key_id")[steady]), new)
    names = table.names[DIMENSIONS.index("key_id")]
    works = {int(key): _work_of(leaves, int(key)) for key in (*new, *known)}
    pairs: dict[int, int] = {}
    for key in sorted(new.tolist(), key=lambda k: -works[k].after):
        fitting = [
            (abs(np.log(works[key].after / works[old].before)), old)
            for old in known.tolist()
            if old not in pairs.values()
            and -IDLE_HOURS <= last[old] - first[key] <= HANDOVER_HOURS
            and works[key].replaces(works[old])
        ]
        if fitting and names[key] != UNALLOCATED:
            pairs[key] = min(fitting)[1]
    return {str(names[key]): str(names[old]) for key, old in pairs.items()}


@dataclass(frozen=True, slots=True)
class _Work:
    """What a key did, and where."""

    places: frozenset[tuple[int, int]]
    features: frozenset[int]
    before: float
    after: float

    def replaces(self, old: "_Work") -> bool:
        if not (self.after and old.before and self.places & old.places):
            return False
        least, most = SAME_WORK if self.features == old.features else ROTATION
        return least * old.before <= self.after <= most * old.before


def _work_of(leaves: Leaves, key: int) -> _Work:
    own = np.flatnonzero(leaves.code("key_id") == key)
    places = zip(leaves.code("team")[own].tolist(), leaves.code("project")[own].tolist(), strict=True)
    return _Work(
        frozenset(places),
        frozenset(leaves.code("feature")[own].tolist()),
        float(leaves.before.activity[own].sum()),
        float(leaves.after.activity[own].sum()),
    )
