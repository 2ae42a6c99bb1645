"""A page as Markdown: what GitHub, GitLab and editors show alike."""

from collections.abc import Iterator
from typing import assert_never

from agent.escaping import escaped
from tokensleuth.digest.page import (
    Block,
    Bullets,
    ChartName,
    Figure,
    Grid,
    Line,
    Name,
    Page,
    Paragraph,
    Strong,
)


def markdown(page: Page, charts: dict[ChartName, str] | None = None) -> str:
    """`charts` says where the pictures lie; those that are not there are told in words."""
    lines = [f"# {_line(page.title)}", "", _line(page.subtitle), ""]
    for sentence in page.lead:
        lines += [_line(sentence), ""]
    lines += [f"- {tile.label}: **{tile.value}** ({tile.note})" for tile in page.tiles]
    for section in page.sections:
        lines += ["", f"## {section.title}"]
        for block in section.blocks:
            if told := list(_block(block, charts or {})):
                lines += ["", *told]
    return "\n".join(lines) + "\n"


def _block(block: Block, charts: dict[ChartName, str]) -> Iterator[str]:
    match block:
        case Paragraph():
            yield _line(block.line)
        case Bullets():
            yield from (f"- {_line(line)}" for line in block.lines)
        case Grid():
            yield from _grid(block)
        case Figure():
            yield from _figure(block, charts.get(block.chart))
        case _:
            assert_never(block)


def _figure(figure: Figure, path: str | None) -> Iterator[str]:
    if path:
        yield f"![{escaped(figure.told)}]({path})"
    elif not figure.is_extra:
        yield escaped(figure.told)


def _grid(grid: Grid) -> Iterator[str]:
    yield f"| {' | '.join(column.title for column in grid.columns)} |"
    yield f"|{'|'.join('--:' if column.right else '---' for column in grid.columns)}|"
    for i, row in enumerate(grid.rows):
        cells = [_line(cell) for cell in row]
        total = grid.has_total and i == len(grid.rows) - 1
        yield f"| {' | '.join(f'**{cell}**' if total else cell for cell in cells)} |"


def _line(line: Line) -> str:
    return "".join(_piece(piece) for piece in line)


def _piece(piece: str | Name | Strong) -> str:
    match piece:
        case Name():
            return escaped(piece.shown)
        case Strong(text):
            return f"**{text}**"
        case _:
            return piece
