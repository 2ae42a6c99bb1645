"""Which way a sentence says that a number went, and whether it calls the number a change."""

from typing import NamedTuple

from agent.claims.known import Fact
from agent.claims.tokens import Tokens, low_at, next_in_clause
from agent.claims.vocabulary import FALL, MOVED_AFTER, NEGATIONS, RISE

REACH = 10
"""So many words before a number may say which way it went."""
_COMPARING = frozenset({"above", "below", "more", "less", "higher", "lower", "fewer", "cheaper", "expensive",
                        "costlier"})  # fmt: skip
"""Before a level, not a change: `above $12.40`."""
_SHORT_OF = frozenset({"almost", "nearly", "barely", "hardly"})
_OF_CHANGE = frozenset({"by", "of"})


class Direction(NamedTuple):
    """What is said of one number."""

    sign: int
    """1 up, -1 down, 0 where nothing is said."""
    is_negated: bool
    is_change: bool
    """Whether the number is told as the size of a change."""


def direction_of(tokens: Tokens, first: int, last: int) -> Direction:
    """What is said of the number that takes the words `first` to `last`."""
    after = _after(tokens, last)
    if after:
        return Direction(_sign(after), _is_negated(tokens, first), True)
    for at in range(first - 1, max(-1, first - 1 - REACH), -1):
        if tokens[at].after.startswith(";"):
            break
        sign = 0 if _is_idle(tokens, at) else _sign(tokens[at].low)
        if sign:
            return Direction(sign, _is_negated(tokens, at), _is_size(tokens, at, first))
    return Direction(0, False, False)


def wrong_bound(tokens: Tokens, at: int, fact: Fact) -> str:
    """Why `almost {..}` or `rose by more than {..}` is no exact value; nothing where the value is told."""
    if fact.measure.is_change and low_at(tokens, at - 1) == "than":
        return "is the change itself, not less or more"
    is_short = any(low_at(tokens, k) in _SHORT_OF for k in range(at - 4, at))
    return "is exact, and a word before it says otherwise" if is_short else ""


def contradiction(fact: Fact, said: Direction) -> str:
    """Why the sentence says the opposite of a value, or calls a level a change; nothing where it does not."""
    measure, value = fact.measure, fact.value
    is_ratio = measure.kind == "ratio"
    if said.is_change and not (measure.is_change or is_ratio or "saving" in measure.words):
        return "is a level and told as a change"
    if not said.sign or not (measure.is_change or is_ratio):
        return ""
    way = (value > 1) - (value < 1) if is_ratio else (value > 0) - (value < 0)
    if said.is_negated:
        return "is a change, and a negation stands before it"
    return "" if way == said.sign else "went the other way"


def _after(tokens: Tokens, last: int) -> str:
    """`more` of `$5 more` or `5 more requests`."""
    word, second = next_in_clause(tokens, last), next_in_clause(tokens, last + 1)
    if word in ("was", "were", "is", "are") and second in (RISE | FALL) - _COMPARING:
        return second
    return word if word in MOVED_AFTER else ""


def _sign(word: str) -> int:
    return (word in RISE) - (word in FALL)


def _is_idle(tokens: Tokens, at: int) -> bool:
    """`up` of `makes up`, `adds up to`."""
    return low_at(tokens, at) == "up" and low_at(tokens, at - 1).startswith(("ma", "add", "end"))


def _is_negated(tokens: Tokens, at: int) -> bool:
    return any(_negates(low_at(tokens, k)) for k in range(at - 3, at))


def _negates(word: str) -> bool:
    return word in NEGATIONS or word.endswith("n't")


def _is_size(tokens: Tokens, at: int, first: int) -> bool:
    """Whether the number follows as the size: `rose by`, `rose sharply by`, `an increase of`, `fell $5`."""
    if tokens[at].low in _COMPARING:
        return False
    if at == first - 1:
        return True
    return low_at(tokens, first - 1) in _OF_CHANGE and first - at <= 4 and (
        low_at(tokens, first - 1) == "by" or at == first - 2
    )  # fmt: skip
