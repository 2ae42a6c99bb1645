"""Which keys may have moved to another model, and which used their models as before: told from two sums, so
that only their hours need to be read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ledger.leaf_sums import MEASURES, LeafSums, ScopeTable, leaf_sums, scope_table
from ledger.reader import Reader
from ledger.scope import DIMENSIONS, EVERYTHING, Scope
from ledger.window import Window

Floats = NDArray[np.float64]

LEAST_REQUESTS = 20
"""Fewer requests on either side say nothing about a share."""
MAIN_SHARE, LOST_SHARE = 0.5, 0.01
"""A key that may have moved used one model mostly, and later less: by how much depends on when it moved."""
STEADY_CHANGE = 0.2
"""A key stayed when no model's share of its requests changed by more."""
MOST_MOVERS, MOST_STEADY = 400, 100
"""The busiest are looked at."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Keys worth a look at their hours, busiest first, and the ledger's numbers of all their scopes."""

    movers: tuple[str, ...]
    steady: tuple[str, ...]
    scope_ids: tuple[int, ...]


def find_candidates(
    reader: Reader,
    before: Window,
    after: Window,
    *,
    where: Scope = EVERYTHING,
    inside: set[str] | None = None,
) -> Candidates:
    """Compare the keys' models in two windows; only keys `inside` may be movers, all keys may be steady."""
    table = scope_table(reader, where)
    if not len(table.scope_ids):
        return Candidates((), (), ())
    requests = _requests(table, leaf_sums(reader, table, [before, after], where))
    names = [str(name) for name in table.names[DIMENSIONS.index("key_id")]]
    moved, steady = judged_keys(requests)
    if inside is not None:
        moved &= np.array([name in inside for name in names])
    busiest = np.argsort(-requests.sum(axis=(0, 2)), kind="stable")
    movers = [int(k) for k in busiest if moved[k]][:MOST_MOVERS]
    stayed = [int(k) for k in busiest if steady[k]][:MOST_STEADY]
    chosen = np.isin(table.codes[DIMENSIONS.index("key_id")], [*movers, *stayed])
    return Candidates(
        movers=tuple(names[k] for k in movers),
        steady=tuple(names[k] for k in stayed),
        scope_ids=tuple(int(i) for i in table.scope_ids[chosen]),
    )


def judged_keys(requests: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Keys that may have moved, and keys that stayed; `requests` has shape (2 windows, keys, models)."""
    totals = requests.sum(axis=2)
    shares = requests / np.maximum(totals, 1)[:, :, np.newaxis]
    lost = shares[0] - shares[1]
    used = (totals >= LEAST_REQUESTS).all(axis=0)
    moved = used & ((shares[0] > MAIN_SHARE) & (lost > LOST_SHARE)).any(axis=1)
    return moved, used & (np.abs(lost).max(axis=1) < STEADY_CHANGE)


def _requests(table: ScopeTable, sums: LeafSums) -> Floats:
    """Shape (windows, keys, models)."""
    keys, models = (table.codes[DIMENSIONS.index(d)] for d in ("key_id", "model"))
    shape = (2, int(keys.max()) + 1, int(models.max()) + 1)
    found = np.zeros(shape)
    place = (sums.window, keys[sums.scope], models[sums.scope])
    np.add.at(found, place, sums.measures[:, MEASURES.index("requests")])
    return found
