"""Words of a masked sentence: each a core with the punctuation around it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from agent.claims.masking import NAME, REFERENCE, UNKNOWN
from agent.claims.vocabulary import ADJECTIVES, COUNTED, QUALIFIERS

_BEFORE = "(\"'"
_AFTER = ").,;:!?\"'"
_POSSESSIVE = re.compile(r"'s$")


class Token(NamedTuple):
    """A word, a number or a sign."""

    core: str
    low: str
    before: str
    after: str

    @property
    def is_reference(self) -> bool:
        return self.core == REFERENCE

    @property
    def is_name(self) -> bool:
        return self.core in (NAME, UNKNOWN)

    @property
    def is_last_of_clause(self) -> bool:
        return any(c in ",;:.)" for c in self.after)


Tokens = Sequence[Token]


def tokens_of(sentence: str) -> tuple[Token, ...]:
    return tuple(_tokens(sentence))


def _tokens(sentence: str) -> Iterator[Token]:
    for chunk in sentence.split(" "):
        bare = chunk.lstrip(_BEFORE)
        core = bare.rstrip(_AFTER)
        if core:
            after = bare[len(core) :]
            core = _POSSESSIVE.sub("", core) if core[0] in (NAME, UNKNOWN) else core
            yield Token(core, core.lower(), chunk[: len(chunk) - len(bare)], after)


def low_at(tokens: Tokens, i: int) -> str:
    """A word in lower case; nothing beyond either end."""
    return tokens[i].low if 0 <= i < len(tokens) else ""


def next_in_clause(tokens: Tokens, i: int) -> str:
    """The word after one, unless punctuation parts them."""
    return "" if i < 0 or i >= len(tokens) or tokens[i].after else low_at(tokens, i + 1)


def counted_after(tokens: Tokens, last: int) -> tuple[str, int]:
    """What a number that ends at `last` counts, as fields name it, and where that word stands."""
    at = last
    while (word := next_in_clause(tokens, at)) and at - last < 3:
        at += 1
        if counts := counted(word):
            return counts, at
        if word not in ADJECTIVES:
            break
    return "", last


def narrowed_wrongly(words: Iterable[str], parts: AbstractSet[str]) -> str:
    """A word such as `failed` that the field with these parts of a name does not count; nothing if none."""
    for word in words:
        for part, stems in QUALIFIERS.items():
            if part not in parts and word.startswith(stems) and counted(word) not in parts:
                return word
    return ""


def unsaid_qualifier(parts: AbstractSet[str], words: Iterable[str]) -> str:
    """A part such as `failed` of a field's name that no word says; nothing if none."""
    said = list(words)
    for part, stems in QUALIFIERS.items():
        if part in parts and not any(word.startswith(stems) for word in said):
            return part
    return ""


def counted(word: str) -> str:
    """`requests` of `request` or `requests`; nothing of what cannot be counted."""
    singular = word.removesuffix("s") if word != "s" else word
    ending_in_y = f"{word[:-3]}y" if word.endswith("ies") else ""
    return COUNTED.get(word) or COUNTED.get(singular) or COUNTED.get(ending_in_y) or ""


def rate_after(tokens: Tokens, last: int) -> str:
    """`hour` where `per hour`, `an hour` or `each hour` follows; nothing where no rate does."""
    if next_in_clause(tokens, last) not in ("per", "a", "an", "each", "every"):
        return ""
    word = next_in_clause(tokens, last + 1)
    if word == "million" and next_in_clause(tokens, last + 2) in ("tokens", "token"):
        return "mtok"
    return word if low_at(tokens, last + 1) == "per" or counted(word) else ""
