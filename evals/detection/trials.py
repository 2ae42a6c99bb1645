"""The trials of the benchmark, and how a method's threshold is chosen on each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from detectors.statistics import FloatArray
from evals.detection.alarms import Alarms
from evals.detection.datasets import (
    CLIENTS_FILE,
    MONITORING_FILE,
    SPEND_FILE,
    development_set,
    monitoring_trial,
    real_clients,
)
from evals.detection.generator import generate_set
from evals.detection.running import Heard
from evals.detection.spend_set import SpendSet
from evals.detection.summary import chosen_alarms, transferred_alarms
from evals.detection.trial import Trial

DEVELOPMENT, FRESH, MONITORING, TUNING = "development", "fresh seeds", "monitoring", "tuning seed"
SEEDS_OF_DEVELOPMENT = frozenset({9001, 9002, 9003, 9101, 9102})
"""Looked at while the detector was made; nothing is reported on them."""
TUNING_SEED = 8001
"""Chooses thresholds where there is no development set."""
FOLDS = {DEVELOPMENT: 5, MONITORING: 2, TUNING: 5}


@dataclass(frozen=True, slots=True)
class Trials:
    """What is there to be judged on; the files are absent in a user's clone."""

    fresh: Trial
    tuning: Trial
    """The development set, or a seed that is not reported."""
    monitoring: Trial | None

    @property
    def reported(self) -> tuple[Trial, ...]:
        development = (self.tuning,) if self.tuning.name == DEVELOPMENT else ()
        return (*development, self.fresh, *((self.monitoring,) if self.monitoring else ()))

    @property
    def run(self) -> tuple[Trial, ...]:
        """All that methods are heard on."""
        return (self.tuning, *(trial for trial in self.reported if trial is not self.tuning))

    @property
    def spend(self) -> tuple[Trial, ...]:
        """Those that are about spend."""
        return tuple(trial for trial in self.reported if trial is not self.monitoring)


def load_trials(data: Path, seeds: Sequence[int], series: int) -> Trials:
    clients = real_clients(data) if (data / CLIENTS_FILE).is_file() else None
    fresh = Trial(FRESH, tuple(fresh_set(seed, series, clients) for seed in seeds))
    if (data / SPEND_FILE).is_file():
        tuning = Trial(DEVELOPMENT, (development_set(data),))
    else:
        tuning = Trial(TUNING, (generate_set(TUNING_SEED, series=series),))
    monitoring = monitoring_trial(data) if (data / MONITORING_FILE).is_file() else None
    return Trials(fresh, tuning, monitoring)


def fresh_set(seed: int, series: int, clients: FloatArray | None) -> SpendSet:
    """Even seeds resample real clients where there are any; all else is parametric."""
    real = clients if seed % 2 == 0 else None
    name = f"seed {seed}" if real is None else f"seed {seed} on real clients"
    return replace(generate_set(seed, series=series, real_clients=real), name=name)


def threshold_alarms(heard: Heard, trial: Trial, tuned: Heard, tuning: Trial) -> Alarms:
    """Alarms of scores: nothing is chosen on the series it is reported for."""
    folds = FOLDS.get(trial.name)
    return (
        chosen_alarms(heard, trial, folds=folds) if folds else transferred_alarms(heard, trial, tuned, tuning)
    )
