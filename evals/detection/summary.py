"""One line of the comparison: everything that is told of one method on one trial."""

from dataclasses import dataclass

from evals.detection.alarms import Alarms, alarms_over
from evals.detection.count import Count
from evals.detection.cross_validation import held_out_alarms
from evals.detection.meeting import count, meet
from evals.detection.metrics import Interval, bootstrap, series_counts
from evals.detection.peers.registry import grace_hours
from evals.detection.protocol import best_threshold
from evals.detection.ranking import Ranked
from evals.detection.running import Heard
from evals.detection.spend_set import SpendSet
from evals.detection.trial import Trial

INCIDENTS, SPIKES, SCORES = "incidents as told", "spikes of the keys", "scores"
"""The ways our detector is looked at; a peer has scores alone."""


@dataclass(frozen=True, slots=True)
class Line:
    """One method on one trial, its alarms made in one way."""

    method: str
    trial: str
    way: str
    count: Count
    f1: Interval
    missed_share: float
    """Of the excess dollars of all counted events."""
    of_several: int
    """False alarms that name no single series."""
    ranked: Ranked
    cpu_ms: float
    """Per series."""


def line(heard: Heard, way: str, alarms: Alarms, judged: SpendSet) -> Line:
    met = meet(alarms, judged, grace_hours=grace_hours(heard.method))
    table = series_counts(met)
    counted = count(met)
    excess_usd = sum(event.excess_usd for event in judged.events if event.counts)
    return Line(
        heard.method,
        heard.trial,
        way,
        counted,
        bootstrap(lambda rows: table.over(rows).f1, len(judged.names), seed=0),
        counted.missed_usd / excess_usd if excess_usd else float("nan"),
        table.nowhere,
        heard.ranked,
        heard.cpu_ms,
    )


def lines(heard: Heard, trial: Trial, scored: Alarms) -> list[Line]:
    """Our detector in each way, a peer by its scores; `scored` are the alarms of a threshold."""
    judged = trial.judged
    ways = ((INCIDENTS, heard.incidents), (SPIKES, heard.spikes), (SCORES, scored))
    return [line(heard, way, alarms, judged) for way, alarms in ways if alarms is not None]


def chosen_alarms(heard: Heard, trial: Trial, *, folds: int) -> Alarms:
    """Over thresholds cross-validated on the trial itself."""
    return held_out_alarms(heard.scores, trial.judged, folds=folds, grace_hours=grace_hours(heard.method))


def transferred_alarms(heard: Heard, trial: Trial, tuned: Heard, tuning: Trial) -> Alarms:
    """Over the threshold of best F1 on another trial."""
    threshold = best_threshold(tuned.scores, tuning.judged, grace_hours=grace_hours(heard.method))
    return alarms_over(heard.scores, threshold, trial.judged)
