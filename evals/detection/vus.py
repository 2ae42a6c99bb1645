"""VUS-PR of one series (Paparrizos et al., "Volume under the surface", VLDB 2022).

Each event gets a buffer on both sides whose label falls with the square root of the distance; the area under
the precision-recall curve of these labels is averaged over buffers of 0 to `longest_buffer` hours. Where the
paper leaves a choice this takes that of the authors' package (PyPI `vus` 0.0.6, `get_metrics(metric="vus")`):
a buffer of `w` hours is w // 2 on each side; a buffer hour enters the denominator of recall, by half its
label, only once it is flagged; recall is times the part of the events (with their buffers, joined where they
overlap) that is touched; the area is a sum of steps, not of trapezia. Every distinct score is a threshold,
where the package takes 250.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.statistics import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class _Ranking:
    """The judged hours from the highest score down."""

    order: NDArray[np.intp]
    group_lasts: NDArray[np.intp]
    """Last rank of each run of equal scores: a threshold takes all or none of them."""
    rank: IntArray
    """(hours,): rank of each hour; the number of hours where it is not judged."""


def vus_pr(
    labels: BoolArray, scores: FloatArray, *, longest_buffer: int = 24, judged: BoolArray | None = None
) -> float:
    """Mean over buffers; NaN where no hour is labelled.

    `labels` and `scores` are (hours,). Hours not `judged` are flagged by no threshold and keep their place.
    """
    if not labels.any():
        return float("nan")
    ranking = _rank(scores, np.ones(len(labels), dtype=bool) if judged is None else judged)
    areas = [range_auc_pr(labels, ranking, buffer) for buffer in range(longest_buffer + 1)]
    return float(np.mean(areas))


def range_auc_pr(labels: BoolArray, ranking: _Ranking, buffer: int) -> float:
    """Area under the precision-recall curve of the labels with one buffer, in steps."""
    starts, ends = _runs(labels)
    order = ranking.order
    core = np.cumsum(labels[order])[ranking.group_lasts]
    margin = np.cumsum(_buffers(labels, starts, ends, buffer)[order])[ranking.group_lasts]
    met = _events_met(ranking, starts, ends, buffer // 2)
    recall = np.minimum((core + margin) / (labels.sum() + margin / 2), 1) * met
    precision = (core + margin) / (ranking.group_lasts + 1)
    return float(np.diff(recall, prepend=0.0) @ precision)


def _rank(scores: FloatArray, judged: BoolArray) -> _Ranking:
    places = np.flatnonzero(judged)
    order = places[np.argsort(-scores[places], kind="stable")]
    falls = np.diff(scores[order]) != 0
    rank = np.full(len(scores), len(scores), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return _Ranking(order, np.flatnonzero(np.append(falls, True)), rank)


def _runs(labels: BoolArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First hours of the runs, and the hours after their last."""
    steps = np.diff(labels.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)


def _buffers(labels: BoolArray, starts: NDArray[np.intp], ends: NDArray[np.intp], buffer: int) -> FloatArray:
    """(hours,): labels of the buffer hours alone; those of two events add up to at most 1."""
    hour = np.arange(len(labels))[:, None]
    distance = np.maximum(starts - hour, hour - (ends - 1))
    near = (distance >= 1) & (distance <= buffer // 2)
    slope = np.sqrt(1 - np.where(near, distance, 0) / max(buffer, 1))
    return np.where(labels, 0.0, np.minimum((slope * near).sum(axis=1), 1.0))


def _events_met(ranking: _Ranking, starts: NDArray[np.intp], ends: NDArray[np.intp], half: int) -> FloatArray:
    """Per threshold: the part of the events, grown by `half` hours on each side, with a flagged hour."""
    apart = np.flatnonzero(ends[:-1] - 1 + half < starts[1:] - half) + 1
    first = np.maximum(starts[np.append(0, apart)] - half, 0)
    after = np.minimum(ends[np.append(apart, len(ends)) - 1] + half, len(ranking.rank))
    best = np.sort([ranking.rank[low:high].min() for low, high in zip(first, after, strict=True)])
    return np.searchsorted(best, ranking.group_lasts, side="right") / len(best)
