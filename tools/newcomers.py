"""What has no past: new teams, projects, features and keys, and known keys used from a new place.

They are compared with nothing, so they are told by set differences and not by a scan.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ledger.leaf_sums import ScopeTable, hour_number
from ledger.scope import DIMENSIONS, UNALLOCATED, Dimension, Scope
from tools.comparison import Comparison
from tools.leaves import OWNER, Ints, Leaves, Mask
from tools.scan import Slice, named
from tools.split import Split
from tools.transfers import NEW

ORIGINS: tuple[Dimension, ...] = ("region", "client", "user")
STILL_THERE = 0.7
"""The known places of a key keep at least so much of their requests where a stranger came beside them."""
MOSTLY_MORE = 0.6
"""At least so much of the stranger's requests comes on top of what the key did before."""
FEW_KEYS = 2
"""A place that more keys are newly used from is a place the organisation moved to."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """Leaves of a known key from places it was never used from."""

    found: Slice
    known_ratio: float
    """What the known places of the key did against before."""


def newcomers(split: Split) -> Iterator[Slice]:
    """Slices of what appeared: a new team, project or feature with several keys, else each new key."""
    leaves = split.leaves
    left = split.effect("new_entities") != 0
    for dimension in ("team", "project", "feature", "key_id"):
        codes = leaves.code(dimension)
        for code in np.intersect1d(codes[left], split.entities.new[dimension]):
            mask = left & (codes == code)
            keys = np.unique(leaves.code("key_id")[mask])
            only_key = dimension != "key_id" and keys.size == 1 and keys[0] in split.entities.new["key_id"]
            if mask.any() and not only_key:
                left &= ~mask
                yield _slice(leaves, mask, (dimension,))


def strangers(split: Split, table: ScopeTable, compared: Comparison) -> Iterator[Stranger]:
    """Known keys that are newly used from a region, client or user while their own use goes on."""
    leaves = split.leaves
    fresh = _fresh(leaves, table, compared) & (split.effect("new_entities") == 0)
    if not fresh.any():
        return
    by_tokens = leaves.by_tokens(OWNER)
    took_over = leaves.before.work(by_tokens) > NEW * leaves.after.work(by_tokens)
    fresh &= ~took_over & ~_moved_to(leaves, fresh)
    keys = leaves.groups(OWNER)
    for key in np.unique(keys[fresh]):
        own = keys == key
        stranger = own & fresh
        ratio = _known_ratio(split, own, stranger)
        if ratio is not None:
            yield Stranger(_slice(leaves, stranger, ("key_id", *_shared(leaves, stranger, own))), ratio)


def _fresh(leaves: Leaves, table: ScopeTable, compared: Comparison) -> Mask:
    """Leaves of known keys from an origin that the key was first seen from after the baseline."""
    start, _ = hour_number(compared.window)
    known_until = max((hour_number(w)[1] for w in compared.baseline), default=start)
    key_first, _ = table.lives("key_id")
    fresh = np.zeros(len(leaves), dtype=bool)
    for dimension in ORIGINS:
        seen = _first_together(leaves, table, dimension)
        fresh |= (seen >= known_until) & (leaves.column(dimension) != UNALLOCATED)
    return np.asarray(fresh & (key_first[leaves.code("key_id")] < known_until) & (leaves.after.activity > 0))


def _first_together(leaves: Leaves, table: ScopeTable, dimension: Dimension) -> Ints:
    """By leaf, the first hour ever of its key at its value of the dimension."""
    key, other = DIMENSIONS.index("key_id"), DIMENSIONS.index(dimension)
    width = len(table.names[other])
    pairs = table.codes[key] * width + table.codes[other]
    known, position = np.unique(pairs, return_inverse=True)
    first = np.full(known.size, np.iinfo(np.int64).max)
    np.minimum.at(first, position, table.first_hour)
    mine = leaves.code("key_id") * width + leaves.code(dimension)
    at = np.minimum(np.searchsorted(known, mine), known.size - 1)
    return np.where(known[at] == mine, first[at], np.iinfo(np.int64).min)


def _moved_to(leaves: Leaves, fresh: Mask) -> Mask:
    """Leaves in places that several keys came to at once."""
    moved = np.zeros(len(leaves), dtype=bool)
    keys = leaves.code("key_id")
    for dimension in ("region", "client"):
        codes = leaves.code(dimension)
        for code in np.unique(codes[fresh]):
            if np.unique(keys[fresh & (codes == code)]).size > FEW_KEYS:
                moved |= codes == code
    return moved


def _known_ratio(split: Split, own: Mask, stranger: Mask) -> float | None:
    """What the known places did against before; None where the key only moved."""
    leaves, weeks = split.leaves, split.leaves.weeks
    by_tokens = leaves.by_tokens(OWNER)
    was = sum(float(week.work(by_tokens)[own].sum()) for week in weeks) / max(len(weeks), 1)
    now = leaves.after.work(by_tokens)
    new, known = float(now[stranger].sum()), float(now[own & ~stranger].sum())
    if not was or known < STILL_THERE * was or known + new - was < MOSTLY_MORE * new:
        return None
    return known / was


def _shared(leaves: Leaves, mask: Mask, own: Mask) -> Iterator[Dimension]:
    """Dimensions in which the leaves have one value that the rest of the key does not have."""
    for dimension in ORIGINS:
        codes: Ints = leaves.code(dimension)
        values = np.unique(codes[mask])
        known = leaves.names[DIMENSIONS.index(dimension)][values[0]] != UNALLOCATED
        if known and values.size == 1 and not (codes[own & ~mask] == values[0]).any():
            yield dimension


def _slice(leaves: Leaves, mask: Mask, dimensions: tuple[Dimension, ...]) -> Slice:
    first = int(np.flatnonzero(mask)[0])
    scope = Scope.of([(d, str(leaves.column(d)[first])) for d in dimensions])
    return named(leaves, Slice(scope, mask, float(leaves.after.cost_pico[mask].sum())))
