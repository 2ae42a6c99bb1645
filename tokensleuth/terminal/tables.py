"""Tables: what detection found, the incidents and the proposals of the casebook, and any rows of text."""

import re
from collections.abc import Iterable, Sequence
from typing import cast

from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from tokensleuth.terminal.text import (
    Document,
    cause_text,
    counted,
    hours,
    instant,
    parameter_parts,
    parts,
    percent,
    period,
    printable,
    scope_parts,
    target_parts,
    usd,
    words,
)

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
    return Group(*tables, Text(looked))


def _detected(incidents: Sequence[Document], spikes: Sequence[Document]) -> Table:
    table = _table("!from (UTC)", ">hours", "scope", ">excess", ">score", ">spikes", "!id")
    for incident in incidents:
        mine = [spikes[i] for i in cast(Sequence[int], incident["spikes"])]
        score = max((float(str(spike["score"])) for spike in mine), default=0.0)
        _add(
            table,
            instant(incident["start_at"]),
            hours(incident),
            _lines(*scope_parts(incident["scope"])),
            usd(incident["excess_usd"], signed=True),
            f"{score:.1f}",
            len(mine),
            incident["id"],
        )
    return table


def incident_table(items: Sequence[Document]) -> RenderableType:
    """The incidents of the casebook: when, how much, why and how sure, where."""
    if not items:
        return Text("No incident in the casebook; `tokensleuth investigate RANGE` finds and saves them.")
    table = _table("!from (UTC)", "!>change", "cause", "scope", "!id", leading=1)
    for item in items:
        pending = sum(proposal.get("state") == "pending" for proposal in parts(item, "proposals"))
        _add(
            table,
            _lines(instant(item["start_at"]), f"{hours(item):,} h"),
            usd(item["delta_usd"], signed=True),
            _lines(cause_text(item), f"{percent(item['confidence'])} sure"),
            _lines(*scope_parts(item["scope"])),
            _lines(printable(item["id"]), *([f"{pending} pending"] if pending else [])),
        )
    return table


def proposal_table(items: Sequence[Document]) -> RenderableType:
    """The proposals of the casebook: what, on whom, for how much, until when."""
    if not items:
        return Text("No proposal in the casebook.")
    table = _table("!id, incident", "!state, expires", "action", "target", "!>saves a day", leading=1)
    for item in items:
        _add(
            table,
            _lines(printable(item["id"]), printable(item["incident_id"])),
            _state(item),
            _lines(words(item["action"]), *_short_parameters(item)),
            _lines(*target_parts(item["target"])),
            usd(item["expected_saving_usd_per_day"]),
        )
    return table


def _state(proposal: Document) -> Text:
    state = printable(proposal["state"])
    expiry = f"\n{instant(proposal['expires_at'])}" if state == "pending" else ""
    return Text.assemble((state, STATE_STYLES.get(state, "")), expiry)


def _short_parameters(proposal: Document) -> list[str]:
    """Free text is left to the incident's card."""
    parameters = cast(Document, proposal["parameters"])
    return parameter_parts({k: v for k, v in parameters.items() if k not in ("message", "reason")})


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
