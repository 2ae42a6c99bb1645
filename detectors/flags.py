"""Which hours are anomalous: opens and closes spikes hour after hour, for all series at once."""

from dataclasses import dataclass

import numpy as np

from detectors.scoring import GATE_HOURS, PRICE_LASTS, Scores
from detectors.seasonal import DAY_HOURS
from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray, FloatArray, IntArray, rolling_sums

_GOING_ON_SIGMAS = 2.0
"""A rise goes on while its last 6 hours hold so many sigmas of one; the 24 h window echoes for longer."""
ONSET_HOURS = 5
"""The longest window that fires soon, of 6 hours, looks back so far from the hour it flags."""


@dataclass(frozen=True, slots=True)
class FlagState:
    """What is open in each series after some hour."""

    direction: FloatArray
    """+1 or -1 while a spike is open, else 0."""
    quiet_hours: IntArray
    """Hours since the last flagged one."""
    age_hours: IntArray
    """Hours since the open spike began, counting through pauses that rejoin."""

    @classmethod
    def closed(cls, series: int) -> "FlagState":
        zero = np.zeros(series, dtype=np.int64)
        return cls(np.zeros(series), zero + 10**6, zero)


@dataclass(frozen=True, slots=True)
class Flags:
    """Shape (series, hours) each."""

    flagged: FloatArray
    """+1 or -1 in anomalous hours, else 0."""
    masked: BoolArray
    """Flagged hours that are not to be learnt from."""


def gate_open(scores: Scores, hourly_mean: FloatArray, floor: float, settings: DetectorSettings) -> BoolArray:
    """Hours where what strayed matters in the unit of the series and has the score's direction."""
    soon, slow = scores.excess * scores.direction, scores.day_excess * scores.direction
    mean = hourly_mean[:, None]
    matters = soon * scores.lasting >= settings.gate_mean_hours * mean
    matters |= slow * scores.lasting >= settings.gate_day_mean_hours * mean
    return np.asarray(matters & (np.maximum(soon, slow) >= floor))


def gate_may_open(
    deviation: FloatArray,
    paid: FloatArray | None,
    hourly_mean: FloatArray,
    floor: float,
    settings: DetectorSettings,
) -> BoolArray:
    """Series whose `gate_open` holds in some hour whatever the scores are.

    `deviation` is (series, hours) with the 24 hours before; `paid`, of the hours alone, is what the price
    cost beyond the usual in the last day, or saved.
    """
    soon, slow = (
        np.abs(amount[:, DAY_HOURS:]).max(axis=1)
        for amount in rolling_sums(deviation, (GATE_HOURS, DAY_HOURS))
    )
    may = (soon >= settings.gate_mean_hours * hourly_mean) | (
        slow >= settings.gate_day_mean_hours * hourly_mean
    )
    may &= np.maximum(soon, slow) >= floor
    if paid is not None:
        most = np.abs(paid).max(axis=1)
        least = min(settings.gate_mean_hours, settings.gate_day_mean_hours) * hourly_mean
        may |= (most * PRICE_LASTS >= least) & (most >= floor)
    return np.asarray(may)


def flag_hours(
    scores: Scores, matters: BoolArray, state: FlagState, settings: DetectorSettings
) -> tuple[Flags, FlagState]:
    """Walk the hours in order, each decided by the hours up to it."""
    flagged = np.zeros(scores.values.shape)
    masked = np.zeros(scores.values.shape, dtype=bool)
    rises = (scores.direction > 0) & (scores.lasting == 1)
    least = np.where(rises, _GOING_ON_SIGMAS * scores.scale, 0.0)
    going_on = scores.excess * scores.direction > least
    fires = (scores.values >= settings.fire_score) & matters & going_on
    holds = (scores.values >= settings.keep_score) & going_on
    for hour in range(scores.hours):
        state = _next_state(state, fires[:, hour], holds[:, hour], scores.direction[:, hour], settings)
        flagged[:, hour] = np.where(state.quiet_hours == 0, state.direction, 0.0)
        young = state.age_hours <= settings.mask_days * 24
        masked[:, hour] = (flagged[:, hour] != 0) & young
    return Flags(flagged, masked), state


def _next_state(
    state: FlagState, fires: BoolArray, keeps: BoolArray, direction: FloatArray, settings: DetectorSettings
) -> FlagState:
    open_before = (state.direction != 0) & (state.quiet_hours < settings.quiet_hours)
    held = open_before & keeps & (direction == state.direction)
    hit = fires | held
    same = direction == state.direction
    rejoins = (state.direction != 0) & same & (state.quiet_hours < settings.rejoin_hours)
    return FlagState(
        direction=np.where(hit, direction, state.direction),
        quiet_hours=np.where(hit, 0, state.quiet_hours + 1),
        age_hours=np.where(hit & ~rejoins, 0, state.age_hours + 1),
    )


def onset_hours(flagged: FloatArray, rises: BoolArray, falls: BoolArray) -> BoolArray:
    """Hours just before a run of flagged ones that already rise, or fall, as it does; all (series, hours).

    A window of 6 hours flags its last hour, but the incident began before.
    """
    begins = np.where(np.diff(flagged, axis=1, prepend=0.0) != 0, flagged, 0.0)
    onset = np.zeros(flagged.shape, dtype=bool)
    for sign, strays in ((1.0, rises), (-1.0, falls)):
        leads = begins == sign
        for _ in range(ONSET_HOURS):
            leads = np.pad(leads[:, 1:], ((0, 0), (0, 1))) & strays
            onset |= leads
    return onset
