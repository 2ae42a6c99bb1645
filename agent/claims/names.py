"""Names of the data in a text: found in linear time, whatever they are called."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from agent.claims.vocabulary import (
    ACTING,
    COUNTED,
    DIGIT_WORDS,
    DIMENSION_NOUNS,
    DONE_ACTS,
    FALL,
    MULTIPLES,
    NEGATIONS,
    ORDINARY,
    PEOPLE_ACTS,
    RELATIVE,
    RISE,
    SCALES,
    UNITS_AND_DATES,
    VAGUE,
)
from ledger.scope import Dimension

LONGEST = 160
"""Longer names are not looked for: a sentence with one drops."""

_RESERVED = frozenset().union(
    ORDINARY, ACTING, RISE, FALL, NEGATIONS, VAGUE, RELATIVE, PEOPLE_ACTS, DONE_ACTS, DIGIT_WORDS, SCALES,
    MULTIPLES, COUNTED, DIMENSION_NOUNS,
    UNITS_AND_DATES,
)  # fmt: skip
_BEFORE_DIGITS = UNITS_AND_DATES | DIGIT_WORDS.keys()
"""`nov-9` and `usd900` are no names, `team-7` is."""
_PARTS = re.compile(r"[a-z]+|\d+")
_JOINED = re.compile(r"[A-Za-z0-9_]")
_INSIDE = re.compile(r"[A-Za-z0-9_\-./:@+][A-Za-z0-9_]")
_NOUN_BEFORE = re.compile(r"([A-Za-z]{2,10})[ ]{1,2}['\"`]?$")
_NOUN_AFTER = re.compile(r"['\"`]?[ ]{1,2}([A-Za-z]{2,10})(?![A-Za-z])")


class NameSpan(NamedTuple):
    """A name where it stands."""

    start: int
    end: int
    name: str
    """As the data has it, in lower case."""
    is_known: bool


@dataclass(frozen=True, slots=True)
class Names:
    """Names of the evidence by what they are names of, and all others of the ledger."""

    known: Mapping[str, frozenset[Dimension]]
    """Exact names with their dimensions; tools and causes are not here."""
    unknown: frozenset[str]
    by_lower: Mapping[str, frozenset[Dimension]]
    unknown_lower: frozenset[str]
    lengths: tuple[int, ...]
    """Of all names, longest first."""

    def spans_in(self, text: str) -> Iterator[NameSpan]:
        """The longest name at each place, left to right."""
        low, at, n = lowered(text), 0, len(text)
        while at < n:
            found = self._at(text, low, at) if _starts(text, at) else None
            if found:
                yield found
            at = found.end if found else at + 1

    def _at(self, text: str, low: str, at: int) -> NameSpan | None:
        for length in self.lengths:
            end = at + length
            if end > len(text) or _goes_on(text, end):
                continue
            name = low[at:end]
            if name not in self.by_lower and name not in self.unknown_lower:
                continue
            noun = _noun_beside(text, at, end)
            is_known = self._is_known(text[at:end], name)
            if is_plain(name) or noun in (self.by_lower.get(name, ()) if is_known else _DIMENSIONS):
                return NameSpan(at, end, name, is_known)
        return None

    def _is_known(self, exact: str, name: str) -> bool:
        return exact in self.known or (exact not in self.unknown and name in self.by_lower)


_DIMENSIONS = frozenset(DIMENSION_NOUNS.values())


def index_names(known: Mapping[str, frozenset[Dimension]], others: Iterable[str]) -> Names:
    """Names for looking up; those that are too short or too long to tell are left out."""
    kept = {n: d for n, d in known.items() if n.strip() and len(n) <= LONGEST}
    unknown = frozenset(n for n in others if n.strip() and len(n) <= LONGEST) - kept.keys()
    by_lower: dict[str, frozenset[Dimension]] = {}
    for name, dimensions in kept.items():
        by_lower[lowered(name)] = by_lower.get(lowered(name), frozenset()) | dimensions
    lengths = sorted({len(n) for n in (*kept, *unknown)}, reverse=True)
    return Names(kept, unknown, by_lower, frozenset(map(lowered, unknown)), tuple(lengths))


def is_plain(name: str) -> bool:
    """Whether a name can be told from prose; `$900`, `2x` or `monday` only beside its noun."""
    parts = _PARTS.findall(name)
    if not any(part.isalpha() for part in parts) and name.isascii():
        return False
    if " " in name:
        return not any(part in _RESERVED or part.isdigit() for part in parts)
    if not all(part in _RESERVED or part.isdigit() for part in parts) or not parts:
        return True
    return name[0].isalpha() and any(p.isdigit() for p in parts) and parts[0] not in _BEFORE_DIGITS


def lowered(text: str) -> str:
    """Lower case, of the same length."""
    return "".join(low if len(low := c.lower()) == 1 else c for c in text)


def _starts(text: str, at: int) -> bool:
    """Whether a name may start here: not inside a word, a number or another identifier."""
    if text[at].isspace():
        return False
    before = text[at - 1] if at else " "
    if before.isalnum() or before in "_$%@#\\":
        return False
    return not (before in "-./:+" and at > 1 and _JOINED.match(text[at - 2]) is not None)


def _goes_on(text: str, end: int) -> bool:
    """Whether what stands here belongs to a longer word."""
    after = text[end : end + 2]
    if not after or not (text[end - 1].isalnum() or text[end - 1] in "_-./"):
        return bool(after) and after[0].isalnum()
    return after[0].isalnum() or after[0] in "_%$@#" or _INSIDE.match(after) is not None


def _noun_beside(text: str, start: int, end: int) -> Dimension | None:
    before = _NOUN_BEFORE.search(text, max(0, start - 14), start)
    after = _NOUN_AFTER.match(text, end)
    for found in (before, after):
        if found and (noun := DIMENSION_NOUNS.get(found[1].lower())):
            return noun
    return None
