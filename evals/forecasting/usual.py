"""The errors that are usual among series: the constant that young series' intervals are made of."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from detectors.forecast.interval import past_scores
from detectors.forecast.walk import walk
from detectors.seasonal import first_whole_day
from detectors.statistics import FloatArray
from evals.forecasting.sets import HourlySet

_LENGTHS = (1, 2, 4, 7, 14, 21, 28)
_LEAST = 50
"""Fewer forecasts of a length in a set tell no tails."""
_SHARES = (np.arange(20) + 0.5) / 20


def usual_scores(sets: Iterable[HourlySet]) -> FloatArray:
    """Quantiles of the scores; lengths count alike in a kind of set, and kinds alike among them."""
    scores: dict[str, dict[int, list[FloatArray]]] = defaultdict(lambda: defaultdict(list))
    for one in sets:
        days = one.hours.reshape(len(one.hours), one.days, 24)
        first_day = np.minimum(first_whole_day(days), one.days)
        known = walk(days.sum(axis=2), first_day, one.start_at.weekday())
        for length in _LENGTHS:
            found = past_scores(known, days.sum(axis=2), first_day, length)
            scores[one.name][length].append(found[~np.isnan(found)])
    return np.asarray(np.mean([_of_kind(list(by_length.values())) for by_length in scores.values()], axis=0))


def _of_kind(by_length: list[list[FloatArray]]) -> FloatArray:
    pooled = [np.concatenate(parts) for parts in by_length]
    return np.asarray(np.mean([np.quantile(one, _SHARES) for one in pooled if len(one) > _LEAST], axis=0))
