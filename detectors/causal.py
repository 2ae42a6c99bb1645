"""Scores a range as it would have been scored live: every refit and every score knows the past only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from detectors.flags import FlagState, flag_hours, gate_open
from detectors.model import CONTEXT_HOURS, Profiles, check_length, check_matrix, fit, score
from detectors.scoring import Scores
from detectors.seasonal import DAY_HOURS, WEEK_DAYS
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray

Progress = Callable[[int, int], None]
"""Told the refits done so far and the refits there are."""

_SCALE_FLOOR = 0.05
"""Least one-hour scale, as a share of the least amount that matters."""


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
) -> RangeScores:
    """Score (series, hours) from `first_scored_hour` on; the first hour is 00:00 UTC of `first_weekday`.

    Levels and scales are refit at every midnight, shapes and the forest every `slow_refit_days`. Hours that
    were flagged are learnt as their expectation. `floor` is what the deviation over 6 h must amount to for
    an hour to fire. An hour's score depends on that hour and earlier ones only.
    """
    check_matrix(values)
    check_length(values[:, : first_scored_hour // DAY_HOURS * DAY_HOURS], settings)
    state = FlagState.closed(len(values))
    learnt = values.copy()
    blocks = list(scoring_blocks(first_scored_hour, values.shape[1], settings))
    known: Profiles | None = None
    scored: list[Scores] = []
    flagged: list[FloatArray] = []
    for number, (start, end) in enumerate(blocks):
        keep = known if number % settings.slow_refit_days else None
        known = _refit(learnt[:, :start], first_weekday, settings, floor, keep)
        scores = score(known, values[:, start - CONTEXT_HOURS : end])
        matters = gate_open(scores, known.calibration.hourly_mean, floor, settings)
        flags, state = flag_hours(scores, matters, state, settings)
        learnt[:, start:end] = np.where(flags.masked, scores.expected, values[:, start:end])
        scored.append(scores)
        flagged.append(flags.flagged)
        if progress is not None:
            progress(number + 1, len(blocks))
    return RangeScores(blocks[0][0], _join(scored), np.concatenate(flagged, axis=1))


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


def _refit(
    history: FloatArray, first_weekday: int, settings: DetectorSettings, floor: float, known: Profiles | None
) -> Profiles:
    skipped = max(history.shape[1] // DAY_HOURS - settings.history_days, 0)
    return fit(
        history[:, skipped * DAY_HOURS :],
        first_weekday=(first_weekday + skipped) % WEEK_DAYS,
        settings=settings,
        floor=_SCALE_FLOOR * floor,
        known=known,
    )


def _join(parts: list[Scores]) -> Scores:
    def join(name: str) -> FloatArray:
        return np.concatenate([getattr(part, name) for part in parts], axis=1)

    terms = {name: np.concatenate([part.terms[name] for part in parts], axis=1) for name in parts[0].terms}
    return Scores(join("values"), join("expected"), join("scale"), join("direction"), join("excess"), terms)
