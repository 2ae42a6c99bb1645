"""Tokenizer changes of several sizes on several numbers of keys, and moves without any."""

from collections.abc import Sequence
from dataclasses import dataclass

from evals.rca.generator import Switch
from evals.rca.running import Outcome
from evals.rca.statistics import Estimate, share

RATIOS = (1.0, 1.1, 1.2, 1.35)
"""1.0 is a move to the next version that changes nothing."""
SWITCHERS = (3, 6, 12)
CAUSE = "tokenizer_change"


@dataclass(frozen=True, slots=True)
class Cell:
    """Cases of one ratio and one number of keys."""

    ratio: float
    switchers: int
    told: Estimate
    """Share in which a tokenizer change was named."""
    right: Estimate
    """Share in which it was named on the right rows."""


def switches(seed: int, cases: int) -> list[Switch]:
    return [
        Switch(seed, number, ratio, switchers)
        for ratio in RATIOS
        for switchers in SWITCHERS
        for number in range(cases)
    ]


def cells(outcomes: Sequence[Outcome]) -> list[Cell]:
    found = []
    for ratio in RATIOS:
        for switchers in SWITCHERS:
            name = Switch(0, 0, ratio, switchers).kind
            mine = [o for o in outcomes if o.traits.kind == name]
            if mine:
                told = [any(c.cause == CAUSE for c in o.answer.culprits) for o in mine]
                right = [any(m.is_named for m in o.grade.matches) for o in mine]
                found.append(Cell(ratio, switchers, share(told), share(right)))
    return found
