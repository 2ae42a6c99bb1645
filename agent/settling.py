"""What would settle a close call between two causes, from the rules that separate them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.derived import Signals
from agent.scoring import Scored
from playbooks import Cause, Rule

TOLD_ALREADY = "rise"
"""That it costs more, or less, is what the first sentence of a report says; it separates no causes."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """A rule of one of the two causes that says nothing of the other."""

    rule: Rule
    cause: Cause
    speaks_for: bool
    """Where the rule holds; else it speaks against the cause then."""

    @property
    def clause(self) -> str:
        """What the rule asks, to stand after `whether` or `that`."""
        return self.rule.why.partition(":")[0]

    @property
    def named(self) -> str:
        return self.cause.replace("_", " ")


def what_settles(first: Scored, second: Scored, signals: Signals) -> str:
    """What to find out, by what says most: a sign not looked at, facts that pull apart, a missing sign."""
    pointers = sorted(separating(first, second), key=_by_weight)
    known = [p for p in pointers if p.rule.fact in signals]
    held = [p for p in known if p.rule.holds(signals[p.rule.fact].value)]
    ours, theirs = _strongest(held, first, second), _strongest(held, second, first)
    signs = [p for p in pointers if p.speaks_for and p not in held]
    unseen = next((p for p in signs if p not in known), None)
    if unseen and all(p is None or p.rule.weight <= unseen.rule.weight for p in (ours, theirs)):
        return f"whether {unseen.clause}; this is not known here and would speak for {unseen.named}"
    if ours and theirs:
        other = second.cause.replace("_", " ")
        return (
            f"whether the owner can explain that {ours.clause}; then {other} is likelier, as {theirs.clause}"
        )
    if signs:
        return (
            f"whether {signs[0].clause}; of this there is no sign so far, it would speak for {signs[0].named}"
        )
    return "the owner's word: the facts at hand fit both"


def separating(one: Scored, other: Scored) -> Iterator[Pointer]:
    """Rules of either cause whose question the other does not answer alike."""
    for book, rival in ((one.playbook, other.playbook), (other.playbook, one.playbook)):
        for rule in _beyond(book.confirms, rival.confirms):
            yield Pointer(rule, book.cause, speaks_for=True)
        for rule in _beyond(book.refutes, rival.refutes):
            yield Pointer(rule, book.cause, speaks_for=False)


def _beyond(rules: Sequence[Rule], others: Sequence[Rule]) -> Iterator[Rule]:
    shared = {(rule.fact, rule.op) for rule in others}
    return (r for r in rules if (r.fact, r.op) not in shared and r.fact != TOLD_ALREADY)


def _by_weight(pointer: Pointer) -> tuple[float, bool]:
    """What says most first; of equals, what the split of the change does not show anyway."""
    return -pointer.rule.weight, pointer.rule.fact.startswith("share_")


def _strongest(held: Sequence[Pointer], scored: Scored, other: Scored) -> Pointer | None:
    """The first that speaks for one of the two or against the other."""
    return next((p for p in held if p.cause == (scored if p.speaks_for else other).cause), None)
