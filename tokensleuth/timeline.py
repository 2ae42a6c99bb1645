"""The hours around an incident: what was spent, what was expected, which hours were flagged."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from detectors.scored import ScoredSeries
from ledger.reader import Reader
from ledger.scope import Scope
from ledger.window import HOUR, Window, baseline_windows

LEAD = timedelta(days=3)
LAG = timedelta(days=1)
BAND_SIGMAS = 2.0

Hours = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Dollars per UTC hour of one scope; NaN where nothing is known."""

    window: Window
    scope: Scope
    actual: Hours
    expected: Hours
    low: Hours
    high: Hours
    flagged: NDArray[np.bool_]

    @property
    def hours(self) -> list[datetime]:
        return list(self.window.each_hour())

    def as_json(self) -> dict[str, object]:
        """What the casebook keeps for charts drawn later: dollars of each hour, null where not known."""
        lines = {name: getattr(self, name) for name in ("actual", "expected", "low", "high")}
        return {
            **self.window.as_json(),
            **{name: [_known(value) for value in values.tolist()] for name, values in lines.items()},
            "flagged": self.flagged.tolist(),
        }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def timeline(reader: Reader, scope: Scope, incident: Window, scored: ScoredSeries | None) -> Timeline:
    """The incident with three days before it and one after, as far as the ledger goes.

    The expectation is the detector's in hours it scored, else the mean of the same hours of the weeks before,
    with their lowest and highest as the band.
    """
    extent = reader.extent() or incident
    around = Window(incident.start_at - LEAD, incident.end_at + LAG).overlap(extent) or incident
    actual = reader.hourly(around, where=scope).values[0]
    expected, low, high = _same_hours(reader, scope, around, extent)
    row = scored.row_of(scope) if scored is not None else None
    if scored is not None and row is not None:
        learnt = _placed(scored, scored.expected[row], around)
        sigma = _placed(scored, scored.scale[row], around)
        known = ~np.isnan(learnt)
        expected = np.where(known, learnt, expected)
        low = np.where(known, np.maximum(learnt - BAND_SIGMAS * sigma, 0.0), low)
        high = np.where(known, learnt + BAND_SIGMAS * sigma, high)
    hours = np.array(list(around.each_hour()))
    flagged = (hours >= incident.start_at) & (hours < incident.end_at)
    return Timeline(around, scope, actual, expected, low, high, flagged)


def _same_hours(reader: Reader, scope: Scope, window: Window, extent: Window) -> tuple[Hours, Hours, Hours]:
    weeks = [reader.hourly(w, where=scope).values[0] for w in baseline_windows(window, extent)]
    if not weeks:
        unknown = np.full(window.hours, np.nan)
        return unknown, unknown, unknown
    before = np.stack(weeks)
    return before.mean(axis=0), before.min(axis=0), before.max(axis=0)


def _placed(scored: ScoredSeries, values: Hours, window: Window) -> Hours:
    """The values of the hours of `window`; NaN outside what was scored."""
    placed = np.full(window.hours, np.nan)
    part = window.overlap(scored.window)
    if part is not None:
        first = int((part.start_at - window.start_at) / HOUR)
        placed[first : first + part.hours] = values[scored.hours_of(part)]
    return placed
