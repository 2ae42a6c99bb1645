"""What would settle a close call between two causes, from the rules that separate them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.derived import Signals
from agent.scoring import Scored
from playbooks import Cause, Rule

CLOSE = 0.15
"""A second cause at least this likely is not ruled out."""


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


def what_settles(first: Scored, second: Scored, signals: Signals) -> str:
    """A sentence: what is not known yet, else which facts pull to either side, else what there is no sign of."""
    pointers = sorted(separating(first, second), key=lambda p: -p.rule.weight)
    if unseen := next((p for p in pointers if p.rule.fact not in signals), None):
        side = "for" if unseen.speaks_for else "against"
        return f"whether {unseen.clause}: not known here, it would speak {side} {_named(unseen.cause)}"
    held = [p for p in pointers if p.rule.holds(signals[p.rule.fact].value)]
    for_first, for_second = (_strongest(held, s, o) for s, o in ((first, second), (second, first)))
    if for_first and for_second:
        sides = f"{_sided(for_first, first, second)}; {_sided(for_second, second, first)}"
        return f"the owner's word on two facts: {sides}"
    if unmet := next((p for p in pointers if p.cause == second.cause and p not in held), None):
        return f"whether {unmet.clause}, of which there is no clear sign so far"
    return "the owner's word: the facts at hand fit both"


def separating(one: Scored, other: Scored) -> Iterator[Pointer]:
    """Rules of either cause whose question the other does not answer alike."""
    for scored, beside in ((one, other), (other, one)):
        book, rival = scored.playbook, beside.playbook
        shared = {(r.fact, r.op) for r in rival.confirms}
        yield from (Pointer(r, book.cause, True) for r in book.confirms if (r.fact, r.op) not in shared)
        shared = {(r.fact, r.op) for r in rival.refutes}
        yield from (Pointer(r, book.cause, False) for r in book.refutes if (r.fact, r.op) not in shared)


def _strongest(held: Sequence[Pointer], scored: Scored, other: Scored) -> Pointer | None:
    """The first that speaks for one of the two or against the other."""
    return next((p for p in held if p.cause == (scored if p.speaks_for else other).cause), None)


def _sided(pointer: Pointer, scored: Scored, other: Scored) -> str:
    side = f"for {_named(scored.cause)}" if pointer.speaks_for else f"against {_named(other.cause)}"
    return f"{pointer.clause} (speaks {side})"


def _named(cause: Cause) -> str:
    return cause.replace("_", " ")
