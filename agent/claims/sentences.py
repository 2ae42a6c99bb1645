"""Sentences of masked prose; references and names are one sign each, so no dot of theirs is seen here."""

import re
from collections.abc import Iterator

from agent.claims.masking import NAME, REFERENCE, UNKNOWN, Hidden, Masked

_SIGNS = re.compile(f"[{NAME}{REFERENCE}{UNKNOWN}]")
_BREAK = re.compile(r"\n[ ]{0,8}\n\s{0,80}|\n(?=[ ]{0,8}[-*+\u2022][ ])|\n(?=[ ]{0,8}#)")
_BULLET = re.compile(r"^[-*+\u2022] +")
_END = re.compile(rf"[.!?]['\")]{{0,2}} (?=[\"'(]?[A-Z$\d{NAME}{REFERENCE}{UNKNOWN}])")
_SPACES = re.compile(r"\s+")
ABBREVIATIONS = frozenset({
    "e.g", "i.e", "etc", "vs", "cf", "approx", "no", "nos", "resp", "incl", "inc", "mr", "mrs", "ms", "dr",
    "st", "u.s", "a.m", "p.m", "fig", "sec", "est", "avg", "jan", "feb", "mar", "apr", "jun", "jul", "aug",
    "sep", "sept", "oct", "nov", "dec", "mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat",
})  # fmt: skip


def split(masked: Masked) -> Iterator[Masked]:
    """Each sentence with what its own signs stand for; bullets and line breaks are taken away."""
    at = 0
    for sentence in _sentences(masked.text):
        signs = len(_SIGNS.findall(sentence))
        yield Masked(sentence, masked.hidden[at : at + signs])
        at += signs


def unmasked(sentence: Masked) -> str:
    """As it was written."""
    hidden = iter(sentence.hidden)
    return _SIGNS.sub(lambda _: next(hidden, Hidden("")).source, sentence.text)


def _sentences(text: str) -> Iterator[str]:
    for block in _BREAK.split(text):
        line = _BULLET.sub("", _SPACES.sub(" ", block).strip(), count=1) if block.strip() else ""
        yield from (part for part in _parts(line) if part)


def _parts(line: str) -> Iterator[str]:
    start = 0
    for match in _END.finditer(line):
        last = line[max(start, match.start() - 12) : match.start()].rpartition(" ")[2].lower().lstrip("(\"'")
        if match[0][0] == "." and last in ABBREVIATIONS:
            continue
        yield line[start : match.end()].strip()
        start = match.end()
    yield line[start:].strip()
