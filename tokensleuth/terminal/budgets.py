"""Forecasts of the month's end and how budgets stand, as tables."""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from rich.console import RenderableType
from rich.text import Text

from tokensleuth.terminal.cells import add_row, empty_table, lines_of
from tokensleuth.terminal.text import (
    Document,
    counted,
    instant,
    parts,
    percent,
    printable,
    scope_text,
    usd,
    words,
)


def forecast_table(document: Document) -> RenderableType:
    """One scope a line; what an interval means stands below."""
    items = parts(document, "items")
    if not items:
        return Text("No usage to forecast from.")
    month = f"{datetime.fromisoformat(str(cast(Document, items[0]['month'])['start_at'])):%B %Y}"
    table = empty_table("scope", "!>spent so far", f"!>all of {month}", "!>80 % interval", "learnt from")
    for item in items:
        cells = (scope_text(item["scope"]), usd(item["spent_usd"]), usd(item["forecast_usd"]))
        add_row(table, *cells, _interval(item), _basis(item))
    table.caption = f"as of {instant(document['at'])} UTC; one month in ten ends below, one above"
    table.caption_justify = "left"
    return table


def budgets_table(document: Document) -> RenderableType:
    """One budget a line, with what is told of it."""
    items = parts(document, "items")
    if not items:
        return Text("No budget is set; write [[budget]] tables with name, where and usd into the settings.")
    table = empty_table("budget", "!>usd", "!>spent", "!>month end", "crosses on (UTC)", "told", leading=1)
    for item in items:
        add_row(
            table,
            lines_of(printable(item["name"]), _globs(item)),
            usd(item["usd"]),
            lines_of(usd(item["spent_usd"]), percent(item["share"])),
            lines_of(usd(item["forecast_usd"]), _interval(item), _basis(item)),
            lines_of(*_crossing(item)),
            lines_of(*(words(alert["kind"]) for alert in parts(item, "alerts"))),
        )
    table.caption = f"as of {instant(document['at'])} UTC; months and days are UTC"
    table.caption_justify = "left"
    return table


def _interval(item: Document) -> str:
    if item["low_usd"] is None:
        return "not known yet"
    return f"{usd(item['low_usd'])} to {usd(item['high_usd'])}"


def _basis(item: Document) -> str:
    days = counted(cast(int, item["days_known"]), "day")
    note = {"young": f"{days}: young, so wide", "unknown": "not a whole day yet"}.get(
        str(item["basis"]), days
    )
    unpriced = cast(int, item["unpriced_tokens"])
    return f"{note}; without {counted(unpriced, 'unpriced token')}" if unpriced else note


def _globs(item: Document) -> str:
    where = cast(Mapping[str, str], item["where"])
    return ", ".join(f"{printable(name)}={printable(glob)}" for name, glob in where.items()) or "all spend"


def _crossing(item: Document) -> list[str]:
    crossing = cast("Document | None", item["crosses_on"])
    if crossing is None:
        return ["is crossed"]
    if item["forecast_usd"] is None:
        return ["not known yet"]
    if crossing["earliest"] is None:
        return ["not this month"]
    first, last = str(crossing["earliest"]), str(crossing["latest"] or "not this month")
    return [str(crossing["likely"] or "likely not"), f"{first} to {last}" if first != last else ""]
