"""All judged hours of all series in one ranking, and its average precision for any draw of series."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.statistics import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class PooledRanking:
    """Hours from the highest score down; shape (hours judged,) but for `group_lasts`."""

    series: IntArray
    anomalous: BoolArray
    group_lasts: NDArray[np.intp]
    """Last rank of each run of equal scores that has anomalous hours: a threshold takes all or none."""
    series_count: int

    @classmethod
    def of(cls, scores: FloatArray, anomalous: BoolArray, judged: BoolArray) -> "PooledRanking":
        """From three (series, hours); a NaN score counts as 0."""
        values = np.nan_to_num(scores)[judged]
        order = np.argsort(-values, kind="stable")
        lasts = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))
        found = np.cumsum(anomalous[judged][order])[lasts]
        rises = np.diff(found, prepend=0) > 0
        return cls(np.nonzero(judged)[0][order], anomalous[judged][order], lasts[rises], len(scores))

    def average_precision(self, rows: IntArray | None = None) -> float:
        """Mean precision at the anomalous hours, each series counted as often as `rows` names it.

        NaN where none of them has an anomalous hour.
        """
        times = np.ones(self.series_count) if rows is None else np.bincount(rows, minlength=self.series_count)
        weight = times[self.series].astype(np.float64)
        flagged = np.cumsum(weight)[self.group_lasts]
        found = np.cumsum(weight * self.anomalous)[self.group_lasts]
        if not len(found) or found[-1] == 0:
            return float("nan")
        precision = np.divide(found, flagged, out=np.zeros_like(found), where=flagged > 0)
        return float(np.diff(found, prepend=0.0) @ precision / found[-1])
