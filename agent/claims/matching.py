"""Whether a number of prose is a value of the evidence, rounded, and told as what it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import NamedTuple

from agent.claims.directions import Direction, contradiction, direction_of
from agent.claims.fields import Kind
from agent.claims.known import Fact, Known
from agent.claims.names import lowered
from agent.claims.numbers import Number
from agent.claims.references import COUNTS_AS
from agent.claims.tokens import Tokens, counted_after, low_at, narrowed_wrongly, rate_after
from agent.claims.vocabulary import NARROWED, RATES, SAID
from ledger.scope import Dimension

CLOSE = Decimal("0.05")
"""A number with a scale (`$1M`) or a multiple without decimals (`2x`) is this close to its value."""
HUNDRED = Decimal(100)
_AT_LEAST = frozenset({"over", "above", "exceeding", "exceeds", "exceeded", "beyond", "least", "than"})
_AT_MOST = frozenset({"under", "below", "most", "nearly", "almost", "to"})


class Reading(NamedTuple):
    """A kind of fact that a unit may stand for, and by how much its values are multiplied to be told."""

    kind: Kind
    factor: Decimal
    is_growth: bool = False
    """A ratio told as the percentage above or below 1."""


READINGS: dict[str, tuple[Reading, ...]] = {
    "usd": (Reading("usd", Decimal(1)),),
    "percent": (
        Reading("share", HUNDRED),
        Reading("points", HUNDRED),
        Reading("ratio", HUNDRED, is_growth=True),
    ),
    "points": (Reading("points", HUNDRED),),
    "times": (Reading("ratio", Decimal(1)),),
    "none": (Reading("count", Decimal(1)), Reading("number", Decimal(1))),
}


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence as numbers are held against it."""

    tokens: Tokens
    words: str
    """All words in lower case, each after a space."""
    named: Mapping[str, frozenset[Dimension]]
    """The names of the sentence that are no ordinary words, with what they are names of."""
    all_names: frozenset[str]

    def says(self, part: str) -> bool:
        return any(f" {stem}" in self.words for stem in SAID.get(part, ()))


def contradicts_names(fact: Fact, said: Said) -> str:
    """The name another name stands for, where a number is of something else than the sentence names."""
    pinned = {lowered(value) for _, value in fact.pins}
    for dimension, value in fact.pins:
        others = [n for n, known_as in said.named.items() if dimension in known_as and n not in pinned]
        if others and lowered(value) not in said.named:
            return value
    return ""


def fact_for(number: Number, said: Said, known: Known) -> Fact | None:
    """The first value of the evidence that a number states; None where there is none."""
    direction = direction_of(said.tokens, number.first, number.last)
    return next(
        (f for f in _rounded(number, direction, known) if _is_told(f, number, said, direction, known)), None
    )


def _rounded(number: Number, direction: Direction, known: Known) -> Iterator[Fact]:
    size, half = abs(number.value) * number.scale, number.step * number.scale / 2
    for reading in READINGS[number.unit]:
        low, high = (size - half) / reading.factor, (size + half) / reading.factor
        if reading.is_growth:
            low, high = (1 - high, 1 - low) if direction.sign < 0 else (1 + low, 1 + high)
        for fact in known.between(reading.kind, low, high):
            told = (abs(fact.value - 1) if reading.is_growth else abs(fact.value)) * reading.factor
            if _is_rounding(number, told) and (direction.sign or not reading.is_growth):
                yield fact


def _is_rounding(number: Number, told: Decimal) -> bool:
    scaled, size = told / number.scale, abs(number.value)
    if not any(scaled.quantize(number.step, way) == size for way in (ROUND_HALF_UP, ROUND_HALF_EVEN)):
        return False
    is_coarse = number.scale > 1 or (number.unit == "times" and number.step >= 1)
    return not is_coarse or abs(scaled - size) <= CLOSE * scaled


def _is_told(fact: Fact, number: Number, said: Said, direction: Direction, known: Known) -> bool:
    return (
        _is_signed_alike(fact, number, direction)
        and _is_within_bound(fact, number, said)
        and _is_named(fact, number, said)
        and _is_about(fact, said, known)
        and not contradicts_names(fact, said)
    )


def _is_about(fact: Fact, said: Said, known: Known) -> bool:
    """Whether the sentence names what the number is of, where that is less than what was asked about."""
    narrower = {lowered(value) for d, value in fact.pins if (d, value) not in known.scope.items}
    return not narrower or bool(narrower & said.all_names)


def _is_signed_alike(fact: Fact, number: Number, direction: Direction) -> bool:
    if number.is_word:
        return not direction.is_negated
    if contradiction(fact, direction):
        return False
    if number.is_signed or not (fact.measure.is_change and direction.sign):
        return (number.value < 0) == (fact.value < 0) or fact.value == 0
    return True


def _is_within_bound(fact: Fact, number: Number, said: Said) -> bool:
    """`over $80` is at most the value, `nearly $90` at least; of percentages and multiples too."""
    factor = HUNDRED if number.unit in ("percent", "points") else Decimal(1)
    if fact.kind == "ratio" and number.unit == "percent":
        return low_at(said.tokens, number.first - 1) not in _AT_LEAST | _AT_MOST - {"to"}
    value, size = abs(fact.value) * factor, abs(number.value) * number.scale
    before = low_at(said.tokens, number.first - 1)
    if before == "than":
        is_less = low_at(said.tokens, number.first - 2) in ("less", "fewer", "lower")
        return value <= size if is_less else value >= size
    if before == "to" and low_at(said.tokens, number.first - 2) != "up":
        return True
    return not (before in _AT_LEAST and value < size) and not (before in _AT_MOST and value > size)


def _is_named(fact: Fact, number: Number, said: Said) -> bool:
    """Whether the sentence says what the field is of: expected, failed, cached, per hour, keys."""
    measure = fact.measure
    counts, last = counted_after(said.tokens, number.last)
    counts = number.counts or counts
    if counts and not {counts, COUNTS_AS.get(counts, counts)} & measure.words:
        return False
    is_partial = not counts or bool(measure.words & NARROWED)
    narrowing = [t.low for t in (said.tokens if is_partial else said.tokens[number.last + 1 : last])]
    if measure.kind == "count" and narrowed_wrongly(narrowing, measure.words):
        return False
    rate = rate_after(said.tokens, last)
    if (rate or measure.kind in ("usd", "count")) and rate != measure.rate and not _rated(measure.rate, said):
        return False
    if measure.kind in ("count", "number") and not counts and not _is_mentioned(measure.words, said):
        return False
    return all(said.says(part) for part in measure.words if part in SAID and part != counts)


def _rated(rate: str, said: Said) -> bool:
    return bool(rate) and any(RATES.get(word) == rate for word in said.words.split())


def _is_mentioned(parts: frozenset[str], said: Said) -> bool:
    return any(len(part) > 3 and f" {part[:5]}" in said.words for part in parts)
