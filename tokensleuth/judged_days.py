"""Hours judged by one kept model after the other, each by that of its own midnight."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

import numpy as np

from detectors.arrays import taken, taken_apart
from detectors.flags import FlagState
from detectors.forest import Forest
from detectors.judging import aged, fires, is_open, join_scores, judge
from detectors.profiles import CONTEXT_HOURS, Ahead, take_ahead
from detectors.scoring import Scores
from detectors.seasonal import DAY_HOURS
from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.kept.hours import KeptHours
from ledger.window import HOUR, Window
from tokensleuth.fitted_rows import FittedRows
from tokensleuth.kept_profiles import KeptProfiles

_ONSET_HOURS = 6
"""A spike flagged so early in a day may have begun on the day before."""


class Stretch(NamedTuple):
    """What a model knows of its hours, and the columns they are in."""

    known: Ahead
    hours: slice


@dataclass(frozen=True, slots=True)
class Chain:
    """Kept models, oldest first; each judges the hours up to the next one's midnight."""

    profiles: Sequence[KeptProfiles]
    forests: Sequence[Forest | None]

    @classmethod
    def of(cls, profiles: Sequence[KeptProfiles]) -> "Chain":
        grown = {kept.forest_at: kept for kept in profiles}
        forests = {at: kept.forest() for at, kept in grown.items()}
        return cls(profiles, [forests[kept.forest_at] for kept in profiles])

    @property
    def start_at(self) -> datetime:
        return self.profiles[0].fitted_at

    def expected(self, series_ids: IntArray, end_at: datetime) -> FloatArray:
        """(series, hours) what is expected from the first midnight on; NaN where nothing is known."""
        ends = [*(kept.fitted_at for kept in self.profiles[1:]), end_at]
        parts = [
            kept.expected(kept.rows.row_of(series_ids), until)
            for kept, until in zip(self.profiles, ends, strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def stretches(self, series_ids: IntArray, window: Window) -> Iterator[Stretch]:
        """The hours that each model judges in turn, up to the end of the window."""
        ends = [*(kept.fitted_at for kept in self.profiles[1:]), window.end_at]
        for kept, forest, end_at in zip(self.profiles, self.forests, ends, strict=True):
            start = int((kept.fitted_at - window.start_at) / HOUR) - CONTEXT_HOURS
            known = kept.ahead(kept.rows.row_of(series_ids), end_at, forest)
            yield Stretch(known, slice(start, start + known.expected.shape[1]))


@dataclass(frozen=True, slots=True)
class JudgedDays:
    """The hours from the first midnight of a chain on; matrices are (rows, hours)."""

    rows: IntArray
    """Positions of the series in which something was flagged."""
    scores: Scores
    flagged: FloatArray
    masked: BoolArray
    state: FlagState
    """Of all series, after the last hour."""
    trained: BoolArray
    """Of all series: whether any hour was scored."""


def judge_days(
    chain: Chain,
    series_ids: IntArray,
    actual: FloatArray,
    tokens: FloatArray,
    window: Window,
    *,
    settings: DetectorSettings,
) -> JudgedDays:
    """Judge the hours from the chain's first midnight to the end of `window`, which the matrices cover.

    The window begins at least 24 h before that midnight. A series that a model does not know is not scored.
    """
    judge_ = partial(judge, settings=settings, floor=settings.min_usd)
    fires_ = partial(fires, settings=settings, floor=settings.min_usd)
    stretches = list(chain.stretches(series_ids, window))
    before = chain.profiles[0].state(chain.profiles[0].rows.row_of(series_ids))
    suspected = is_open(before, settings)
    for known, hours in stretches:
        suspected |= fires_(known, actual[:, hours], tokens[:, hours])
    rows = np.flatnonzero(suspected)
    state, parts = taken(before, rows), []
    for known, hours in stretches:
        judged = judge_(take_ahead(known, rows), actual[rows, hours], tokens[rows, hours], state)
        state = judged.state
        parts.append(judged)
    flagged = np.concatenate([part.flags.flagged for part in parts], axis=1)
    after = aged(before, flagged.shape[1])
    for ours, theirs in zip(taken_apart(after).values(), taken_apart(state).values(), strict=True):
        ours[rows] = theirs
    return JudgedDays(
        rows=rows,
        scores=join_scores([part.scores for part in parts]),
        flagged=flagged,
        masked=np.concatenate([part.masked for part in parts], axis=1),
        state=after,
        trained=np.any([known.trained for known, _ in stretches], axis=0),
    )


def hours_to_keep(judged: JudgedDays, actual: FloatArray, rows: IntArray, fitted: FittedRows) -> KeptHours:
    """Whole days on which something was flagged or masked, and the day before where it may have begun.

    `actual` and `rows`, those of the model being fitted, are of the judged rows; hours count from the first
    judged one, a midnight.
    """
    scores = judged.scores
    shape = (len(rows), judged.flagged.shape[1] // DAY_HOURS, DAY_HOURS)
    flagged = judged.flagged.reshape(shape) != 0
    kept = (flagged | judged.masked.reshape(shape)).any(axis=2)
    kept[:, :-1] |= flagged[:, 1:, :_ONSET_HOURS].any(axis=2)
    kept &= np.isfinite(scores.expected.reshape(shape)).all(axis=2)
    row, day = np.nonzero(kept)
    hour = (day[:, None] * DAY_HOURS + np.arange(DAY_HOURS)).ravel()
    row = np.repeat(row, DAY_HOURS)
    series = fitted.series_of(rows[row])
    row, hour = row[series.index], hour[series.index]
    return KeptHours(
        series_id=series.series_ids.astype(np.int32),
        hour=hour,
        actual=actual[row, hour],
        expected=scores.expected[row, hour],
        scale=scores.scale[row, hour],
        score=scores.values[row, hour],
        flagged=judged.flagged[row, hour].astype(np.int8),
        masked=judged.masked[row, hour],
        terms=np.stack([values[row, hour] for values in scores.terms.values()], axis=1),
    )
