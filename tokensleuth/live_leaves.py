"""The leaves that live spikes are merged over: all of a small ledger, of a large one those that matter."""

from dataclasses import dataclass

import numpy as np

from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.cells import CellReader
from ledger.hourly import HourlySeries
from ledger.kept.series import Members
from ledger.scope import Scope
from ledger.store import Ledger
from ledger.window import Window
from tokensleuth.detection import LEAF, LEVELS

MOST_LEAVES = 2_000
"""Up to so many scopes of the ledger each is a leaf; of more, only those in series that spiked are, ..."""
MOST_IN_A_SERIES = 500
"""... where the series has no more than so many. The rest is a leaf for each team and model."""
_PAIR = LEVELS.index(("team", "model"))
_REST = "all others"


@dataclass(frozen=True, slots=True)
class LiveLeaves:
    """Leaves, and the series an incident may be told at."""

    leaves: HourlySeries
    series_ids: IntArray


def live_leaves(ledger: Ledger, members: Members, spiking: IntArray, window: Window) -> LiveLeaves:
    """Leaves over the window for merging spikes of the `spiking` series."""
    reader = CellReader(ledger.reader.engine)
    cells = reader.cells(window)
    scopes = members.series_id.shape[1]
    flat = cells.scope_id.astype(np.int64) * window.hours + cells.hour
    hours = np.bincount(flat, cells.cost_usd, scopes * window.hours).astype(np.float64)
    hourly: FloatArray = hours.reshape(scopes, window.hours)
    used = np.bincount(cells.scope_id, minlength=scopes) > 0
    single = used & _told_apart(members, spiking, int(used.sum()))
    names, values = _single_leaves(reader, hourly, np.flatnonzero(single))
    rest_names, rest_values = _rest(ledger, members, hourly, np.flatnonzero(used & ~single))
    leaves = HourlySeries(window, "cost_usd", (*names, *rest_names), np.concatenate([values, rest_values]))
    return LiveLeaves(leaves, _series_of(members, single, used))


def _told_apart(members: Members, spiking: IntArray, leaves: int) -> BoolArray:
    """(scopes,) whether a scope of the ledger is a leaf of its own."""
    series = members.series_id
    if leaves <= MOST_LEAVES:
        return np.ones(series.shape[1], dtype=bool)
    size = np.bincount(series[series >= 0], minlength=int(spiking.max(initial=0)) + 1)
    few = spiking[size[spiking] <= MOST_IN_A_SERIES]
    return np.asarray(np.isin(series, few).any(axis=0) | (series[_PAIR] < 0))


def _single_leaves(
    reader: CellReader, hourly: FloatArray, scope_ids: IntArray
) -> tuple[list[Scope], FloatArray]:
    names = reader.names(scope_ids.tolist(), LEAF)
    row = {name: number for number, name in enumerate(dict.fromkeys(names))}
    values = np.zeros((len(row), hourly.shape[1]))
    np.add.at(values, [row[name] for name in names], hourly[scope_ids])
    return list(row), values


def _rest(
    ledger: Ledger, members: Members, hourly: FloatArray, scope_ids: IntArray
) -> tuple[list[Scope], FloatArray]:
    """What is left of each team and model, as of one key."""
    pairs, row = np.unique(members.series_id[_PAIR, scope_ids], return_inverse=True)
    order = np.argsort(row, kind="stable")
    starts = np.searchsorted(row[order], np.arange(len(pairs)))
    values = np.add.reduceat(hourly[scope_ids[order]], starts, axis=0) if len(pairs) else hourly[:0]
    named = ledger.kept.series.scopes(pairs.tolist())
    return [scope.with_value("key_id", f"{_REST} of {scope}") for scope in named], values


def _series_of(members: Members, single: BoolArray, used: BoolArray) -> IntArray:
    """The series of single leaves, and all coarser ones."""
    wide = [number for number, level in enumerate(LEVELS) if "key_id" not in level]
    found = np.concatenate([members.series_id[:, single].ravel(), members.series_id[wide][:, used].ravel()])
    return np.unique(found[found >= 0]).astype(np.int64)
