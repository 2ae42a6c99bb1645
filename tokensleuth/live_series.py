"""Flagged rows as the scored series that spikes are extracted from, back to where open spikes began."""

from datetime import timedelta

import numpy as np

from detectors.incidents import SeriesKey
from detectors.profiles import CONTEXT_HOURS
from detectors.scored import ScoredSeries
from detectors.seasonal import DAY_HOURS
from detectors.statistics import FloatArray, IntArray
from ledger.kept.hours import KeptHours
from ledger.kept.store import Kept
from ledger.window import Window
from tokensleuth.live_hours import Flagged, LiveHours

_DAY = timedelta(days=1)
_CONTINUING_DAYS = 7
"""What fires again after a longer pause is not the same incident; see `detectors.continuing`."""


def scored_series(kept: Kept, hours: LiveHours, found: Flagged, history_days: int) -> ScoredSeries:
    """All series of the flagged rows, from the days before that were kept because of them."""
    series = hours.rows.series_of(found.rows)
    ids, judged = series.series_ids, hours.judged
    keys = [SeriesKey("cost_usd", scope) for scope in kept.series.scopes(ids.tolist())]
    before = Window(judged.start_at - history_days * _DAY, judged.start_at)
    past = kept.hours.of_series(ids.tolist(), before, terms=len(found.scores.terms))
    first = _first_day(past, history_days) * DAY_HOURS
    lead = _Lead(past, ids, first, before.hours)
    scores = found.scores
    names = list(scores.terms)
    return ScoredSeries(
        series=tuple(keys),
        window=Window(before.start_at + first * (_DAY / DAY_HOURS), judged.end_at),
        actual=lead.then(past.actual, found.actual[series.index]),
        expected=lead.then(past.expected, scores.expected[series.index]),
        scale=lead.then(past.scale, scores.scale[series.index]),
        values=lead.then(past.score, scores.values[series.index]),
        flagged=lead.then(past.flagged.astype(float), found.flagged[series.index], other=0.0),
        terms={
            name: lead.then(past.terms[:, i], scores.terms[name][series.index])
            for i, name in enumerate(names)
        },
    )


def with_others(kept: Kept, hours: LiveHours, flagged: ScoredSeries, series_ids: IntArray) -> ScoredSeries:
    """The same and these series of the newest model, of which amounts only are known, not scores."""
    ours = np.isin(hours.rows.series_ids, series_ids)
    known = {key.scope for key in flagged.series}
    scopes = kept.series.scopes(hours.rows.series_ids[ours].tolist())
    others = np.array([scope not in known for scope in scopes], dtype=bool)
    if not others.any():
        return flagged
    rows = hours.rows.position[ours][others]
    keys = [SeriesKey("cost_usd", scope) for scope in scopes if scope not in known]
    unknown = np.full((len(rows), flagged.window.hours), np.nan)
    actual, expected = unknown.copy(), unknown.copy()
    judged = slice(flagged.window.hours - hours.judged.hours, None)
    actual[:, judged] = hours.spend.cost_usd[rows, CONTEXT_HOURS:]
    expected[:, judged] = hours.chain.expected(hours.rows.first[rows], hours.window.end_at)
    return ScoredSeries(
        series=(*flagged.series, *keys),
        window=flagged.window,
        actual=np.concatenate([flagged.actual, actual]),
        expected=np.concatenate([flagged.expected, expected]),
        scale=np.concatenate([flagged.scale, unknown]),
        values=np.concatenate([flagged.values, unknown]),
        flagged=np.concatenate([flagged.flagged, np.zeros_like(unknown)]),
        terms={},
    )


class _Lead:
    """Puts kept hours before judged ones; hours that were not kept are NaN."""

    def __init__(self, past: KeptHours, series_ids: IntArray, first: int, end: int) -> None:
        row_of = np.full(int(series_ids.max(initial=-1)) + 1, -1, dtype=np.int64)
        row_of[series_ids] = np.arange(len(series_ids))
        self._inside = past.hour >= first
        self._row = row_of[past.series_id[self._inside]]
        self._hour = past.hour[self._inside] - first
        self._shape = (len(series_ids), end - first)

    def then(self, kept: FloatArray, judged: FloatArray, other: float = np.nan) -> FloatArray:
        lead = np.full(self._shape, other)
        lead[self._row, self._hour] = kept[self._inside]
        return np.concatenate([lead, judged], axis=1)


def _first_day(past: KeptHours, days: int) -> int:
    """The day from which on all days were kept, or that of a week before, whichever is earlier."""
    kept = np.zeros(days, dtype=bool)
    kept[np.unique(past.hour // DAY_HOURS)] = True
    gaps = np.flatnonzero(~kept)
    return min(int(gaps[-1]) + 1 if len(gaps) else 0, max(days - _CONTINUING_DAYS, 0))
