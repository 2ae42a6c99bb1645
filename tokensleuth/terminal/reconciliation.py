"""A reconciliation and the completeness of sources as tables."""

from collections.abc import Iterator
from typing import cast

from rich.console import Group, RenderableType
from rich.text import Text

from tokensleuth.terminal.cells import add_row, empty_table, lines_of
from tokensleuth.terminal.text import (
    NOTHING,
    Document,
    counted,
    instant,
    parts,
    percent,
    period,
    printable,
    scope_parts,
    usd,
    words,
)

MOST_LINES = 10
"""Of what is told beside the differences; all of it is in the JSON."""


def reconciliation_block(document: Document) -> RenderableType:
    """The differences with their reasons, both totals, and what was left out."""
    findings = parts(document, "findings")
    sections = [_findings(document)] if findings else [Text(_nothing(document))]
    told = [*_totals(document), *_overrides(document), *_aside(document), *_waiting(document)]
    return Group(*sections, *told)


def completeness_table(document: Document) -> RenderableType:
    """One source a line, and until when detection may score."""
    sources = parts(document, "sources")
    if not sources:
        return Text("Nothing was pulled or loaded yet.")
    table = empty_table("source", "!complete until (UTC)", "!last usage (UTC)", "how it stands")
    for source in sources:
        reached = source["complete_until"]
        heard = source["last_hour"]
        add_row(
            table,
            lines_of(printable(source["source"]), words(source["standing"])),
            NOTHING if reached is None else instant(reached),
            NOTHING if heard is None else instant(heard),
            str(source["text"]),
        )
    until = document["complete_until"]
    table.caption = (
        f"detection scores hours before {instant(until)} UTC" if until else "detection waits for nothing"
    )
    table.caption_justify = "left"
    return table


def _findings(document: Document) -> RenderableType:
    table = empty_table("!from, id", "!>billed", "!>ledger", "!>difference", "who, why", leading=1)
    for found in parts(document, "findings"):
        sure = f"{words(found['reason']).capitalize()}, {percent(found['confidence'])} sure"
        add_row(
            table,
            lines_of(f"{instant(found['start_at'])[:10]}, {found['days']} d", printable(found["id"])),
            usd(found["billed_usd"]),
            usd(found["ledger_usd"]),
            usd(found["difference_usd"], signed=True),
            lines_of(*scope_parts(found["scope"]), sure, printable(found["why"])),
        )
    return table


def _nothing(document: Document) -> str:
    days = parts(document, "days")
    if not days:
        return f"No day of {period(cast(Document, document['range']))} can be held against a bill."
    return "The ledger agrees with the bill on every day and model that could be compared."


def _totals(document: Document) -> Iterator[Text]:
    for total in parts(document, "totals"):
        told = f"{usd(total['ledger_usd'])} counted, {usd(total['billed_usd'])} billed"
        yield Text(f"{printable(total['provider'])}: {told} on the days compared.")


def _overrides(document: Document) -> Iterator[Text]:
    for found in parts(document, "findings"):
        if found["price_overrides"] is not None:
            yield Text(f"\nFor the settings, after {printable(found['id'])}:", style="bold")
            yield from (Text(printable(line)) for line in str(found["price_overrides"]).splitlines())


def _aside(document: Document) -> Iterator[Text]:
    for name, told in (("not_token_usage", "no token usage"), ("unmapped", "cannot be mapped")):
        lines = parts(document, name)
        if lines:
            yield Text(f"\n{counted(len(lines), 'line')} of the bill: {told}", style="bold")
        for line in lines[:MOST_LINES]:
            what = f"{line['day']} {printable(line['provider'])}: {printable(line['line_item'])}"
            why = f" ({printable(line['why'])})" if line["why"] != line["line_item"] else ""
            yield Text(f"{what}, {usd(line['billed_usd'])}{why}")
        if len(lines) > MOST_LINES:
            yield Text(f"and {len(lines) - MOST_LINES} more; --json has all", style="dim")


def _waiting(document: Document) -> Iterator[Text]:
    waiting = parts(document, "waiting")
    if waiting:
        yield Text(f"\n{counted(len(waiting), 'day')} not compared yet", style="bold")
    for each in waiting[:MOST_LINES]:
        yield Text(f"{each['day']} {printable(each['provider'])}: {printable(each['why'])}")
    if len(waiting) > MOST_LINES:
        yield Text(f"and {len(waiting) - MOST_LINES} more; --json has all", style="dim")
