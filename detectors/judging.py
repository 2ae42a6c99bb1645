"""Hours after a fit, scored, flagged, and told apart into what is learnt and what is not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from detectors.arrays import names_of
from detectors.flags import Flags, FlagState, flag_hours, gate_may_open, gate_open, onset_hours
from detectors.model import blocks, score_ahead
from detectors.price import price_excess
from detectors.profiles import CONTEXT_HOURS, Ahead, take_ahead
from detectors.scoring import PRICE, Scores
from detectors.seasonal import DAY_HOURS
from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray, FloatArray, IntArray

_ONSET_SIGMAS = 2.0
_ONSET_SHARE = 0.5
_CALM = 1.0
"""A score up to this is the same with and without the forest; see `detectors.scoring`."""
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


def fires(
    ahead: Ahead,
    recent: FloatArray,
    tokens: FloatArray | None,
    *,
    settings: DetectorSettings,
    floor: float,
) -> BoolArray:
    """Series in which some hour fires; in others `judge` flags nothing, unless a spike is open before.

    For a fraction of the time of `judge`: few series are asked of the forest.
    """
    parts = [
        _may_fire(
            take_ahead(ahead, rows), recent[rows], None if tokens is None else tokens[rows], settings, floor
        )
        for rows in blocks(len(recent))
    ]
    fired = np.concatenate(parts)
    rows = np.flatnonzero(fired)
    suspects = take_ahead(ahead, rows)
    scores = score_ahead(suspects, recent[rows], None if tokens is None else tokens[rows])
    matters = gate_open(scores, suspects.calibration.hourly_mean, floor, settings)
    fired[rows] = ((scores.values >= settings.fire_score) & matters).any(axis=1)
    return fired


def _may_fire(
    ahead: Ahead,
    recent: FloatArray,
    tokens: FloatArray | None,
    settings: DetectorSettings,
    floor: float,
) -> BoolArray:
    """Series that the forest could make fire."""
    mean = ahead.calibration.hourly_mean
    deviation = np.nan_to_num(recent - ahead.expected)
    paid = None
    if ahead.price is not None and tokens is not None:
        paid = price_excess(recent, tokens, ahead.price, DAY_HOURS)[:, CONTEXT_HOURS:]
    may = gate_may_open(deviation, paid, mean, floor, settings)
    rows = np.flatnonzero(may)
    asked = replace(take_ahead(ahead, rows), forest=None)
    scores = score_ahead(asked, recent[rows], None if tokens is None else tokens[rows])
    matters = gate_open(scores, asked.calibration.hourly_mean, floor, settings)
    # Where the price leads, the forest may take the lead back: the gate is then another one.
    suspect = (scores.values > _CALM) & (matters | (np.abs(scores.terms[PRICE]) > _CALM / 2))
    may[rows] = suspect.any(axis=1)
    return may


def is_open(state: FlagState, settings: DetectorSettings) -> BoolArray:
    """Series in which a spike goes on, or may go on without firing again."""
    return np.asarray((state.direction != 0) & (state.quiet_hours < settings.quiet_hours))


def aged(state: FlagState, hours: int) -> FlagState:
    """After so many hours in which nothing was flagged."""
    return replace(state, quiet_hours=state.quiet_hours + hours, age_hours=state.age_hours + hours)


def scale_floor(floor: float) -> float:
    """The least one-hour scale where so much must stray for an hour to fire."""
    return _SCALE_FLOOR * floor


def _masked(actual: FloatArray, scores: Scores, flags: Flags) -> BoolArray:
    masked = flags.masked.copy()
    rows = np.flatnonzero(masked.any(axis=1))
    expected, scale = scores.expected[rows], scores.scale[rows]
    deviation = actual[rows] - expected
    rises = deviation >= _ONSET_SIGMAS * scale
    falls = (-deviation >= _ONSET_SHARE * expected) & (deviation < 0)
    flagged = np.where(masked[rows], flags.flagged[rows], 0.0)
    masked[rows] |= onset_hours(flagged, rises, falls)
    return masked


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
