"""Hours judged by one kept model after the other, each by that of its own midnight."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from detectors.flags import FlagState
from detectors.forest import Forest
from detectors.judging import join_scores, judge
from detectors.profiles import CONTEXT_HOURS
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


@dataclass(frozen=True, slots=True)
class JudgedDays:
    """Matrices (series, hours) from the first midnight of a chain on."""

    scores: Scores
    flagged: FloatArray
    masked: BoolArray
    state: FlagState
    """After the last hour."""


def judge_days(
    chain: Chain,
    series_ids: IntArray,
    actual: FloatArray,
    tokens: FloatArray,
    window: Window,
    *,
    settings: DetectorSettings,
    floor: float,
) -> JudgedDays:
    """Judge the hours from the chain's first midnight to the end of `window`, which the matrices cover.

    The window begins at least 24 h before that midnight. A series that a model does not know is not scored.
    """
    parts = []
    state = chain.profiles[0].state(chain.profiles[0].rows.row_of(series_ids))
    ends = [*(kept.fitted_at for kept in chain.profiles[1:]), window.end_at]
    for kept, forest, end_at in zip(chain.profiles, chain.forests, ends, strict=True):
        hours = slice(
            int((kept.fitted_at - window.start_at) / HOUR) - CONTEXT_HOURS,
            int((end_at - window.start_at) / HOUR),
        )
        ahead = kept.ahead(kept.rows.row_of(series_ids), end_at, forest)
        judged = judge(ahead, actual[:, hours], tokens[:, hours], state, settings=settings, floor=floor)
        state = judged.state
        parts.append(judged)
    return JudgedDays(
        scores=join_scores([part.scores for part in parts]),
        flagged=np.concatenate([part.flags.flagged for part in parts], axis=1),
        masked=np.concatenate([part.masked for part in parts], axis=1),
        state=state,
    )


def hours_to_keep(judged: JudgedDays, actual: FloatArray, rows: IntArray, fitted: FittedRows) -> KeptHours:
    """Whole days on which something was flagged or masked, and the day before where it may have begun.

    `rows` are those of the model being fitted; hours count from the first judged one, a midnight.
    """
    days = judged.flagged.reshape(len(rows), -1, DAY_HOURS)
    kept = (days != 0).any(axis=2) | judged.masked.reshape(days.shape).any(axis=2)
    early = (days[:, 1:, :_ONSET_HOURS] != 0).any(axis=2)
    kept[:, :-1] |= early & np.isfinite(judged.scores.expected.reshape(days.shape)).all(axis=2)[:, :-1]
    kept &= np.isfinite(judged.scores.expected.reshape(days.shape)).all(axis=2)
    row, day = np.nonzero(kept)
    hour = (day[:, None] * DAY_HOURS + np.arange(DAY_HOURS)).ravel()
    row = np.repeat(row, DAY_HOURS)
    series = fitted.series_of(rows[row])
    row, hour = row[series.index], hour[series.index]
    scores = judged.scores
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
