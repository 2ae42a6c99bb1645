"""Scores a range as it would have been scored live: every refit and every score knows the past only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from detectors.flags import FlagState
from detectors.judging import Judged, join_scores, judge, scale_floor
from detectors.model import check_length, check_matrix, fit
from detectors.profiles import CONTEXT_HOURS, History, Profiles
from detectors.scoring import Scores
from detectors.seasonal import DAY_HOURS, WEEK_DAYS
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray

Progress = Callable[[int, int], None]
"""Told the refits done so far and the refits there are."""


@dataclass(frozen=True, slots=True)
class RangeScores:
    """Scores from `first_hour` (a midnight, at or before the first hour asked for) to the end."""

    first_hour: int
    scores: Scores
    flagged: FloatArray
    """+1 or -1 in anomalous hours, else 0."""


def score_range(
    values: FloatArray,
    first_scored_hour: int,
    settings: DetectorSettings,
    progress: Progress | None = None,
    *,
    first_weekday: int = 0,
    floor: float = 0.0,
    tokens: FloatArray | None = None,
) -> RangeScores:
    """Score (series, hours) from `first_scored_hour` on; the first hour is 00:00 UTC of `first_weekday`.

    Levels and scales are refit at every midnight, shapes and the forest every `slow_refit_days`. Hours that
    were flagged are learnt as their expectation. `floor` is what an hour's deviation must amount to for it
    to fire. With `tokens`, of the same shape, the price per token is watched too. An hour's score depends on
    that hour and earlier ones only.
    """
    check_matrix(values)
    check_length(values[:, : first_scored_hour // DAY_HOURS * DAY_HOURS], settings)
    state = FlagState.closed(len(values))
    past = _Past(values, values.copy(), tokens, first_weekday)
    blocks = list(scoring_blocks(first_scored_hour, values.shape[1], settings))
    known: Profiles | None = None
    parts: list[Judged] = []
    for number, (start, end) in enumerate(blocks):
        keep = known if number % settings.slow_refit_days else None
        history = past.until(start, settings.history_days)
        known = fit(history, settings=settings, floor=scale_floor(floor), known=keep)
        recent, used = past.recent(start - CONTEXT_HOURS, end)
        judged = judge(known.ahead(recent.shape[1]), recent, used, state, settings=settings, floor=floor)
        state = judged.state
        past.forget(start, end, judged)
        parts.append(judged)
        if progress is not None:
            progress(number + 1, len(blocks))
    flagged = np.concatenate([part.flags.flagged for part in parts], axis=1)
    return RangeScores(blocks[0][0], join_scores([part.scores for part in parts]), flagged)


@dataclass(frozen=True, slots=True)
class _Past:
    """The matrices of a range; what is learnt is filled in as hours are scored."""

    actual: FloatArray
    learnt: FloatArray
    tokens: FloatArray | None
    first_weekday: int

    def until(self, hour: int, days: int) -> History:
        """The last `days` whole days before `hour`."""
        skipped = max(hour // DAY_HOURS - days, 0)
        hours = slice(skipped * DAY_HOURS, hour)
        return History(
            learnt=self.learnt[:, hours],
            first_weekday=(self.first_weekday + skipped) % WEEK_DAYS,
            actual=self.actual[:, hours],
            tokens=None if self.tokens is None else self.tokens[:, hours],
        )

    def recent(self, start: int, end: int) -> tuple[FloatArray, FloatArray | None]:
        return self.actual[:, start:end], None if self.tokens is None else self.tokens[:, start:end]

    def forget(self, start: int, end: int, judged: Judged) -> None:
        """Masked hours are learnt as what was expected of them."""
        actual = self.actual[:, start:end]
        self.learnt[:, start:end] = np.where(judged.masked, judged.scores.expected, actual)


def scoring_blocks(
    first_scored_hour: int, hours: int, settings: DetectorSettings
) -> Iterator[tuple[int, int]]:
    """Hours scored between two refits: the warm-up week, where history allows one, then day after day."""
    first = first_scored_hour // DAY_HOURS * DAY_HOURS
    warm = first - settings.warmup_days * DAY_HOURS
    if settings.warmup_days and warm >= 2 * WEEK_DAYS * DAY_HOURS:
        yield warm, first
    for start in range(first, hours, DAY_HOURS):
        yield start, min(start + DAY_HOURS, hours)
