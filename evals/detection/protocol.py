"""The benchmark's rules: counting alarms, and choosing the one threshold of a method.

Hours over a threshold merge into alarms, so that a threshold low enough puts every series under one endless
alarm, which meets every event: scores of pure noise then reach F1 .91 on the development set. A threshold
therefore only stands where alarms cover at most a quarter of the time (events cover a tenth).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.statistics import FloatArray
from evals.detection.alarms import APART_HOURS, Alarm, Alarms, alarms_over
from evals.detection.count import Count
from evals.detection.meeting import GRACE_HOURS, count, meet, total
from evals.detection.spend_set import SpendSet

MAX_ALARM_SHARE = 0.25
GRID_POINTS = 120
HIGHEST_SHARE_OVER = 0.3
"""Part of the hours that the lowest threshold of the grid flags."""


@dataclass(frozen=True, slots=True)
class Point:
    """A method at one threshold."""

    threshold: float
    count: Count
    """Without kinds and families."""

    @property
    def stands(self) -> bool:
        return self.count.alarm_share <= MAX_ALARM_SHARE


def count_alarms(
    alarms: Alarms | Sequence[Alarm], spend: SpendSet, *, grace_hours: int = GRACE_HOURS
) -> Count:
    """Count alarms made anywhere, as a whole, by kind and by family."""
    return count(meet(alarms, spend, grace_hours=grace_hours))


def count_scores(
    scores: FloatArray,
    threshold: float,
    spend: SpendSet,
    *,
    apart_hours: int = APART_HOURS,
    grace_hours: int = GRACE_HOURS,
) -> Count:
    """Count the alarms of one threshold; `scores` is (series, hours scored)."""
    alarms = alarms_over(scores, threshold, spend, apart_hours=apart_hours)
    return count_alarms(alarms, spend, grace_hours=grace_hours)


def threshold_grid(scores: FloatArray, points: int = GRID_POINTS) -> FloatArray:
    """Falling thresholds, each one of the scores, over which ever larger parts of the hours lie.

    The parts grow in equal ratios from a single hour to `HIGHEST_SHARE_OVER`; NaN hours are left out.
    """
    falling = -np.sort(-scores[~np.isnan(scores)])
    if not len(falling):
        return np.array([np.inf])
    last = max(round(HIGHEST_SHARE_OVER * len(falling)) - 1, 0)
    places = np.geomspace(1, last + 1, points).round().astype(np.int64) - 1
    return np.unique(falling[places])[::-1]


def sweep(
    scores: FloatArray,
    spend: SpendSet,
    *,
    points: int = GRID_POINTS,
    apart_hours: int = APART_HOURS,
    grace_hours: int = GRACE_HOURS,
) -> tuple[Point, ...]:
    """The method's curve, from its highest threshold down."""

    def total_at(threshold: float) -> Count:
        alarms = alarms_over(scores, threshold, spend, apart_hours=apart_hours)
        return total(meet(alarms, spend, grace_hours=grace_hours))

    grid = threshold_grid(scores, points).tolist()
    return tuple(Point(threshold, total_at(threshold)) for threshold in grid)


def best_point(curve: Sequence[Point]) -> Point:
    """The point of best F1 that stands; the highest threshold among equals, or of all where none stands."""
    return max((point for point in curve if point.stands), key=lambda point: point.count.f1, default=curve[0])


def best_threshold(
    scores: FloatArray, spend: SpendSet, *, points: int = GRID_POINTS, grace_hours: int = GRACE_HOURS
) -> float:
    """The threshold of best F1 on this set."""
    return best_point(sweep(scores, spend, points=points, grace_hours=grace_hours)).threshold


def recall_within(curve: Sequence[Point], budget: float) -> float:
    """Recall at the lowest threshold that stands with at most `budget` false alarms per series-week."""
    within = [p.count.recall for p in curve if p.stands and p.count.false_per_series_week <= budget]
    return within[-1] if within else 0.0
