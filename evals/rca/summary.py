"""Figures of one method over many cases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evals.rca.running import Outcome
from evals.rca.statistics import Estimate, median, percentile, share

COMBINED = ("two_causes", "price_and_surge", "up_and_down")
BLAMELESS = ("organic", "quiet")


@dataclass(frozen=True, slots=True)
class Line:
    """One method on some cases."""

    method: str
    exact: Estimate
    named: Estimate
    """Exact, and every cause by its name."""
    precision: float
    recall: float
    dollar_error: Estimate
    """Over the cases of one cause: the median of the error as a share."""
    cpu_p50: float
    cpu_p95: float
    effects_sum: Estimate
    ledger_agrees: Estimate
    failures: int

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def summarise(method: str, outcomes: Sequence[Outcome]) -> Line:
    grades = [o.grade for o in outcomes]
    hits = sum(g.hits for g in grades)
    said = hits + sum(len(g.extra) for g in grades)
    wanted = sum(len(g.matches) for g in grades)
    cpu = [o.answer.cpu_seconds for o in outcomes]
    return Line(
        method=method,
        exact=share([g.is_exact for g in grades]),
        named=share([g.is_named for g in grades]),
        precision=hits / said if said else 1.0,
        recall=hits / wanted if wanted else 1.0,
        dollar_error=median([g.dollar_error for g in grades if g.dollar_error is not None]),
        cpu_p50=percentile(cpu, 50),
        cpu_p95=percentile(cpu, 95),
        effects_sum=share([o.answer.effects_sum for o in outcomes if o.answer.effects_sum is not None]),
        ledger_agrees=share([o.ledger_agrees for o in outcomes if o.ledger_agrees is not None]),
        failures=sum(o.answer.failure is not None for o in outcomes),
    )


Label = Callable[[Outcome], str]

SPLITS: dict[str, Label] = {
    "noise": lambda o: f"x{o.traits.noise:g}",
    "depth of the slice": lambda o: str(o.traits.depth) if o.traits.depth else "none",
    "dimensions recorded": lambda o: str(o.traits.dimensions),
    "leaves": lambda o: _band(o.traits.leaves, (350, 450, 550, 650)),
    "smallest cause's share of spend": lambda o: _share_band(o),
    "characters logged": lambda o: "yes" if o.traits.characters else "no",
    "billed": lambda o: "yes" if o.traits.billed else "no",
    "window": lambda o: _window(o.traits.window_hours),
    "nuisances": lambda o: str(o.nuisances),
}


def _band(value: float, edges: Sequence[float]) -> str:
    below = [edge for edge in edges if value >= edge]
    above = [edge for edge in edges if value < edge]
    if not below:
        return f"under {above[0]:g}"
    return f"{below[-1]:g} to {above[0]:g}" if above else f"{below[-1]:g} and more"


def _share_band(outcome: Outcome) -> str:
    if outcome.traits.kind in BLAMELESS:
        return "no cause"
    return _band(100 * outcome.traits.share, (5, 10, 25)) + " %"


def _window(hours: int) -> str:
    return "a day" if hours == 24 else "hours" if hours < 24 else "2 or 3 days"
