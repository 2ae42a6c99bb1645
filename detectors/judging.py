"""Hours after a fit, scored, flagged, and told apart into what is learnt and what is not."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from detectors.flags import Flags, FlagState, flag_hours, gate_open, onset_hours
from detectors.model import score_ahead
from detectors.profiles import CONTEXT_HOURS, Ahead
from detectors.scoring import Scores
from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray, FloatArray

_ONSET_SIGMAS = 2.0
_ONSET_SHARE = 0.5
_SCALE_FLOOR = 0.05
"""Least one-hour scale, as a share of the least amount that matters."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The hours after a fit; matrices are (series, hours)."""

    scores: Scores
    flags: Flags
    masked: BoolArray
    """Flagged hours, and those that led to them: they are learnt as what was expected of them."""
    state: FlagState
    """After the last hour."""


def judge(
    ahead: Ahead,
    recent: FloatArray,
    tokens: FloatArray | None,
    state: FlagState,
    *,
    settings: DetectorSettings,
    floor: float,
) -> Judged:
    """Score and flag the hours after a fit, each by itself and the earlier ones.

    `recent` and `tokens` are (series, 24 + hours), `state` is the one after the first 24. `floor` is what an
    hour's deviation must amount to for it to fire.
    """
    scores = score_ahead(ahead, recent, tokens)
    matters = gate_open(scores, ahead.calibration.hourly_mean, floor, settings)
    flags, after = flag_hours(scores, matters, state, settings)
    return Judged(scores, flags, _masked(recent[:, CONTEXT_HOURS:], scores, flags), after)


def scale_floor(floor: float) -> float:
    """The least one-hour scale where so much must stray for an hour to fire."""
    return _SCALE_FLOOR * floor


def _masked(actual: FloatArray, scores: Scores, flags: Flags) -> BoolArray:
    deviation = actual - scores.expected
    rises = deviation >= _ONSET_SIGMAS * scores.scale
    falls = (-deviation >= _ONSET_SHARE * scores.expected) & (deviation < 0)
    return flags.masked | onset_hours(np.where(flags.masked, flags.flagged, 0.0), rises, falls)


def join_scores(parts: Sequence[Scores]) -> Scores:
    """Hours after hours of the same series."""

    def join(name: str) -> FloatArray:
        return np.concatenate([getattr(part, name) for part in parts], axis=1)

    plain = {field.name: join(field.name) for field in fields(Scores) if field.name != "terms"}
    terms = {name: np.concatenate([part.terms[name] for part in parts], axis=1) for name in parts[0].terms}
    return Scores(**plain, terms=terms)
