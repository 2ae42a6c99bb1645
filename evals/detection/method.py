"""What a detector is to the benchmark: something that scores every hour of a set."""

from typing import Protocol

from detectors.statistics import FloatArray
from evals.detection.spend_set import SpendSet


class Method(Protocol):
    """Our detector, or a peer."""

    @property
    def name(self) -> str: ...

    def scores(self, spend: SpendSet) -> FloatArray:
        """(series, hours scored): higher is more anomalous; NaN where an hour is not scored.

        Each hour is judged by it and earlier hours only.
        """
        ...
