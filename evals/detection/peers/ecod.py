"""ECOD (Li et al., "Unsupervised outlier detection using empirical cumulative distributions", TKDE 2022)."""

import warnings
from dataclasses import dataclass

import numpy as np
from pyod.models.ecod import ECOD

from detectors.statistics import FloatArray
from evals.detection.peers.features import change_features, warm_up_hours
from evals.detection.peers.series import score_blocks
from evals.detection.spend_set import SpendSet


@dataclass(frozen=True, slots=True)
class Ecod:
    """pyod's ECOD per series on the value and its changes over an hour, a day and a week.

    Refit every midnight. pyod ranks the rows it scores together with those it learnt, so each hour is scored
    alone.
    """

    window_days: int = 60
    name: str = "ECOD"

    def scores(self, spend: SpendSet) -> FloatArray:
        return score_blocks(spend, _score_block, window_days=self.window_days)


def _score_block(known: FloatArray, block: FloatArray) -> FloatArray:
    rows = change_features(np.concatenate([known, block]))
    with warnings.catch_warnings():
        # On a flat series scipy warns that skewness means nothing, and the scores come out NaN.
        warnings.simplefilter("ignore", RuntimeWarning)
        model = ECOD().fit(rows[warm_up_hours(len(known)) : len(known)])
        scores = [float(model.decision_function(row[None])[0]) for row in rows[len(known) :]]
    return np.asarray(np.nan_to_num(scores))
