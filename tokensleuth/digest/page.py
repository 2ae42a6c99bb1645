"""A page before it is rendered: sections of sentences, lists, tables, charts; names from data stay apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tokensleuth.terminal.text import printable

INVISIBLE = "(a name that cannot be seen)"


@dataclass(frozen=True, slots=True)
class Name:
    """A name or text that came from outside: shown as it is, read as markup nowhere."""

    text: str

    @property
    def shown(self) -> str:
        """On one line, without what cannot be seen; a name of nothing else says so."""
        return printable(self.text) or INVISIBLE


@dataclass(frozen=True, slots=True)
class Strong:
    """Words of ours that stand out."""

    text: str


Piece: TypeAlias = str | Name | Strong
Line: TypeAlias = tuple[Piece, ...]
ChartName = Literal["spend", "movers", "forecast"]
Tone = Literal["plain", "good", "bad"]


@dataclass(frozen=True, slots=True)
class Paragraph:
    line: Line
    quiet: bool = False
    """A note below what matters."""


@dataclass(frozen=True, slots=True)
class Bullets:
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    right: bool = False
    """Set to the right, as numbers are."""
    extra: bool = False
    """Left out where there is little room."""
    speaks: bool = False
    """Its cells are understood without the title."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table."""

    noun: str
    """What a row is, for where rows are left out."""
    columns: tuple[Column, ...]
    rows: tuple[tuple[Line, ...], ...]
    has_total: bool = False
    """Whether the last row is the sum of those above."""
    is_wordy: bool = False
    """Whether cells are sentences: on a phone they lie below each other."""


@dataclass(frozen=True, slots=True)
class Figure:
    chart: ChartName
    told: str
    """The chart in words, for who does not see it."""
    is_extra: bool = False
    """Whether the page says the same beside it: without the picture nothing need be said."""


Block: TypeAlias = Paragraph | Bullets | Grid | Figure


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    blocks: tuple[Block, ...]
    rank: int = 5
    """Where not all has room, the lowest go in first."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure at the top."""

    label: str
    value: str
    note: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Page:
    """What one audience reads of one week."""

    title: Line
    subtitle: Line
    lead: tuple[Line, ...]
    """What matters, in a few sentences."""
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]

    @property
    def charts(self) -> tuple[ChartName, ...]:
        blocks = [block for section in self.sections for block in section.blocks]
        return tuple(block.chart for block in blocks if isinstance(block, Figure))


def listed(items: Sequence[Line]) -> Line:
    """`a`, `a and b`, `a, b and c`."""
    joined: list[Piece] = []
    for i, item in enumerate(items):
        if i:
            joined.append(" and " if i == len(items) - 1 else ", ")
        joined += item
    return tuple(joined)


def plain_text(line: Line) -> str:
    """Without markup."""
    return "".join(_plain(piece) for piece in line)


def _plain(piece: Piece) -> str:
    match piece:
        case Name():
            return piece.shown
        case Strong(text):
            return text
        case _:
            return piece
