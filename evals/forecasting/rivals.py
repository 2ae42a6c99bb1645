"""Forecasts anybody could make, which ours is measured against."""

from collections.abc import Callable, Mapping

import numpy as np

from detectors.statistics import FloatArray

Rival = Callable[[FloatArray, FloatArray], FloatArray]
"""From (series, hours) of history and the hours (spans,) ahead to the sums (series, spans)."""


def seasonal_naive(history: FloatArray, ahead: FloatArray) -> FloatArray:
    """The last week again and again; the last day, while there is no week."""
    period = 168 if history.shape[1] >= 168 else 24
    again = np.tile(history[:, -period:], -(-int(ahead.max()) // period))
    return np.cumsum(again, axis=1)[:, ahead.astype(np.int64) - 1]


def drift(history: FloatArray, ahead: FloatArray) -> FloatArray:
    """A line through the first and the last whole day, from the last one on; never below nothing."""
    days = history.shape[1] // 24
    daily = history[:, history.shape[1] - days * 24 :].reshape(len(history), days, 24).sum(axis=2)
    lives = daily.cumsum(axis=1) > 0
    first = lives.argmax(axis=1)
    slope = (daily[:, -1] - daily[np.arange(len(daily)), first]) / np.maximum(days - 1 - first, 1)
    hour = np.arange(1.0, ahead.max() + 1)
    line = np.maximum(daily[:, -1:] + slope[:, None] * hour / 24, 0.0) / 24
    return np.cumsum(line, axis=1)[:, ahead.astype(np.int64) - 1]


def mean_of_28_days(history: FloatArray, ahead: FloatArray) -> FloatArray:
    """The mean hour since the series began, of the last 28 days at most."""
    recent = history[:, -28 * 24 :]
    lives = recent.cumsum(axis=1) > 0
    mean = recent.sum(axis=1) / np.maximum(lives.sum(axis=1), 1)
    return np.asarray(mean[:, None] * ahead)


RIVALS: Mapping[str, Rival] = {
    "seasonal-naive": seasonal_naive,
    "drift": drift,
    "mean of 28 days": mean_of_28_days,
}
