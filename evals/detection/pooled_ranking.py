"""All judged hours of all series in one ranking, and its average precision for any draw of series."""

from dataclasses import dataclass

import numpy as np

from detectors.statistics import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class PooledRanking:
    """Hours from the highest score down, by the series they belong to.

    A threshold takes all or none of the hours of one score; such a group is kept where some are anomalous.
    """

    series: IntArray
    """(hours judged,)"""
    anomalous_series: IntArray
    """(hours anomalous,)"""
    flagged: IntArray
    """(groups,): hours judged, down to the end of the group."""
    found: IntArray
    """(groups,): those of them that are anomalous."""
    series_count: int

    @classmethod
    def of(cls, scores: FloatArray, anomalous: BoolArray, judged: BoolArray) -> "PooledRanking":
        """From three (series, hours); a NaN score counts as 0."""
        values = np.nan_to_num(scores)[judged]
        order = np.argsort(-values, kind="stable")
        series, is_anomalous = np.nonzero(judged)[0][order], anomalous[judged][order]
        flagged = np.flatnonzero(np.append(np.diff(values[order]) != 0, True)) + 1
        found = np.cumsum(is_anomalous, dtype=np.int64)[flagged - 1]
        rises = np.diff(found, prepend=0) > 0
        return cls(series, series[is_anomalous], flagged[rises], found[rises], len(scores))

    def average_precision(self, rows: IntArray | None = None) -> float:
        """Mean precision at the anomalous hours, each series counted as often as `rows` names it.

        NaN where none of them has an anomalous hour.
        """
        drawn = np.arange(self.series_count) if rows is None else rows
        times = np.bincount(drawn, minlength=self.series_count)
        found = np.cumsum(times[self.anomalous_series])[self.found - 1]
        if not len(found) or found[-1] == 0:
            return float("nan")
        flagged = np.cumsum(times[self.series])[self.flagged - 1]
        return float(np.diff(found, prepend=0) @ (found / np.maximum(flagged, 1)) / found[-1])
