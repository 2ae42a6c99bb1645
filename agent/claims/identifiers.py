"""Words that look like names: each has to be a name of the evidence or a known word."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from agent.claims.known import Known
from agent.claims.names import lowered
from agent.claims.sentences import ABBREVIATIONS
from agent.claims.tokens import Token, Tokens, next_in_clause
from agent.claims.vocabulary import (
    ACRONYMS,
    ACTING,
    ADJECTIVES,
    COMPOUND,
    FALL,
    LEADING_TO_A_NAME,
    MULTIPLES,
    NAMING_NOUNS,
    ORDINARY,
    RISE,
    SLASHED,
    UNMEASURED,
)

_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]{1,2})?")
_MODEST = ORDINARY | ADJECTIVES | RISE | FALL | NAMING_NOUNS | UNMEASURED | frozenset(MULTIPLES)
_COMMON = re.compile(r"(?:ly|ing|ed|tion|sion|ment|ness|ity|ance|ence|ure|age|[^aious]s|less|ful|ous|al)$")
_QUOTES = "'\""


def refused_names(tokens: Tokens, taken: AbstractSet[int], known: Known) -> str:
    """Why a word cannot stand: it looks like a name and is none of the evidence; nothing where all may."""
    return next(_refusals(tokens, taken, known), "")


def _refusals(tokens: Tokens, taken: AbstractSet[int], known: Known) -> Iterator[str]:
    is_quoted = False
    for i, token in enumerate(tokens):
        is_free = i in taken or token.is_reference or token.is_name
        is_quoted = is_quoted or any(c in _QUOTES for c in token.before)
        if not is_free:
            reason = _odd(token, known) or (_quoted(token, known) if is_quoted else "")
            reason = reason or _capital(token, i) or _beside_noun(tokens, i, taken, known)
            reason = reason or _bare(tokens, i, known)
            if reason:
                yield f"`{token.core}` {reason}"
        is_quoted = is_quoted and not any(c in _QUOTES for c in token.after)


def _odd(token: Token, known: Known) -> str:
    """Underscores, hyphens, dots and slashes inside a word."""
    core, low = token.core, token.low
    if _WORD.fullmatch(core) or core in known.identifiers or low in SLASHED or core == "-":
        return ""
    if low in ABBREVIATIONS or f"{low}" in ("e.g", "i.e"):
        return ""
    parts = low.split("-")
    if len(parts) > 1 and all(part in COMPOUND or part in ORDINARY for part in parts):
        return ""
    return "looks like a name and is in no evidence"


def _quoted(token: Token, known: Known) -> str:
    return "" if token.core in known.identifiers else "is quoted and is no name of the evidence"


def _capital(token: Token, i: int) -> str:
    core = token.core
    if not core[:1].isupper() or core in ACRONYMS:
        return "" if core[:1].isupper() or core.islower() or not core.isalpha() else "is in odd letters"
    if i > 0:
        return "has a capital letter and is no name of the evidence"
    is_plain = core[1:].islower() or len(core) == 1
    starts = token.low in _MODEST or token.low.endswith("ly") or token.low.split("-")[0] in _MODEST
    return "" if is_plain and starts else "starts the sentence and is no known word"


def _beside_noun(tokens: Tokens, i: int, taken: AbstractSet[int], known: Known) -> str:
    """A word beside `team`, or before `spent`, is a name unless it is an ordinary word."""
    low = tokens[i].low
    before = tokens[i - 1] if i and not tokens[i - 1].after else None
    after = next_in_clause(tokens, i)
    behind_noun = before is not None and i - 1 not in taken and before.low in NAMING_NOUNS
    if not (behind_noun or after in NAMING_NOUNS or after in ACTING):
        return ""
    if low in known.names.unknown_lower and lowered(low) not in known.names.by_lower and not _is_grammar(low):
        return "stands where a name does and is in no evidence"
    is_modest = low in _MODEST or low.endswith("ly") or all(p in COMPOUND for p in low.split("-"))
    return "" if is_modest or low in known.identifiers else "stands where a name does and is in no evidence"


def _bare(tokens: Tokens, i: int, known: Known) -> str:
    """A word right behind `by` or `in`, without an article, is a name unless its form or a list tells."""
    low = tokens[i].low
    if i == 0 or tokens[i - 1].after or tokens[i - 1].low not in LEADING_TO_A_NAME or "-" in low:
        return ""
    is_modest = low in _MODEST or low in known.identifiers or _COMMON.search(low) is not None
    return "" if is_modest or tokens[i - 1].low == "to" else "stands where a name does and is in no evidence"


def _is_grammar(low: str) -> bool:
    return low in ("the", "a", "an", "of", "in", "to", "and", "is", "was", "by", "for", "that", "this")
