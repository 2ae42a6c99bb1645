"""What our detector loses without one of its parts, beside the whole of it."""

from dataclasses import dataclass

import numpy as np

from detectors.statistics import FloatArray
from evals.detection.alarms import Alarms
from evals.detection.meeting import meet
from evals.detection.metrics import Interval, draws, interval_of, known_mean, pooled_ranking, series_counts
from evals.detection.running import Heard
from evals.detection.spend_set import SpendSet
from evals.detection.summary import INCIDENTS, SCORES, Line, line
from evals.detection.trial import Trial

ROUNDS = 200


@dataclass(frozen=True, slots=True)
class Loss:
    """A figure of the whole detector less that of one without a part: above 0 the part earns its place."""

    value: float
    interval: Interval
    """Both figures on the same drawn series."""

    @property
    def is_sure(self) -> bool:
        """Whether its 95 % are all on one side of 0."""
        return self.interval.low > 0 or self.interval.high < 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What a part may earn its place by: (1 + rounds,) each, on all series and then on each draw of them."""

    told_f1: FloatArray
    """Of the incidents at the thresholds that ship, which were chosen for the whole."""
    own_f1: FloatArray
    """Of the scores over a threshold chosen for them."""
    average_precision: FloatArray
    vus_pr: FloatArray


@dataclass(frozen=True, slots=True)
class AblationRow:
    """The whole detector, or one without a part."""

    name: str
    told: Line
    scored: Line
    told_f1: Loss
    own_f1: Loss
    average_precision: Loss
    vus_pr: Loss


@dataclass(frozen=True, slots=True)
class Heeded:
    """What was heard of one variant, with the alarms of its own threshold."""

    heard: Heard
    scored: Alarms

    @property
    def incidents(self) -> Alarms:
        return self.heard.incidents if self.heard.incidents is not None else Alarms.of(())

    def figures(self, judged: SpendSet) -> Figures:
        told, own = (series_counts(meet(alarms, judged)) for alarms in (self.incidents, self.scored))
        ranking = pooled_ranking(self.heard.scores, judged)
        surface = self.heard.ranked.series_vus_pr
        series = len(judged.names)
        chosen = (np.arange(series), *draws(series, seed=0, rounds=ROUNDS))
        return Figures(
            np.array([told.over(rows).f1 for rows in chosen]),
            np.array([own.over(rows).f1 for rows in chosen]),
            np.array([ranking.average_precision(rows) for rows in chosen]),
            np.array([known_mean(surface[rows]) for rows in chosen]),
        )


def ablation_row(part: Heeded, trial: Trial, whole: Figures) -> AblationRow:
    judged = trial.judged
    own = part.figures(judged)
    return AblationRow(
        part.heard.method,
        line(part.heard, INCIDENTS, part.incidents, judged),
        line(part.heard, SCORES, part.scored, judged),
        _loss(whole.told_f1, own.told_f1),
        _loss(whole.own_f1, own.own_f1),
        _loss(whole.average_precision, own.average_precision),
        _loss(whole.vus_pr, own.vus_pr),
    )


def _loss(whole: FloatArray, part: FloatArray) -> Loss:
    lost = whole - part
    return Loss(float(lost[0]), interval_of(lost[1:]))
