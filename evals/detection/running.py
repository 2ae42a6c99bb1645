"""Runs methods over trials in two processes, and measures the CPU that they and their children take."""

import resource
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Generic, TypeVar

from detectors.statistics import FloatArray
from evals.detection.ablation import VARIANTS, Variant
from evals.detection.alarms import Alarms
from evals.detection.meeting import GRACE_HOURS
from evals.detection.method import Method
from evals.detection.peers.registry import LeftOut, grace_hours, load_peer
from evals.detection.ranking import Ranked, rank
from evals.detection.trial import Trial

PROCESSES = 2
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Timed(Generic[_T]):
    """What some work gave, and the CPU it took."""

    value: _T
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What one method said of one trial, in the rows and columns of `Trial.judged`."""

    method: str
    trial: str
    scores: FloatArray
    ranked: Ranked
    cpu_ms: float
    """Per series, of the whole history scored day by day."""
    incidents: Alarms | None = None
    """Of our detector alone: what the product would have told."""
    spikes: Alarms | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One method on all trials: in one process, so that what it compiles is compiled once."""

    method: str
    """The name of a peer or of a variant of ours."""
    trials: tuple[Trial, ...]


def timed(work: Callable[[], _T]) -> Timed[_T]:
    """Do it; the CPU includes children, which Prophet has."""
    before = _cpu_seconds()
    value = work()
    return Timed(value, _cpu_seconds() - before)


def run_tasks(tasks: Sequence[Task], told: Callable[[str], None]) -> Iterator[Heard | LeftOut]:
    """Everything the tasks say, in the order in which they finish; `told` hears of each that did."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(run_task, task): task.method for task in tasks}
        for done in as_completed(running):
            told(running[done])
            yield from done.result()


def run_task(task: Task) -> Sequence[Heard | LeftOut]:
    variants = {variant.name: variant for variant in VARIANTS}
    if task.method in variants:
        return [hear_variant(variants[task.method], trial) for trial in task.trials]
    peer = load_peer(task.method)
    return [peer] if isinstance(peer, LeftOut) else [hear(peer, trial) for trial in task.trials]


def hear(method: Method, trial: Trial) -> Heard:
    made = timed(lambda: trial.scores(method))
    ranked = rank(made.value, trial.judged, grace_hours=grace_hours(method.name))
    return Heard(method.name, trial.name, made.value, ranked, 1000 * made.cpu_seconds / trial.series)


def hear_variant(variant: Variant, trial: Trial) -> Heard:
    """Our detector with its incidents, as it ships or without some part of it."""
    made = timed(lambda: [variant.tell(part) for part in trial.parts])
    scores = trial.stacked([told.scores for told in made.value])
    return Heard(
        variant.name,
        trial.name,
        scores,
        rank(scores, trial.judged, grace_hours=GRACE_HOURS),
        1000 * made.cpu_seconds / trial.series,
        trial.gathered([told.incidents for told in made.value]),
        trial.gathered([told.spikes for told in made.value]),
    )


def _cpu_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)
