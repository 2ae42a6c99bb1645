"""A page as a Slack message of any size that Slack takes; what is left out is told."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from tokensleuth.digest.page import Block as PageBlock
from tokensleuth.digest.page import (
    Bullets,
    Figure,
    Grid,
    Line,
    Name,
    Page,
    Paragraph,
    Piece,
    Section,
    Strong,
    plain_text,
)
from tokensleuth.slackapp.blocks import context, header, lines_section, table
from tokensleuth.slackapp.escaping import code, escaped, plain, prose
from tokensleuth.slackapp.limits import Block, Part, Rendered, fitted

_NAME, _LONG, _CELL = 80, 300, 60


def slack_message(page: Page, where: str) -> Rendered:
    """`where` says how to read all of it, in words of ours."""
    lead = [f"_{_line(page.subtitle)}_", *(_line(line) for line in page.lead)]
    tiles = "   ".join(f"{escaped(t.label)}: *{escaped(t.value)}* ({escaped(t.note)})" for t in page.tiles)
    head = Part([header(plain(plain_text(page.title), 140)), lines_section(lead)], "lead", 0)
    parts = [head, Part([context(tiles)], "figure", 0)]
    tabled = next((s for s in page.sections if s.title.startswith("Showback")), None)
    parts += [Part(_section(s, as_table=s is tabled), "section", s.rank) for s in page.sections]
    text = prose(" ".join(plain_text(line) for line in (page.title, *page.lead[:1])), 600)
    return Rendered(text, fitted(parts, where=context(escaped(where))))


def _section(section: Section, *, as_table: bool) -> list[Block]:
    """One table is all that a message may have; others are lines."""
    lines = [f"*{escaped(section.title)}*"]
    for block in section.blocks:
        if not (as_table and isinstance(block, Grid)):
            lines += _lines(block)
    grids = [block for block in section.blocks if isinstance(block, Grid)]
    tables = [table(_rows(grid)) for grid in grids[:1] if as_table]
    return [lines_section([line for line in lines if line]), *tables]


def _lines(block: PageBlock) -> Iterator[str]:
    match block:
        case Paragraph():
            yield (
                f"_{_line(block.line)}_" if block.quiet and not _has_marks(block.line) else _line(block.line)
            )
        case Bullets():
            yield from (f"- {_line(line)}" for line in block.lines)
        case Grid():
            yield from _grid_lines(block)
        case Figure():
            return
        case _:
            assert_never(block)


def _grid_lines(grid: Grid) -> Iterator[str]:
    """The first cell, then the others after their titles, where a cell does not speak for itself."""
    columns = grid.columns[1:]
    for row in grid.rows:
        first, *others = (_line(cell) for cell in row)
        named = [
            cell if column.speaks or len(others) == 1 else f"{escaped(_lowered(column.title))} {cell}"
            for column, cell in zip(columns, others, strict=True)
            if cell not in ("", "-")
        ]
        yield f"- {first}: {'; '.join(named)}"


def _lowered(title: str) -> str:
    """Inside a line; an abbreviation stays as it is."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def _rows(grid: Grid) -> list[Sequence[str]]:
    """All of them: a page has no more than a message takes."""
    titles = [column.title for column in grid.columns]
    return [titles, *([plain(plain_text(cell), _CELL) for cell in row] for row in grid.rows)]


def _has_marks(line: Line) -> bool:
    """Whether italics around the line would meet a mark inside it."""
    return any(not isinstance(piece, str) or "_" in piece for piece in line)


def _line(line: Line) -> str:
    return "".join(_piece(piece) for piece in line)


def _piece(piece: Piece) -> str:
    match piece:
        case Name():
            shown = piece.shown
            return code(shown, _NAME) if len(shown) <= _NAME else prose(shown, _LONG)
        case Strong(text):
            return f"*{escaped(text)}*"
        case _:
            return escaped(piece)
