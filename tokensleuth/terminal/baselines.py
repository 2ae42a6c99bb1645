"""Accepted levels: what one means, and the list of them."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from tokensleuth.terminal.cells import add_row, empty_table, lines_of
from tokensleuth.terminal.text import Document, instant, printable, scope_parts, scope_text, usd


def baseline_text(document: Document) -> RenderableType:
    """What was accepted or undone, in dollars a day, and from when detection goes by it."""
    scope = scope_text(document["scope"])
    change = f"{usd(document['level_usd_per_day'])} a day instead of {usd(document['usual_usd_per_day'])}"
    since = f"from {instant(document['from_at'])} UTC on"
    if document["state"] == "undone":
        return Text(f"{scope}: {change} {since} is no longer taken as normal.")
    return Text(
        f"{scope}: {change} is normal {since}.\n"
        f"Ranges that start at {instant(document['acts_from'])} UTC or later are judged by it; "
        "earlier ones as before."
    )


def baseline_line(item: Document) -> str:
    """What an accepted level means for the range that was looked at."""
    told = f"{scope_text(item['scope'])}: the level from {instant(item['from_at'])} UTC on is accepted"
    if item["acts"]:
        return f"{told}."
    return f"{told}; it acts on ranges that start at {instant(item['acts_from'])} UTC or later."


def baseline_table(items: Sequence[Document]) -> RenderableType:
    """Every baseline with its state, who decided and why."""
    if not items:
        return Text("No baseline was accepted; `tokensleuth accept-baseline SCOPE` accepts one.")
    table = empty_table("!from (UTC), id", "!>a day, was", "!state", "scope, who decided and why", leading=1)
    for item in items:
        add_row(table, *_cells(item))
    return table


def _cells(item: Document) -> Sequence[object]:
    reason = f": {printable(item['reason'])}" if item["reason"] else ""
    return (
        lines_of(instant(item["from_at"]), printable(item["id"])),
        lines_of(usd(item["level_usd_per_day"]), usd(item["usual_usd_per_day"])),
        item["state"],
        lines_of(
            *scope_parts(item["scope"]),
            f"{printable(item['decided_by'])}, {instant(item['decided_at'])} UTC{reason}",
        ),
    )
