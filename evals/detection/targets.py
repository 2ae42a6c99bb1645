"""What the detector is to reach, and whether a line of the comparison does."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from evals.detection.count import Count
from evals.detection.summary import Line

AT_LEAST, AT_MOST = "at least", "at most"
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {AT_LEAST: operator.ge, AT_MOST: operator.le}


@dataclass(frozen=True, slots=True)
class Target:
    """One figure of a line and the bound it is held to."""

    name: str
    comparison: str
    bound: float
    figure: Callable[[Line], float]

    def is_met(self, line: Line) -> bool:
        """NaN never meets a bound."""
        return _COMPARISONS[self.comparison](self.figure(line), self.bound)


def _of_family(family: str) -> Callable[[Line], float]:
    return lambda line: _part(line.count.by_family, family).f1


def _part(parts: Mapping[str, Count], name: str) -> Count:
    return parts.get(name, Count(0, 0, 0, 0, (), 0.0, 0.0, 0))


def _recall_of(kind: str) -> Callable[[Line], float]:
    return lambda line: _part(line.count.by_kind, kind).recall


SPEND_TARGETS: tuple[Target, ...] = (
    Target("F1", AT_LEAST, 0.84, lambda line: line.count.f1),
    Target(
        "recall at 0.25 false per series-week", AT_LEAST, 0.89, lambda line: line.ranked.recall_at_quarter
    ),
    Target("false alarms per series-week", AT_MOST, 0.15, lambda line: line.count.false_per_series_week),
    Target("median delay, h", AT_MOST, 1.0, lambda line: line.count.median_delay),
    Target("pooled AP", AT_LEAST, 0.66, lambda line: line.ranked.average_precision),
    Target("F1, young series", AT_LEAST, 0.78, _of_family("young")),
    Target("F1, intermittent series", AT_LEAST, 0.76, _of_family("intermittent")),
    Target("recall, leaked key at night", AT_LEAST, 0.80, _recall_of("leaked_key_night")),
    Target(
        "median delay of slow ramps, h",
        AT_MOST,
        48.0,
        lambda line: _part(line.count.by_kind, "slow_ramp").median_delay,
    ),
    Target("recall, price jump", AT_LEAST, 1.0, _recall_of("price_jump")),
)
MONITORING_TARGETS: tuple[Target, ...] = (Target("F1", AT_LEAST, 0.66, lambda line: line.count.f1),)
