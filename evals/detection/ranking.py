"""What the scores of a method are worth whatever its threshold."""

from dataclasses import dataclass

from detectors.statistics import FloatArray
from evals.detection.metrics import average_precision, known_mean, series_vus_pr
from evals.detection.protocol import Point, recall_within, sweep
from evals.detection.spend_set import SpendSet

BUDGETS = (0.1, 0.25)
"""False alarms per series-week at which recall is told."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """The measures of one method on one trial that ask for no threshold."""

    recall_at_tenth: float
    recall_at_quarter: float
    average_precision: float
    vus_pr: float
    series_vus_pr: FloatArray
    """(series,): NaN where a series has no counted event."""
    curve: tuple[Point, ...]
    """From the highest threshold down."""


def rank(scores: FloatArray, judged: SpendSet, *, grace_hours: int) -> Ranked:
    """`scores` is (series, hours scored)."""
    curve = sweep(scores, judged, grace_hours=grace_hours)
    tenth, quarter = (recall_within(curve, budget) for budget in BUDGETS)
    surface = series_vus_pr(scores, judged)
    return Ranked(tenth, quarter, average_precision(scores, judged), known_mean(surface), surface, curve)
