"""Weighs every cause's rules against the signals."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
    """All causes, best first; confidences sum to 1. `unknown` leads when nothing fits.

    Of several playbooks of one cause the one that fits best stands for it, of equals the first given: a
    cause is as likely with two playbooks as with the better one alone. One that cannot be told fits worst.
    """
    standing = _standing(_weighed(p, signals) for p in playbooks)
    top = max(s.score for s in standing)
    odds = [exp((s.score - top) / TEMPERATURE) for s in standing]
    total = sum(odds)
    ranked = [replace(s, confidence=_rounded(o / total)) for s, o in zip(standing, odds, strict=True)]
    return tuple(sorted(ranked, key=lambda s: -s.score))


def is_benign(playbook: Playbook, signals: Signals) -> bool:
    """Whether everything holds that makes this cause harmless."""
    rules = playbook.benign_when
    return bool(rules) and all(r.fact in signals and r.holds(signals[r.fact].value) for r in rules)


def _standing(scored: Iterable[Scored]) -> list[Scored]:
    """The best of each cause, in the order in which the causes were given."""
    best: dict[Cause, Scored] = {}
    for fit in scored:
        if fit.cause not in best or fit.score > best[fit.cause].score:
            best[fit.cause] = fit
    return list(best.values())


def _weighed(playbook: Playbook, signals: Signals) -> Scored:
    """One playbook by itself; how confident that makes, the others decide."""
    weighed = _weigh(playbook, signals)
    barred = tuple(_barred(playbook, signals))
    score = float("-inf") if barred or not _applies(playbook, signals) else _score(weighed, playbook)
    return Scored(playbook, score, 0.0, (*barred, *weighed))


def _applies(playbook: Playbook, signals: Signals) -> bool:
    return all(r.fact in signals and r.holds(signals[r.fact].value) for r in playbook.only_when)


def _barred(playbook: Playbook, signals: Signals) -> Iterator[Weighed]:
    """The rules that hold by which the cause cannot be told."""
    for rule in playbook.never_when:
        found = signals.get(rule.fact)
        if found and rule.holds(found.value):
            yield Weighed(rule, found.value, found.evidence, False)


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
