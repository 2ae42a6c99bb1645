"""Residuals of a seasonal decomposition by LOESS (Cleveland et al., "STL", 1990), as the textbook has it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from statsmodels.tsa.seasonal import STL

from detectors.statistics import FloatArray
from evals.detection.peers.scale import Sides, in_units, mad_sigma
from evals.detection.peers.series import DAY_HOURS, WEEK_HOURS, score_blocks
from evals.detection.spend_set import SpendSet

_TREND_JUMP, _LOW_PASS_JUMP = 25, 17
"""LOESS is evaluated at every so many hours: a thirtieth of the time, the residuals the same to 4 digits."""
_LOG_OFFSET = 0.05
"""Of the mean, added before the logarithm."""


class Decomposed(NamedTuple):
    """The known hours taken apart, and what the next cycle is expected to be."""

    seasonal: FloatArray
    residual: FloatArray
    next_seasonal: FloatArray
    last_trend: float


@dataclass(frozen=True, slots=True)
class StlResidual:
    """An hour less the last trend and the seasonal shape, in units of the residuals of the 60 days known.

    Weekly period and periodic shape (a daily period while a series is younger than two weeks); refit every
    midnight, the next 24 h scored against the forecast.
    """

    name: str
    log: bool = False
    scale: Literal["mad", "std"] = "mad"
    sides: Sides = "up"

    def scores(self, spend: SpendSet) -> FloatArray:
        return score_blocks(spend, self._score_day, window_days=60)

    def _score_day(self, known: FloatArray, day: FloatArray) -> FloatArray:
        if self.log:
            known, day = _logs(known, known), _logs(day, known)
        parts = decompose(known)
        deviation = day - parts.last_trend - parts.next_seasonal[: len(day)]
        scale = mad_sigma(parts.residual) if self.scale == "mad" else parts.residual.std()
        return in_units(deviation - np.median(parts.residual), scale, known.mean(), self.sides)


def decompose(known: FloatArray) -> Decomposed:
    """STL with a periodic seasonal shape; at least two days long."""
    period = WEEK_HOURS if len(known) > 2 * WEEK_HOURS else DAY_HOURS
    cycles = len(known) // period + 1
    fitted = STL(
        known,
        period=period,
        seasonal=max(2 * cycles + 1, 7),
        seasonal_deg=0,
        trend_jump=_TREND_JUMP,
        low_pass_jump=_LOW_PASS_JUMP,
    ).fit(inner_iter=2)
    seasonal = np.asarray(fitted.seasonal)
    return Decomposed(seasonal, np.asarray(fitted.resid), seasonal[-period:], float(fitted.trend[-1]))


def _logs(values: FloatArray, known: FloatArray) -> FloatArray:
    offset = _LOG_OFFSET * max(float(known.mean()), 0.0) + 1e-9
    return np.asarray(np.log1p(np.maximum(values, 0) / offset))
