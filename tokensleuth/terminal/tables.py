"""Tables: what detection found, the incidents and the proposals of the casebook, and any rows of text."""

import re
from collections.abc import Iterable, Sequence
from typing import cast

from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from tokensleuth.terminal.proposals import consequences, measure_text
from tokensleuth.terminal.text import (
    Document,
    cause_text,
    counted,
    hours,
    instant,
    parts,
    percent,
    period,
    printable,
    scope_parts,
    target_parts,
    usd,
)
from tokensleuth.terminal.unpriced import unpriced_block

STATE_STYLES = {
    "pending": "yellow",
    "approved": "green",
    "done": "green",
    "rejected": "red",
    "failed": "red",
    "blocked": "red",
    "unknown": "red",
}
"""Other states are plain."""

_NUMBER = re.compile(r"[-+<]?\$?[\d,]*\.?\d+ ?%?|-|")


def plain_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Rows of text under a header; a column that holds only numbers is set to the right."""
    cells = [[printable(cell) for cell in row] for row in rows]
    is_number = [all(_NUMBER.fullmatch(row[i]) for row in cells) for i in range(len(header))]
    table = _table(*(f">{name}" if right else name for name, right in zip(header, is_number, strict=True)))
    for row in cells:
        _add(table, *row)
    return table


def detection_summary(document: Document) -> RenderableType:
    """The incidents `detect` found, and how much it looked at."""
    spikes, incidents = parts(document, "spikes"), parts(document, "incidents")
    found = (
        f"{counted(len(spikes), 'spike')} in {counted(len(incidents), 'incident')}" if spikes else "no spike"
    )
    series, seconds = cast(int, document["series_scored"]), cast(float, document["seconds"])
    window = period(cast(Document, document["range"]))
    looked = f"{series:,} series scored in {seconds:.1f} s, {window}: {found}."
    tables: list[RenderableType] = [_detected(incidents, spikes), Text()] if incidents else []
    return Group(*tables, Text(looked), *unpriced_block(document, spikes="spikes"))


def _detected(incidents: Sequence[Document], spikes: Sequence[Document]) -> Table:
    table = _table("!from (UTC), id", "!>excess", "!>score", "scope", leading=1)
    for incident in incidents:
        mine = [spikes[i] for i in cast(Sequence[int], incident["spikes"])]
        score = max((float(str(spike["score"])) for spike in mine), default=0.0)
        _add(
            table,
            _when(incident),
            _amount(incident, "excess_usd"),
            _lines(f"{score:.1f}", counted(len(mine), "spike")),
            _lines(*scope_parts(incident["scope"])),
        )
    return table


def incident_table(items: Sequence[Document]) -> RenderableType:
    """The incidents of the casebook: when, how much, why and how sure, who, what is proposed first."""
    if not items:
        return Text("No such incident in the casebook; `tokensleuth investigate RANGE` finds and saves them.")
    table = _table("!from (UTC), id", "!>change", "what happened, to whom, what is proposed", leading=1)
    for item in items:
        waiting = [p for p in parts(item, "proposals") if p.get("state", "pending") == "pending"]
        told = [cause_text(item).capitalize(), f"{percent(item['confidence'])} sure"]
        told += [f"{counted(len(waiting), 'proposal')} pending"] if waiting else []
        what = _lines(", ".join(told), *scope_parts(item["scope"]), *map(_brief, waiting[:1]))
        _add(table, _when(item), _amount(item, "delta_usd"), what)
    return table


def _when(incident: Document) -> Text:
    return _lines(instant(incident["start_at"]), printable(incident["id"]))


def _amount(incident: Document, name: str) -> Text:
    return _lines(usd(incident[name], signed=True), f"in {hours(incident):,} h")


def _brief(proposal: Document) -> str:
    """What is proposed, and the first that follows from it."""
    return "-> " + ", ".join([measure_text(proposal), *list(consequences(proposal))[:1]])


def proposal_table(items: Sequence[Document]) -> RenderableType:
    """The proposals of the casebook: what, on whom, for how much, until when."""
    if not items:
        return Text("No such proposal in the casebook.")
    table = _table("!id, incident", "!state, expires", "action, target", leading=1)
    for item in items:
        told = _lines(", ".join(target_parts(item["target"])), *filter(None, ["; ".join(consequences(item))]))
        _add(
            table,
            _lines(printable(item["id"]), printable(item["incident_id"])),
            _state(item),
            Text.assemble((measure_text(item), "bold"), "\n", told),
        )
    return table


def _state(proposal: Document) -> Text:
    state = printable(proposal["state"])
    expiry = f"\n{instant(proposal['expires_at'])}" if state == "pending" else ""
    return Text.assemble((state, STATE_STYLES.get(state, "")), expiry)


def _lines(*lines: str) -> Text:
    return Text("\n".join(lines))


def _table(*columns: str, leading: int = 0) -> Table:
    """A column's name starts with `!` where it is never broken and with `>` where it is set to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), leading=leading)
    table.header_style = "bold"
    for column in columns:
        name = column.lstrip(">!")
        whole, right = column.startswith("!"), column.removeprefix("!").startswith(">")
        justify: JustifyMethod = "right" if right else "left"
        table.add_column(Text(name), justify=justify, no_wrap=whole, overflow="fold")
    return table


def _add(table: Table, *cells: object) -> None:
    table.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in cells))
