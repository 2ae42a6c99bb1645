"""What our detector loses without one of its parts, beside the whole of it."""

from dataclasses import dataclass

from evals.detection.alarms import Alarms
from evals.detection.meeting import meet
from evals.detection.metrics import Interval, SeriesCounts, bootstrap, series_counts
from evals.detection.protocol import count_alarms
from evals.detection.running import Heard
from evals.detection.spend_set import SpendSet
from evals.detection.summary import INCIDENTS, SCORES, Line, line, rank
from evals.detection.trial import Trial


@dataclass(frozen=True, slots=True)
class AblationRow:
    """The whole detector, or one without a part."""

    name: str
    told: Line
    """Its incidents at the thresholds that ship."""
    scored: Line
    """Its scores over a threshold chosen for it as for any method."""
    f1_lost: float = 0.0
    """Of the incidents: F1 of the whole less its own; above 0 where the part earns its place."""
    interval: Interval | None = None
    """Of the same, both counted on the same drawn series; None for the whole itself."""


def ablation_row(heard: Heard, scored: Alarms, trial: Trial, whole: Heard) -> AblationRow:
    judged = trial.judged
    ranked = rank(heard, judged)
    told = line(heard, INCIDENTS, _incidents(heard), judged, ranked)
    own_line = line(heard, SCORES, scored, judged, ranked)
    if heard is whole:
        return AblationRow("nothing: the whole detector", told, own_line)
    own, all_parts = (_table(one, judged) for one in (heard, whole))
    series = len(judged.names)
    interval = bootstrap(lambda rows: all_parts.over(rows).f1 - own.over(rows).f1, series, seed=0)
    lost = count_alarms(_incidents(whole), judged).f1 - told.count.f1
    return AblationRow(heard.method, told, own_line, lost, interval)


def _table(heard: Heard, judged: SpendSet) -> SeriesCounts:
    return series_counts(meet(_incidents(heard), judged))


def _incidents(heard: Heard) -> Alarms:
    return heard.incidents if heard.incidents is not None else Alarms.of(())
