"""Tables of text: columns, rows, cells of several lines."""

from rich import box
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from tokensleuth.terminal.text import printable


def lines_of(*lines: str) -> Text:
    return Text("\n".join(lines))


def empty_table(*columns: str, leading: int = 0) -> Table:
    """A column's name starts with `!` where it is never broken and with `>` where it is set to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), leading=leading)
    table.header_style = "bold"
    for column in columns:
        name = column.lstrip(">!")
        whole, right = column.startswith("!"), column.removeprefix("!").startswith(">")
        justify: JustifyMethod = "right" if right else "left"
        table.add_column(Text(name), justify=justify, no_wrap=whole, overflow="fold")
    return table


def add_row(table: Table, *cells: object) -> None:
    table.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in cells))
