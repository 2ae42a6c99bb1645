"""The figures the work is held to, and whether they are met."""

from collections.abc import Callable
from dataclasses import dataclass

from evals.rca.case import OURS
from evals.rca.results import Results
from evals.rca.summary import BLAMELESS, COMBINED, summarise

SWITCH_RATIO, SWITCHERS = 1.2, 6
SIZE_OF_CPU = "1,000 leaves, 10 dimensions"


@dataclass(frozen=True, slots=True)
class Target:
    """A bound; `at_least` says on which side of it the figure must be."""

    name: str
    bound: float
    figure: Callable[[Results], float]
    at_least: bool = True

    def is_met(self, results: Results) -> bool:
        value = self.figure(results)
        return value >= self.bound if self.at_least else value <= self.bound


def _exact(results: Results) -> float:
    return results.line(OURS).exact.value


def _named(results: Results) -> float:
    return results.line(OURS).named.value


def _combined(results: Results) -> float:
    return results.line(OURS, COMBINED).named.value


def _blameless(results: Results) -> float:
    return results.line(OURS, BLAMELESS[:1]).exact.value


def _effects(results: Results) -> float:
    return results.line(OURS).effects_sum.value


def _dollars(results: Results) -> float:
    return results.line(OURS).dollar_error.value


def _switches(results: Results) -> float:
    found = [c for c in results.sweep if c.ratio == SWITCH_RATIO and c.switchers == SWITCHERS]
    return found[0].right.value if found else float("nan")


def _false_switches(results: Results) -> float:
    false, count = results.false_tokenizer
    return false / count if count else float("nan")


def _cpu(results: Results) -> float:
    for name, outcomes in results.sized:
        if name == SIZE_OF_CPU:
            return summarise(OURS, outcomes).cpu_p50
    return results.line(OURS).cpu_p50


TARGETS = (
    Target("exact slices", 0.95, _exact),
    Target("cause and slices", 0.95, _named),
    Target("cause and slices, two causes", 0.90, _combined),
    Target("organic growth blamed on nobody", 0.95, _blameless),
    Target("effects add up to the cent", 1.0, _effects),
    Target("dollar error of one cause, median", 0.05, _dollars, at_least=False),
    Target("tokenizer change of 20 % on 6 keys found", 0.9, _switches),
    Target("tokenizer change told where there is none", 0.02, _false_switches, at_least=False),
    Target(f"CPU s per case at {SIZE_OF_CPU}", 0.3, _cpu, at_least=False),
)
