"""Runs our detector, its ablations and the peers on all trials, and sums up what was heard."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evals.detection.ablation import ABLATIONS, WHOLE
from evals.detection.ablation_rows import AblationRow, ablation_row
from evals.detection.alarms import Alarms
from evals.detection.ours import NAME
from evals.detection.peers.registry import LEFT_OUT, LeftOut, peer_names
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


def compare(
    trials: Trials, told: Callable[[str], None], *, with_peers: bool, with_ablation: bool
) -> Comparison:
    """Hear every method on every trial; `told` is given the name of each as it is done."""
    peers = peer_names() if with_peers else ()
    variants = ABLATIONS if with_ablation else ()
    names = (WHOLE.name, *peers, *(variant.name for variant in variants))
    answers = list(run_tasks([Task(name, trials.run) for name in names], told))
    heard = [answer for answer in answers if isinstance(answer, Heard)]
    left_out = [answer for answer in answers if isinstance(answer, LeftOut)]
    ablated = {variant.name for variant in ABLATIONS}
    return Comparison(
        trials,
        tuple(
            line
            for trial in trials.reported
            for one in _on(trial, heard)
            if one.method not in ablated
            for line in lines(one, trial, _alarms(one, trial, heard, trials))
        ),
        {trial.name: _ablation(trial, heard, trials) for trial in trials.spend} if with_ablation else {},
        (*(LEFT_OUT if with_peers else ()), *left_out),
    )


def _ablation(trial: Trial, heard: Sequence[Heard], trials: Trials) -> tuple[AblationRow, ...]:
    whole = _find(heard, trial.name, NAME)
    parts = [_find(heard, trial.name, variant.name) for variant in ABLATIONS]
    return tuple(
        ablation_row(one, _alarms(one, trial, heard, trials), trial, whole) for one in (whole, *parts)
    )


def _alarms(one: Heard, trial: Trial, heard: Sequence[Heard], trials: Trials) -> Alarms:
    return threshold_alarms(one, trial, _find(heard, trials.tuning.name, one.method), trials.tuning)


def _on(trial: Trial, heard: Sequence[Heard]) -> list[Heard]:
    return [one for one in heard if one.trial == trial.name]


def _find(heard: Sequence[Heard], trial: str, method: str) -> Heard:
    return next(one for one in heard if (one.trial, one.method) == (trial, method))
