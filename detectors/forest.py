"""One isolation forest over the deviations of all series: how unusual a combination of windows is."""

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import IsolationForest

from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray

_LEAST_ROWS = 200
_MAX_Z = 30.0
_RECENT = 2
"""The first two windows, 1 h and 3 h, say what is going on now."""


@dataclass(frozen=True, slots=True)
class Forest:
    """A grown forest and the sorted scores of the hours it was grown from."""

    trees: IsolationForest
    ordinary: FloatArray


def forest_features(z: FloatArray, drop: FloatArray) -> FloatArray:
    """z-scores (..., windows) and drop scores (..., drop windows) as the forest takes them.

    Only upwards counts, and a long window counts no more than the 3 h one: it is full of an incident for days
    after that has ended.
    """
    upwards = np.clip(z, 0.0, _MAX_Z)
    short, long = upwards[..., :_RECENT], upwards[..., _RECENT:]
    return np.concatenate([short, np.minimum(long, short[..., -1:]), 10 * drop], axis=-1)


def grow_forest(features: FloatArray, settings: DetectorSettings) -> Forest | None:
    """Grow from (hours, features) of ordinary history; None when there is too little of it."""
    if len(features) < _LEAST_ROWS:
        return None
    rng = np.random.default_rng(settings.seed)
    if len(features) > settings.forest_rows:
        features = features[rng.choice(len(features), settings.forest_rows, replace=False)]
    trees = IsolationForest(
        n_estimators=settings.trees,
        max_samples=min(settings.tree_samples, len(features)),
        random_state=settings.seed,
    ).fit(features)
    return Forest(trees, np.sort(-trees.score_samples(features)))


def surprise(forest: Forest | None, features: FloatArray) -> FloatArray:
    """-log10 of the share of ordinary hours that look at least as unusual as each row of `features`."""
    if forest is None or not len(features):
        return np.zeros(len(features))
    unusual = -forest.trees.score_samples(features)
    n = len(forest.ordinary)
    above = n - np.searchsorted(forest.ordinary, unusual, side="left")
    return np.asarray(-np.log10((above + 1) / (n + 1)))
