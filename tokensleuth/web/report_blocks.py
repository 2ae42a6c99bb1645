"""The report of an incident as blocks of plain text: the few forms of Markdown it has, without HTML."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.escaping import unescaped
from agent.headings import MODEL_WORDS

Kind = Literal["plain", "strong", "code", "evidence"]

SHOWN_OTHERWISE = ("Where the change comes from", "What can be done", "What was checked")
"""Sections that the page of an incident has in a form of its own."""


@dataclass(frozen=True, slots=True)
class Span:
    """Text of one kind; of evidence, its id."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or a line of a list."""

    depth: int
    """0 for a paragraph, 1 for a line of a list, 2 for one nested under it."""
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands under it; the first has none."""

    title: str
    blocks: Sequence[Block]

    @property
    def by_model(self) -> bool:
        return self.title == MODEL_WORDS


_PIECE = re.compile(
    r"(?P<escape>\\[!-/:-@\[-`{-~])|(?P<strong>\*\*)|`(?P<code>[^`]*)`|\b(?P<evidence>ev_[0-9a-f]{6,64})\b"
)
_LIST = re.compile(r"( *)(?:-|\d+\.) +(.*)")


def report_sections(report: str) -> Sequence[Section]:
    """In the order of the report, without its title and what the page has in a form of its own."""
    sections = [Section("", tuple(_blocks(part))) for part in _parts(report)[:1]]
    for part in _parts(report)[1:]:
        title, _, body = part.partition("\n")
        sections.append(Section(unescaped(title.strip()), tuple(_blocks(body))))
    return [s for s in sections if s.blocks and s.title not in SHOWN_OTHERWISE]


def _parts(report: str) -> list[str]:
    return re.split(r"^## ", report, flags=re.MULTILINE)


def _blocks(text: str) -> Iterator[Block]:
    """A line is a block: the report breaks no paragraph over lines."""
    for line in text.splitlines():
        if not line.strip() or line.startswith("# "):
            continue
        if listed := _LIST.fullmatch(line):
            yield Block(2 if listed[1] else 1, tuple(_spans(listed[2])))
        else:
            yield Block(0, tuple(_spans(line)))


def _spans(line: str) -> Iterator[Span]:
    at, strong, plain = 0, False, ""
    for piece in _PIECE.finditer(line):
        plain += line[at : piece.start()]
        at = piece.end()
        if piece["escape"]:
            plain += piece["escape"][1]
            continue
        yield from _plain(plain, strong=strong)
        plain = ""
        if piece["strong"]:
            strong = not strong
        elif piece["evidence"]:
            yield Span("evidence", piece["evidence"])
        else:
            yield Span("code", piece["code"])
    yield from _plain(plain + line[at:], strong=strong)


def _plain(text: str, *, strong: bool) -> Iterator[Span]:
    if text:
        yield Span("strong" if strong else "plain", text)
