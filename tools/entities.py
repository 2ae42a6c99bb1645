"""Who is new, who is gone, and who only changed its name: set differences against the whole history."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from ledger.leaf_sums import ScopeTable, hour_number
from ledger.scope import DIMENSIONS, UNALLOCATED, Dimension
from tools.comparison import Comparison
from tools.leaves import Ints, Leaves, Mask
from tools.shapley import Floats

ENTITY: tuple[Dimension, ...] = ("team", "project", "key_id", "feature")
ROTATION = (0.5, 2.0)
"""A new key that does between half and twice the work of a key that fell silent replaces it."""
SAME_WORK = (0.1, 10.0)
"""The same for a key that does the same work: then more or less is told of the work."""
IDLE_HOURS = 72
"""A weekend may lie between the two."""
ALIKE = 0.5
"""Keys do the same work where so much of it is the same feature, region and user."""
_WHAT = [DIMENSIONS.index(d) for d in ("feature", "region", "user")]
HANDOVER_HOURS = 6
"""Two keys may both be in use for so long while one replaces the other."""


@dataclass(frozen=True, slots=True)
class Entities:
    """Codes of each dimension that appeared after the baseline, or fell silent before the window."""

    new: Mapping[Dimension, Ints]
    gone: Mapping[Dimension, Ints]
    renamed: Mapping[str, str]
    """Key ids to the ids that replaced them: under these the work goes on."""


def find_entities(table: ScopeTable, leaves: Leaves, compared: Comparison) -> Entities:
    """Compare the window with everything seen before it."""
    start, end = hour_number(compared.window)
    known_until = max((hour_number(w)[1] for w in compared.baseline), default=start)
    new: dict[Dimension, Ints] = {}
    gone: dict[Dimension, Ints] = {}
    for dimension in ENTITY:
        first, last = table.lives(dimension)
        new[dimension] = np.flatnonzero((first >= known_until) & (first < end))
        gone[dimension] = np.flatnonzero(last < start)
    since = min((hour_number(window)[0] for window in compared.baseline), default=start)
    renamed = _rotations(table, leaves, since + 1)
    names = table.names[DIMENSIONS.index("key_id")]
    gone["key_id"] = np.setdiff1d(gone["key_id"], np.flatnonzero(np.isin(names, list(renamed))))
    new["key_id"] = np.setdiff1d(new["key_id"], np.flatnonzero(np.isin(names, list(renamed.values()))))
    return Entities(new, gone, renamed)


def new_leaves(leaves: Leaves, entities: Entities) -> Mask:
    """Leaves of an entity that appeared, as a mask; a key that replaced another is not new."""
    return np.asarray(_holding(leaves, entities.new) & (leaves.before.cost_pico == 0))


def gone_leaves(leaves: Leaves, entities: Entities) -> Mask:
    """Leaves of an entity that fell silent, as a mask; only what ran in every baseline window can be gone."""
    weekly = [week.cost_pico > 0 for week in leaves.weeks]
    steady = np.all(weekly, axis=0) if weekly else np.zeros(len(leaves), dtype=bool)
    return np.asarray(_holding(leaves, entities.gone) & (leaves.after.activity == 0) & steady)


def _holding(leaves: Leaves, values: Mapping[Dimension, Ints]) -> Mask:
    mask = np.zeros(len(leaves), dtype=bool)
    for dimension in ENTITY:
        mask |= np.isin(leaves.code(dimension), values[dimension])
    return mask


def _rotations(table: ScopeTable, leaves: Leaves, since: int) -> Mapping[str, str]:
    """Pair keys that began `since` with keys of their team and project that fell silent as they began.

    A key that does the same is compared with the old one even where it does far more or less of it.
    """
    if not leaves.weeks:
        return {}
    first, last = table.lives("key_id")
    names = table.names[DIMENSIONS.index("key_id")]
    used = np.unique(leaves.code("key_id"))
    by_tokens = leaves.by_tokens(("team", "project"))
    activity = np.array([side.work(by_tokens) for side in (leaves.after, *leaves.weeks)])
    work_of = cache(lambda key: _work_of(leaves, activity, key))
    pairs: dict[int, int] = {}
    for key in sorted(used[first[used] >= since].tolist(), key=lambda k: first[k]):
        idle = first[key] - last[used]
        handed = used[(first[used] < first[key]) & (idle <= IDLE_HOURS) & (idle >= -HANDOVER_HOURS)]
        fitting = [
            (work_of(key).likeness(work_of(old)), old)
            for old in handed.tolist()
            if old not in pairs.values() and work_of(key).replaces(work_of(old))
        ]
        if fitting and names[key] != UNALLOCATED:
            pairs[key] = max(fitting)[1]
    replaced_by = {old: key for key, old in pairs.items()}
    return {str(names[old]): str(names[_last_of(replaced_by, old)]) for old in replaced_by}


def _last_of(replaced_by: Mapping[int, int], key: int) -> int:
    """The key at the end of a chain of replacements."""
    while key in replaced_by:
        key = replaced_by[key]
    return key


@dataclass(frozen=True, slots=True)
class _Work:
    """What a key did, and where: requests of an ordinary window in which it was used, or tokens."""

    places: frozenset[tuple[int, int]]
    requests: float
    shares: Mapping[tuple[int, ...], float]
    """Of its requests, by feature, model and so on."""

    def likeness(self, other: "_Work") -> float:
        """The part of the work that is alike, 0 to 1."""
        return sum(min(share, other.shares.get(what, 0.0)) for what, share in self.shares.items())

    def replaces(self, old: "_Work") -> bool:
        if not (self.requests and old.requests and self.places & old.places):
            return False
        least, most = SAME_WORK if self.likeness(old) >= ALIKE else ROTATION
        return least * old.requests <= self.requests <= most * old.requests


def _work_of(leaves: Leaves, activity: Floats, key: int) -> _Work:
    own = np.flatnonzero(leaves.code("key_id") == key)
    windows = activity[:, own]
    used = max(int((windows.sum(axis=1) > 0).sum()), 1)
    by_leaf = windows.sum(axis=0) / used
    total = float(by_leaf.sum())
    shares: dict[tuple[int, ...], float] = {}
    for what, requests in zip(leaves.codes[:, own][_WHAT].T.tolist(), by_leaf.tolist(), strict=True):
        shares[tuple(what)] = shares.get(tuple(what), 0.0) + (requests / total if total else 0.0)
    places = zip(leaves.code("team")[own].tolist(), leaves.code("project")[own].tolist(), strict=True)
    return _Work(frozenset(places), total, shares)
