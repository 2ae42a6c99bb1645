"""Hours after a fit, scored, flagged, and told apart into what is learnt and what is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from detectors.arrays import names_of
from detectors.flags import Flags, FlagState, flag_hours, gate_open, onset_hours
from detectors.model import score_ahead
from detectors.profiles import CONTEXT_HOURS, Ahead
from detectors.scoring import Scores
from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray, FloatArray, IntArray

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


def join_scores(parts: Sequence[Scores], axis: Literal[0, 1] = 1) -> Scores:
    """Hours after hours of the same series, or along axis 0 series after series of the same hours."""

    def join(arrays: Sequence[FloatArray]) -> FloatArray:
        return np.concatenate(arrays, axis=axis)

    plain = {
        name: join([getattr(part, name) for part in parts]) for name in names_of(Scores) if name != "terms"
    }
    return Scores(
        **plain, terms={name: join([part.terms[name] for part in parts]) for name in parts[0].terms}
    )


def take_scores(scores: Scores, rows: IntArray) -> Scores:
    """Only these series."""
    plain = {name: getattr(scores, name)[rows] for name in names_of(Scores) if name != "terms"}
    return Scores(**plain, terms={name: values[rows] for name, values in scores.terms.items()})
