"""Runs our detector, its ablations and the peers on all trials, and sums up what was heard."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evals.detection.ablation import ABLATIONS, VARIANTS, WHOLE
from evals.detection.ablation_rows import AblationRow, Heeded, ablation_row
from evals.detection.alarms import Alarms
from evals.detection.ours import NAME
from evals.detection.peers.registry import LeftOut, peer_names
from evals.detection.running import Heard, Task, run_tasks
from evals.detection.summary import INCIDENTS, Line, lines
from evals.detection.trial import Trial
from evals.detection.trials import Trials, threshold_alarms


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that the report is made of."""

    trials: Trials
    lines: tuple[Line, ...]
    ablation: dict[str, tuple[AblationRow, ...]]
    """By trial."""
    left_out: tuple[LeftOut, ...]

    def of(self, trial: str) -> list[Line]:
        return [line for line in self.lines if line.trial == trial]

    def ours(self, trial: str, way: str = INCIDENTS) -> Line:
        return next(line for line in self.of(trial) if (line.method, line.way) == (NAME, way))


def method_names(*, with_peers: bool, with_ablation: bool) -> tuple[str, ...]:
    """Ours first, then the peers from the slowest on, then ours without each of its parts."""
    peers = peer_names() if with_peers else ()
    variants = ABLATIONS if with_ablation else ()
    return (WHOLE.name, *peers, *(variant.name for variant in variants))


def compare(trials: Trials, names: Sequence[str], told: Callable[[str], None]) -> Comparison:
    """Hear every method on every trial; `told` is given the name of each as it is done."""
    ablated = {variant.name for variant in ABLATIONS}
    spend = tuple(trial for trial in trials.run if trial is not trials.monitoring)
    tasks = [Task(name, spend if name in ablated else trials.run) for name in names]
    return sum_up(trials, list(run_tasks(tasks, told)))


def sum_up(trials: Trials, answers: Sequence[Heard | LeftOut]) -> Comparison:
    """What was heard of some methods, the whole of our detector among them."""
    heard = [answer for answer in answers if isinstance(answer, Heard)]
    variants = {variant.name for variant in ABLATIONS}
    compared = [one for one in heard if one.method not in variants]
    has_ablation = len(compared) < len(heard)
    return Comparison(
        trials,
        tuple(
            line
            for trial in trials.reported
            for one in _on(trial, compared)
            for line in lines(one, trial, _alarms(one, trial, heard, trials))
        ),
        {trial.name: _ablation(trial, heard, trials) for trial in trials.spend} if has_ablation else {},
        tuple(answer for answer in answers if isinstance(answer, LeftOut)),
    )


def _ablation(trial: Trial, heard: Sequence[Heard], trials: Trials) -> tuple[AblationRow, ...]:
    """The whole first, then as they are listed."""
    places = {variant.name: place for place, variant in enumerate(VARIANTS)}
    ours = sorted(
        (one for one in _on(trial, heard) if one.method in places), key=lambda one: places[one.method]
    )
    parts = [Heeded(one, _alarms(one, trial, heard, trials)) for one in ours]
    whole = parts[0].figures(trial.judged)
    return tuple(ablation_row(part, trial, whole) for part in parts)


def _alarms(one: Heard, trial: Trial, heard: Sequence[Heard], trials: Trials) -> Alarms:
    return threshold_alarms(one, trial, _find(heard, trials.tuning.name, one.method), trials.tuning)


def _on(trial: Trial, heard: Sequence[Heard]) -> list[Heard]:
    return [one for one in heard if one.trial == trial.name]


def _find(heard: Sequence[Heard], trial: str, method: str) -> Heard:
    return next(one for one in heard if (one.trial, one.method) == (trial, method))
