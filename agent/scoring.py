"""Weighs every cause's rules against the signals."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from agent.derived import Signals
from playbooks import Cause, Playbook, Rule

TEMPERATURE = 1.0
"""Weights are in nats; at 2 the confidences of generated cases were below what they turned out to be."""
LEAST_SCORE = 2.0
"""Under this no cause is named."""
NOTHING_TO_COMPARE = 25.0
"""What `unknown` gains where its own rule holds: no other cause can be told then, whatever fits it."""
MOST_CONFIDENT = 0.97
"""Of slices that stand out on generated cases so many are right, whatever their cause."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A rule that had a fact to look at."""

    rule: Rule
    value: float
    evidence: str
    speaks_for: bool


@dataclass(frozen=True, slots=True)
class Scored:
    """A cause, how well the evidence fits it, and what spoke for and against it."""

    playbook: Playbook
    score: float
    confidence: float
    weighed: tuple[Weighed, ...]

    @property
    def cause(self) -> Cause:
        return self.playbook.cause

    @property
    def supports(self) -> tuple[Weighed, ...]:
        return tuple(w for w in self.weighed if w.speaks_for)

    @property
    def objections(self) -> tuple[Weighed, ...]:
        against = [w for w in self.weighed if not w.speaks_for]
        return tuple(sorted(against, key=lambda w: -w.rule.weight))


def rank_causes(playbooks: Sequence[Playbook], signals: Signals) -> tuple[Scored, ...]:
    """All causes, best first; confidences sum to 1. `unknown` leads when nothing fits."""
    weighed = {p.cause: _weigh(p, signals) for p in playbooks}
    scores = {p.cause: _score(weighed[p.cause], p) for p in playbooks}
    top = max(scores.values())
    odds = {cause: exp((score - top) / TEMPERATURE) for cause, score in scores.items()}
    total = sum(odds.values())
    ranked = [
        Scored(p, scores[p.cause], _rounded(odds[p.cause] / total), weighed[p.cause]) for p in playbooks
    ]
    return tuple(sorted(ranked, key=lambda s: -s.score))


def is_benign(playbook: Playbook, signals: Signals) -> bool:
    """Whether everything holds that makes this cause harmless."""
    rules = playbook.benign_when
    return bool(rules) and all(r.fact in signals and r.holds(signals[r.fact].value) for r in rules)


def _weigh(playbook: Playbook, signals: Signals) -> tuple[Weighed, ...]:
    """Confirming rules always speak when their fact is known, refuting ones only when they hold."""
    known = [(r, signals[r.fact]) for r in playbook.confirms if r.fact in signals]
    met = [(r, signals[r.fact]) for r in playbook.refutes if r.fact in signals]
    return (
        *(Weighed(rule, s.value, s.evidence, rule.holds(s.value)) for rule, s in known),
        *(Weighed(rule, s.value, s.evidence, False) for rule, s in met if rule.holds(s.value)),
    )


def _score(weighed: Sequence[Weighed], playbook: Playbook) -> float:
    if playbook.cause == "unknown":
        return LEAST_SCORE + NOTHING_TO_COMPARE * any(w.speaks_for for w in weighed)
    if not playbook.confirms:
        return float("-inf")
    return sum(w.rule.weight if w.speaks_for else -w.rule.weight for w in weighed)


def _rounded(confidence: float) -> float:
    return round(min(confidence, MOST_CONFIDENT), 3)
