"""What every peer starts from: each series as it was known, hour by hour or midnight by midnight."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from pandas.api.typing import Rolling

from detectors.statistics import FloatArray
from evals.detection.spend_set import SpendSet

DAY_HOURS = 24
WEEK_HOURS = 168
MIN_KNOWN_HOURS = 72
"""An hour is scored only where this much of its series is known before it."""

ScoreBlock = Callable[[FloatArray, FloatArray], FloatArray]
"""(hours known, hours to score) -> scores of the latter, each of which may look at the hours before it."""


def known_cost(spend: SpendSet) -> FloatArray:
    """(series, hours): NaN before a series begins."""
    hour = np.arange(spend.cost_usd.shape[1])
    return np.where(hour < spend.first_hour[:, None], np.nan, spend.cost_usd)


def scored(values: FloatArray, spend: SpendSet) -> FloatArray:
    """The columns to score."""
    return values[:, spend.history_hours :]


def hours_before(values: FloatArray, hours: int) -> "Rolling[pd.DataFrame]":
    """For each hour the window of `hours` before it, without it; aggregate it, then turn it by `.T`."""
    earlier = pd.DataFrame(values.T).shift(1)
    return earlier.rolling(hours, min_periods=min(hours, MIN_KNOWN_HOURS))


def hours_earlier(values: FloatArray, hours: int, *, length: int | None = None) -> FloatArray:
    """(series, length): the values so many hours earlier, NaN where there are none; as many as given."""
    shifted = np.pad(values, ((0, 0), (hours, 0)), constant_values=np.nan)
    return shifted[:, : values.shape[1] if length is None else length]


def score_blocks(
    spend: SpendSet, score_block: ScoreBlock, *, window_days: int, refit_days: int = 1
) -> FloatArray:
    """Score series by series and block by block, each block with what the days before it tell.

    A block is `refit_days` long and begins at a midnight. The hours known are at most `window_days` long
    and end where the block begins.
    """
    hours = int(spend.cost_usd.shape[1])
    scores = np.full((len(spend.names), hours), np.nan)
    step = refit_days * DAY_HOURS
    for row, first_hour in enumerate(spend.first_hour.tolist()):
        for start in range(spend.history_hours, hours, step):
            known = spend.cost_usd[row, max(first_hour, start - window_days * DAY_HOURS, 0) : start]
            if len(known) >= MIN_KNOWN_HOURS:
                block = spend.cost_usd[row, start : start + step]
                scores[row, start : start + step] = score_block(known, block)
    return scored(scores, spend)
