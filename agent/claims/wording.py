"""Words a kept sentence does without: vague amounts, relative dates, and what no tool can see."""

import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet

from agent.claims.masking import REFERENCE
from agent.claims.tokens import Tokens, low_at, next_in_clause
from agent.claims.vocabulary import (
    ACCUSED,
    ADVICE,
    AROUND,
    CALENDAR_UNITS,
    DIGIT_WORDS,
    DONE_ACTS,
    EVIDENCE_NOUNS,
    HEDGES,
    MAY_BE_BASE,
    MOST_OF_ALL,
    PEOPLE,
    PEOPLE_ACTS,
    PEOPLE_BASES,
    RELATIVE,
    SCALES,
    UNMEASURED,
    VAGUE,
)

Rule = Callable[[Tokens, int], str]

_ROMAN = re.compile(r"(?=[ivxlcdm]{2})m{0,3}(?:cm|cd|d?c{0,3})(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})")
_DURATIONS = re.compile(r"(?:second|minute|hour|day|week|month|year)s?")
_NOT_ROMAN = frozenset({"mix", "mi", "di", "id"})
_DIGITS = "|".join(sorted({*DIGIT_WORDS, "hundred", "thousand", "million", "billion"} - {"one", "ten"}))
_GLUED = re.compile(rf"(?:{_DIGITS}|one|ten)(?:{_DIGITS}|one|ten|dollars?|percent|usd|cents|times|fold)")
_NEVER_ALONE = frozenset({*DIGIT_WORDS, "hundred", "thousand", "million", "billion", "trillion"}) - {"one"}
_PHRASES = (
    "back to normal", "rolled back", "no longer", "going to", "turned off", "shut down", "cut off",
    "went live", "so far", "as of", "right now", "at present", "per capita", "order of", "orders of",
    "signed off", "gave permission", "on purpose", "by mistake", "by accident", "turned on", "switched off",
    "switched on", "under control", "taken care", "point five", "point two", "nearly all", "almost all",
    "virtually all", "nearly every", "almost every", "nearly no", "almost no", "almost none", "nearly none",
    "practically all", "has known", "had known", "in place", "been set",
    "was set", "were set", "practically no",
)  # fmt: skip


def refused_words(tokens: Tokens, taken: AbstractSet[int]) -> str:
    """Why the words of a sentence are refused; `taken` are those that numbers and dates read."""
    lows = [token.low for token in tokens]
    line = f" {' '.join(lows)} "
    for phrase in _PHRASES:
        if f" {phrase} " in line:
            return f"`{phrase}` is nothing that evidence tells"
    people = next((low for low in lows if low in PEOPLE), "")
    if people and not any(low in ADVICE for low in lows):
        return f"`{people}`: no tool knows of people"
    is_hedged = any(low in HEDGES for low in lows)
    return next(_refusals(tokens, taken, is_hedged), "")


def _refusals(tokens: Tokens, taken: AbstractSet[int], is_hedged: bool) -> Iterator[str]:
    for i, token in enumerate(tokens):
        if i in taken or token.is_reference or token.is_name:
            continue
        if token.low in UNMEASURED and not is_hedged:
            yield f"`{token.core}` is told, and no tool measures it"
        for rule in RULES:
            if reason := rule(tokens, i):
                yield reason


def _amount(tokens: Tokens, i: int) -> str:
    """Numbers no rule has read, and vague amounts."""
    low = low_at(tokens, i)
    if any(c.isdigit() or c in "$%" for c in low):
        return f"`{tokens[i].core}` is no number, date or name of the evidence"
    parts = set(low.split("-"))
    is_fold = low.endswith("fold") and low != "unfold"
    if is_fold or parts & _NEVER_ALONE or low in SCALES or parts & VAGUE or _GLUED.match(low):
        return f"`{low}` is an amount that nothing backs"
    if low == "most" and low_at(tokens, i + 1) not in MOST_OF_ALL and low_at(tokens, i - 1) != "at":
        return "`most` is an amount that nothing backs"
    is_roman = _ROMAN.fullmatch(low) and low not in _NOT_ROMAN
    return f"`{low}` reads as a number" if is_roman else ""


def _relative_date(tokens: Tokens, i: int) -> str:
    low, following = low_at(tokens, i), low_at(tokens, i + 1)
    if _DURATIONS.fullmatch(low) and AROUND & {low_at(tokens, i - 1), *_article_before(tokens, i)}:
        return f"`{low}` is a time that nothing backs"
    if low in RELATIVE:
        return f"`{low}` is no date of the evidence"
    is_amount = following in DIGIT_WORDS or following == REFERENCE or following[:1].isdigit()
    is_near = low in ("last", "next", "past") and is_amount
    is_next = is_near or (low in ("last", "next", "this", "past") and following in CALENDAR_UNITS)
    return f"`{low} {following}` is no date of the evidence" if is_next else ""


def _article_before(tokens: Tokens, i: int) -> tuple[str, ...]:
    """The word before an article before a word."""
    return (low_at(tokens, i - 2),) if low_at(tokens, i - 1) in ("the", "a", "an") else ()


def _said_by_people(tokens: Tokens, i: int) -> str:
    low, before = low_at(tokens, i), low_at(tokens, i - 1)
    if low in PEOPLE_ACTS:
        return f"`{low}`: no tool hears what people say or decide"
    if low in PEOPLE_BASES and before not in MAY_BE_BASE | EVIDENCE_NOUNS:
        return f"`{low}`: no tool hears what people say or decide"
    return ""


def _done_or_to_come(tokens: Tokens, i: int) -> str:
    low = low_at(tokens, i)
    if low in DONE_ACTS:
        return f"`{low}`: no tool sees what was done"
    if low in ("will", "won't", "shall") or low.endswith("'ll"):
        return "tells the future"
    return f"`{low}` accuses somebody" if low in ACCUSED else ""


def _stranger(tokens: Tokens, i: int) -> str:
    """`k` of `we checked`: prose is about the evidence, not its writer."""
    low = low_at(tokens, i)
    is_writer = low in ("we", "we've", "we're", "us", "our", "ours", "you", "your", "he", "she", "his", "her")
    return f"`{low}`: nobody is spoken of" if is_writer and next_in_clause(tokens, i) != "price" else ""


RULES: tuple[Rule, ...] = (_amount, _relative_date, _said_by_people, _done_or_to_come, _stranger)
