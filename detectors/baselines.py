"""Accepted levels: what was spent before a change is lifted to the level that a person called normal.

The dollars added to a leaf (a finest scope) are added to every series that holds it: its key, its team and
the total all stand at the new level, and all else in them as it was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import numpy as np

from detectors.accepted import Baseline
from detectors.leaves import Leaves
from detectors.levels import lifted_history
from detectors.statistics import FloatArray, IntArray
from ledger.hourly import HourlySeries
from ledger.window import HOUR, Window


class Lifted(NamedTuple):
    """The series and leaves to detect in."""

    series: list[HourlySeries]
    leaves: HourlySeries


def lift(
    series: Sequence[HourlySeries], leaves: HourlySeries, baselines: Iterable[Baseline], start_at: datetime
) -> Lifted:
    """The series with the hours before each accepted change at the level since; later hours are untouched.

    All have one window, and `leaves` pin every dimension the series and baselines do. `start_at` is the first
    hour to be scored: nothing from it on is looked at. So a baseline acts only on ranges that start at least
    a day after its change; in a range that starts earlier every hour is judged by the history as it was, the
    hours before the change because they were lived so, those after it with them. Several baselines act in
    the order of their changes, each on what the earlier ones made. A series without any usage before the
    change is left as young as it is. Raises RefusedError when the leaves do not tell a baseline's scope.
    """
    acting = [baseline for baseline in baselines if baseline.acts_on(leaves.window, start_at)]
    if not acting:
        return Lifted(list(series), leaves)
    lifted = Lifted([_copied(part) for part in series], _copied(leaves))
    for baseline in sorted(acting, key=lambda baseline: baseline.from_at):
        _lift_to(baseline.level(start_at), baseline, lifted)
    return lifted


def _copied(series: HourlySeries) -> HourlySeries:
    return replace(series, values=series.values.copy())


def _lift_to(level: Window, baseline: Baseline, lifted: Lifted) -> None:
    """Change the hours before the baseline in place."""
    leaves = lifted.leaves
    first, start = (int((at - leaves.window.start_at) / HOUR) for at in (baseline.from_at, level.start_at))
    inside = np.flatnonzero(Leaves.of(leaves).members(baseline.scope))
    history = lifted_history(leaves.values[inside], first, slice(start, start + level.hours))
    added = history - leaves.values[inside, :first]
    moved = added.any(axis=1)
    if moved.any():
        for part in lifted.series:
            _add(part, added[moved], _rows(leaves, inside[moved]))
        leaves.values[inside, :first] = history


def _add(series: HourlySeries, added: FloatArray, leaves: HourlySeries) -> None:
    """Give each row the dollars of the leaves in it, from its own first usage on.

    No hour falls below 0 by rounding.
    """
    finest, first = Leaves.of(leaves), added.shape[1]
    used = series.values[:, :first] != 0
    for row in np.flatnonzero(used.any(axis=1)):
        members = finest.members(series.scopes[row])
        if members.any():
            hours = slice(int(used[row].argmax()), first)
            whole = series.values[row, hours] + added[members, hours].sum(axis=0)
            series.values[row, hours] = np.maximum(whole, 0.0)


def _rows(series: HourlySeries, rows: IntArray) -> HourlySeries:
    return replace(series, scopes=tuple(series.scopes[row] for row in rows), values=series.values[rows])
