"""One isolation forest per series (Liu, Ting and Zhou, ICDM 2008), by scikit-learn."""

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import IsolationForest

from detectors.statistics import FloatArray
from evals.detection.peers.features import change_features, clock_features, warm_up_hours
from evals.detection.peers.series import score_blocks
from evals.detection.spend_set import SpendSet


@dataclass(frozen=True, slots=True)
class SeriesForest:
    """Value, its changes over an hour, a day and a week, and the hour of the day; refit weekly on 60 days.

    The paper's 100 trees of 256 rows.
    """

    refit_days: int = 7
    name: str = "IsolationForest per series"

    def scores(self, spend: SpendSet) -> FloatArray:
        return score_blocks(spend, _score_block, window_days=60, refit_days=self.refit_days)


def _score_block(known: FloatArray, block: FloatArray) -> FloatArray:
    hours = np.concatenate([known, block])
    rows = np.concatenate([change_features(hours), clock_features(hours)], axis=1)
    fit_rows = rows[warm_up_hours(len(known)) : len(known)]
    forest = IsolationForest(n_estimators=100, max_samples=min(256, len(fit_rows)), random_state=0)
    return np.asarray(-forest.fit(fit_rows).score_samples(rows[len(known) :]))
