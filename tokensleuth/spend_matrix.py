"""Hourly cells added up to matrices of series, a block of series at a time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detectors.statistics import FloatArray, IntArray
from ledger.cells import CellReader, Cells
from ledger.kept.series import Level, Members
from ledger.window import Window

_MOST_LISTED = 0.5
"""Up to this share of all scopes a query names the scopes it wants."""


class Spend(NamedTuple):
    """Shape (series, hours) each."""

    cost_usd: FloatArray
    tokens: FloatArray


def spend_of(
    reader: CellReader, members: Members, levels: Sequence[Level], series_ids: IntArray, window: Window
) -> Spend:
    """The hours of these series, in their order.

    Series of keys are added up here, from the cells of their scopes; coarser ones, which are few and hold
    many scopes, by the ledger.
    """
    rows = _rows_of_scopes(members, series_ids)
    spend = Spend(*(np.zeros((len(series_ids), window.hours)) for _ in range(2)))
    fine = [number for number, level in enumerate(levels) if "key_id" in level]
    wanted = np.flatnonzero((rows[fine] >= 0).any(axis=0))
    if len(wanted):
        cells = reader.cells(window, _listed(wanted, rows.shape[1]))
        for number in fine:
            add_cells(spend, cells, rows[number])
    for number, level in enumerate(levels):
        wanted = np.flatnonzero(rows[number] >= 0)
        if number not in fine and len(wanted):
            cells = reader.grouped(window, level, _listed(wanted, rows.shape[1]))
            add_cells(spend, cells, rows[number])
    return spend


def added_up(cells: Cells, members: Members, series_ids: IntArray, hours: int) -> Spend:
    """The hours of these series, in their order, from all cells of a window."""
    rows = _rows_of_scopes(members, series_ids)
    spend = Spend(*(np.zeros((len(series_ids), hours)) for _ in range(2)))
    for row_of_scope in rows:
        add_cells(spend, cells, row_of_scope)
    return spend


def add_cells(spend: Spend, cells: Cells, row_of_scope: IntArray) -> None:
    """Add the cells of the scopes that have a row, others have -1."""
    row = row_of_scope[cells.scope_id]
    inside = row >= 0
    if not inside.any():
        return
    shape = spend.cost_usd.shape
    flat = (row * shape[1] + cells.hour)[inside]
    for matrix, values in ((spend.cost_usd, cells.cost_usd), (spend.tokens, cells.tokens)):
        matrix += np.bincount(flat, values[inside], shape[0] * shape[1]).reshape(shape)


def _rows_of_scopes(members: Members, series_ids: IntArray) -> IntArray:
    """(levels, scopes): the position among the series of the one that holds the scope; -1 for none."""
    highest = max(int(members.series_id.max(initial=-1)), int(series_ids.max(initial=-1)))
    row = np.full(highest + 2, -1, dtype=np.int64)
    row[series_ids] = np.arange(len(series_ids))
    return row[members.series_id]


def _listed(scopes: IntArray, all_scopes: int) -> list[int] | None:
    return scopes.tolist() if len(scopes) <= _MOST_LISTED * all_scopes else None
