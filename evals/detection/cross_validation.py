"""k-fold over series: each series' alarms come of a threshold chosen on the series of the other folds."""

import numpy as np
from numpy.typing import NDArray

from detectors.statistics import FloatArray, IntArray
from evals.detection.alarms import Alarms, alarms_over
from evals.detection.meeting import GRACE_HOURS
from evals.detection.protocol import best_threshold
from evals.detection.spend_set import SpendSet


def assign_folds(family: NDArray[np.str_], folds: int, seed: int) -> IntArray:
    """(series,): the fold of each; two folds differ by at most 1 in size and in series of any family."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(family))
    by_family = shuffled[np.argsort(family[shuffled], kind="stable")]
    fold = np.empty(len(family), dtype=np.int64)
    fold[by_family] = np.arange(len(family)) % folds
    return fold


def held_out_thresholds(
    scores: FloatArray, spend: SpendSet, *, folds: int = 5, seed: int = 0, grace_hours: int = GRACE_HOURS
) -> FloatArray:
    """(series,): the threshold of best F1 on the series of the other folds."""
    fold = assign_folds(spend.family, folds, seed)
    chosen = np.empty(len(fold))
    for held_out in range(folds):
        others = np.flatnonzero(fold != held_out)
        best = best_threshold(scores[others], spend.rows(others), grace_hours=grace_hours)
        chosen[fold == held_out] = best
    return chosen


def held_out_alarms(
    scores: FloatArray, spend: SpendSet, *, folds: int = 5, seed: int = 0, grace_hours: int = GRACE_HOURS
) -> Alarms:
    """Alarms of every series, each over its own held-out threshold."""
    thresholds = held_out_thresholds(scores, spend, folds=folds, seed=seed, grace_hours=grace_hours)
    return alarms_over(scores, thresholds, spend)
