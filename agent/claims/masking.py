"""A text whose references and names are hidden behind one sign each, so that what is left is plain prose."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from agent.claims.names import Names

REFERENCE, NAME, UNKNOWN, FOREIGN = "\x02", "\x01", "\x03", "\ufffd"
"""Signs for a reference, a name of the evidence, any other name, and what no prose may hold."""

_REFERENCE = re.compile(r"\{([A-Za-z0-9_]{1,80})((?:\.[A-Za-z0-9_]{1,80}){0,3})\}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffd]")
_PLAIN = str.maketrans({
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "`": "'", "\u2013": "-", "\u2011": "-",
    "\u2010": "-", "\u2212": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u00d7": "x", "\t": " ",
})  # fmt: skip
"""Typographic quotes, dashes, spaces and the sign for times are written plainly."""
_DASH = re.compile(r" ?\u2014 ?")
_ABOUT = re.compile(r"~ ?(?=[$\d\x02])")


class Hidden(NamedTuple):
    """What a sign stands for."""

    source: str
    """As it was written."""
    name: str = ""
    """A name in lower case."""


class Masked(NamedTuple):
    """Prose with signs, and what they stand for in their order."""

    text: str
    hidden: tuple[Hidden, ...]


def mask(text: str, names: Names) -> Masked:
    """Hide references, then names; what is left is written plainly."""
    text = _CONTROL.sub(FOREIGN, text.replace("\r\n", "\n"))
    hidden: list[Hidden] = []
    written: list[str] = []
    at = 0
    for match in _REFERENCE.finditer(text):
        written.extend(_named(text[at : match.start()], names, hidden))
        written.append(REFERENCE)
        hidden.append(Hidden(match[0]))
        at = match.end()
    written.extend(_named(text[at:], names, hidden))
    return Masked(_ABOUT.sub("about ", "".join(written)), tuple(hidden))


def _named(text: str, names: Names, hidden: list[Hidden]) -> Iterator[str]:
    at = 0
    for span in names.spans_in(text):
        yield _plain(text[at : span.start])
        yield NAME if span.is_known else UNKNOWN
        hidden.append(Hidden(text[span.start : span.end], span.name))
        at = span.end
    yield _plain(text[at:])


def _plain(text: str) -> str:
    return _DASH.sub(" - ", text).translate(_PLAIN)
