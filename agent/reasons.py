"""Why a cause is told, and why another is not: rules and the values they looked at, in words."""

from collections.abc import Iterator

from agent.analyst import Judged
from agent.headings import SETTLING
from agent.rendering import Format, Measured, Piece, Text
from agent.scoring import Scored, Weighed
from agent.settling import TOLD_ALREADY, what_settles

CLOSE = 0.15
"""A second cause at least this likely is not ruled out."""
OBJECTIONS = 2
FLAGS = frozenset({
    "rise", "new_scope", "whole_model", "version_changed", "noise_signature", "bursts_as_before",
    "requests_unknown",
})  # fmt: skip
"""Facts that are 0 or 1: the sentence says which."""
PARTS = frozenset({"change_size", "price_gap", "unit_price_step", "part_of_spend", "breadth", "turned_cheap"})
"""Facts that are parts of something, beside those with `share` in their name."""


def reasons(best: Scored) -> Iterator[Text]:
    """A line for each rule that speaks for the cause, the strongest first."""
    for weighed in sorted(best.supports, key=lambda w: -w.rule.weight):
        if weighed.rule.fact != TOLD_ALREADY:
            yield (f"- {capital(weighed.rule.why)}", *_measured(weighed))


def objections(other: Scored) -> Iterator[Piece]:
    """Confirming rules that failed, and refuting ones that held."""
    if not other.objections:
        yield "fits less well"
    for i, weighed in enumerate(other.objections[:OBJECTIONS]):
        yield f"{'; ' if i else ''}{weighed.rule.told(weighed.value)}"
        yield from _measured(weighed)


def close_calls(judged: Judged) -> Iterator[str]:
    """A line for each other cause that is still possible."""
    for other in judged.ranked[1:]:
        if other.cause != "unknown" and other.confidence >= CLOSE:
            yield f"- It could also be {likely(other)}. {settled(judged, other)}"


def settled(judged: Judged, other: Scored) -> str:
    return f"{SETTLING}{what_settles(judged.best, other, judged.signals)}."


def likely(scored: Scored) -> str:
    """A cause and how sure it is."""
    return f"{words(scored.cause)}, {'under 1%' if scored.confidence < 0.005 else percent(scored.confidence)}"


def words(identifier: str) -> str:
    """`retry_storm` as `retry storm`, as everywhere else."""
    return identifier.replace("_", " ")


def percent(ratio: float) -> str:
    return f"{ratio:.0%}"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _measured(weighed: Weighed) -> Text:
    """The value a rule looked at, in brackets with its evidence."""
    fact = weighed.rule.fact
    if fact in FLAGS:
        return (f" ({weighed.evidence})",)
    value = Measured(weighed.evidence, weighed.value, _unit(fact))
    return (f" ({words(fact)} ", value, f", {weighed.evidence})")


def _unit(fact: str) -> Format:
    if "share" in fact or fact in PARTS:
        return "percent"
    return "times" if fact.endswith("_ratio") else "number"
