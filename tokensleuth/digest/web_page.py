"""A page as one HTML file: no script, nothing loaded from elsewhere; light and dark, phone and paper."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import assert_never

from tokensleuth.digest.page import (
    Block,
    Bullets,
    ChartName,
    Column,
    Figure,
    Grid,
    Line,
    Name,
    Page,
    Paragraph,
    Piece,
    Strong,
    Tile,
    plain_text,
)

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as SVG; `narrow` is for phones, and where it is None phones are not shown the chart."""

    wide: str
    narrow: str | None = None


def web_page(page: Page, pictures: Mapping[ChartName, Picture]) -> str:
    """The whole document; charts without a picture are told in words."""
    title = escape(plain_text(page.title))
    style = files("tokensleuth.digest").joinpath("web_page.css").read_text("utf-8")
    body = "\n".join(_body(page, pictures))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{title}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _body(page: Page, pictures: Mapping[ChartName, Picture]) -> Iterator[str]:
    yield f"<header><h1>{_line(page.title)}</h1><p class=quiet>{_line(page.subtitle)}</p></header>"
    lead = "".join(f"<p>{_line(line)}</p>" for line in page.lead)
    yield f'<div class="lead">{lead}</div>'
    yield f'<dl class="tiles">{"".join(_tile(tile) for tile in page.tiles)}</dl>'
    for section in page.sections:
        blocks = "\n".join(_block(block, pictures) for block in section.blocks)
        yield f"<section><h2>{escape(section.title)}</h2>\n{blocks}</section>"


def _tile(tile: Tile) -> str:
    return (
        f'<div class="tile {tile.tone}"><dt>{escape(tile.label)}</dt>'
        f"<dd><b>{escape(tile.value)}</b><span>{escape(tile.note)}</span></dd></div>"
    )


def _block(block: Block, pictures: Mapping[ChartName, Picture]) -> str:
    match block:
        case Paragraph():
            return f"<p{' class=quiet' if block.quiet else ''}>{_line(block.line)}</p>"
        case Bullets():
            return f"<ul>{''.join(f'<li>{_line(line)}</li>' for line in block.lines)}</ul>"
        case Grid():
            return _grid(block)
        case Figure():
            return _figure(block, pictures.get(block.chart))
        case _:
            assert_never(block)


def _grid(grid: Grid) -> str:
    heads = "".join(f"<th scope=col{_class(c)}>{escape(c.title)}</th>" for c in grid.columns)
    kind = " class=stacked" if grid.is_wordy else ""
    rows = []
    for i, row in enumerate(grid.rows):
        total = " class=total" if grid.has_total and i == len(grid.rows) - 1 else ""
        cells = "".join(
            f"<td{_class(column)}{_title(column)}>{_line(cell)}</td>"
            for column, cell in zip(grid.columns, row, strict=True)
        )
        rows.append(f"<tr{total}>{cells}</tr>")
    body = "\n".join(rows)
    table = f"<table{kind}><thead><tr>{heads}</tr></thead>\n<tbody>{body}</tbody></table>"
    return f'<div class="scroll" tabindex="0">{table}</div>'


def _class(column: Column) -> str:
    names = " ".join(name for name, holds in (("num", column.right), ("extra", column.extra)) if holds)
    return f' class="{names}"' if names else ""


def _title(column: Column) -> str:
    """Before a cell where the table is stacked."""
    return "" if column.speaks else f' data-title="{escape(column.title)}"'


def _figure(figure: Figure, picture: Picture | None) -> str:
    if picture is None:
        return "" if figure.is_extra else f"<p class=quiet>{escape(figure.told)}</p>"
    narrow = ""
    if picture.narrow is not None:
        narrow = f'<source media="(max-width: 600px)" srcset="{_data(picture.narrow)}">'
    shown = "" if picture.narrow else " class=wide-only"
    image = f'<img src="{_data(picture.wide)}" alt="{escape(figure.told)}">'
    return f"<figure{shown}><picture>{narrow}{image}</picture></figure>"


def _data(svg: str) -> str:
    """As an image, in which a browser runs no script and loads nothing."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _line(line: Line) -> str:
    return "".join(_piece(piece) for piece in line)


def _piece(piece: Piece) -> str:
    match piece:
        case Name():
            return f"<bdi>{escape(piece.shown)}</bdi>"
        case Strong(text):
            return f"<strong>{_ours(text)}</strong>"
        case _:
            return _ours(piece)


def _ours(text: str) -> str:
    """Words of ours; no line ends between a number and its per cent."""
    return escape(text).replace(" %", "&nbsp;%")
