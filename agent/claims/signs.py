"""Signs that no kept sentence has: other scripts, markup, links, and what reads as anything but prose."""

import re

from agent.claims.masking import NAME, REFERENCE, UNKNOWN

_FOREIGN = re.compile(rf"[^A-Za-z0-9 .,;:'\"()!+\-/%$&_{NAME}{REFERENCE}{UNKNOWN}]")
_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"://|\bwww\.|\bmailto:", re.IGNORECASE), "holds a link"),
    (re.compile(r"&[A-Za-z#]|&$"), "holds an entity"),
    (re.compile(r"\.\.|--|[!,;:]{2}|\$\$|%%"), "holds signs in a row"),
    (re.compile(r"^\d{1,9}[.)](?: |$)|^[-+](?:[ +-]|$)"), "starts as a list does"),
    (re.compile(r"[A-Za-z]/ | /[A-Za-z]|(?<![\w])/"), "holds a path"),
)
FEWEST = 3
_LETTER = re.compile(rf"[A-Za-z{NAME}{REFERENCE}]")


def refused_signs(sentence: str) -> str:
    """What in a masked sentence no prose may hold; nothing where all is plain."""
    if UNKNOWN in sentence:
        return "names something of the ledger that is in no evidence"
    if match := _FOREIGN.search(sentence):
        return f"holds {_told(match[0])}"
    for pattern, reason in _MARKUP:
        if pattern.search(sentence):
            return reason
    is_sentence = _LETTER.search(sentence) and sentence.count(" ") >= FEWEST - 1
    return "" if is_sentence else f"is no sentence of {FEWEST} words"


def _told(sign: str) -> str:
    if sign == "?":
        return "a question"
    return (
        f"`{sign}`"
        if sign.isascii() and sign.isprintable()
        else f"U+{ord(sign):04X}, which is not plain text"
    )
