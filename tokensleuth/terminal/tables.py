"""Tables: what detection found, the incidents and the proposals of the casebook, and any rows of text."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import cast

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tokensleuth.terminal.baselines import baseline_line
from tokensleuth.terminal.cells import add_row, empty_table, lines_of
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
    table = empty_table(
        *(f">{name}" if right else name for name, right in zip(header, is_number, strict=True))
    )
    for row in cells:
        add_row(table, *row)
    return table


def detection_summary(document: Document, *, everything: bool = True) -> RenderableType:
    """The incidents `detect` found, minor ones only with `everything`, and how much it looked at."""
    spikes, incidents = parts(document, "spikes"), parts(document, "incidents")
    found = (
        f"{counted(len(spikes), 'spike')} in {counted(len(incidents), 'incident')}" if spikes else "no spike"
    )
    series, seconds = cast(int, document["series_scored"]), cast(float, document["seconds"])
    window = period(cast(Document, document["range"]))
    looked = f"{series:,} series scored in {seconds:.1f} s, {window}: {found}."
    tables: list[RenderableType] = []
    shown = [incident for incident in incidents if everything or incident.get("material", True)]
    if shown:
        tables = [detected_table([_with_strength(incident, spikes) for incident in shown]), Text()]
    if minor := [incident for incident in incidents if incident not in shown]:
        tables.append(minor_line(minor, document["material_usd"], "excess_usd"))
    baselines = (
        Text(baseline_line(item)) for item in cast(Sequence[Document], document.get("baselines", ()))
    )
    return Group(*tables, Text(looked), *baselines, *unpriced_block(document, spikes="spikes"))


def minor_line(minor: Sequence[Document], least_usd: object, amount: str) -> Text:
    """What is left out of a list for being small."""
    worth = sum(abs(Decimal(str(incident[amount]))) for incident in minor)
    told = f"{counted(len(minor), 'minor incident')}, each under {usd(least_usd)}, {usd(worth)} in all"
    return Text(f"{told}; --all shows them.")


def _with_strength(incident: Document, spikes: Sequence[Document]) -> Document:
    mine = [spikes[i] for i in cast(Sequence[int], incident["spikes"])]
    score = max((float(str(spike["score"])) for spike in mine), default=0.0)
    return {**incident, "score": score, "spike_count": len(mine)}


def detected_table(incidents: Iterable[Document], *, judged: bool = False) -> Table:
    """What was found but not explained yet; `judged` tells which ones the labels call false alarms."""
    columns = ("!from (UTC), id", "!>excess", "!>score", "scope", *(("!by labels",) if judged else ()))
    table = empty_table(*columns, leading=1)
    for incident in incidents:
        spikes = counted(cast(int, incident["spike_count"]), "spike")
        verdict = "false alarm" if incident.get("false_alarm") else "labelled"
        add_row(
            table,
            _when(incident),
            _amount(incident, "excess_usd"),
            lines_of(f"{cast(float, incident['score']):.1f}", spikes),
            lines_of(*scope_parts(incident["scope"])),
            *([verdict] if judged else []),
        )
    return table


def incident_table(items: Sequence[Document]) -> RenderableType:
    """The incidents of the casebook: when, how much, why and how sure, who, what is proposed first."""
    if not items:
        return Text("No such incident in the casebook; `tokensleuth investigate RANGE` finds and saves them.")
    table = empty_table("!from (UTC), id", "!>change", "what happened, to whom, what is proposed", leading=1)
    for item in items:
        waiting = [p for p in parts(item, "proposals") if p.get("state", "pending") == "pending"]
        told = [cause_text(item).capitalize(), f"{percent(item['confidence'])} sure"]
        told += [f"{counted(len(waiting), 'proposal')} pending"] if waiting else []
        what = lines_of(", ".join(told), *scope_parts(item["scope"]), *map(_brief, waiting[:1]))
        add_row(table, _when(item), _amount(item, "delta_usd"), what)
    return table


def _when(incident: Document) -> Text:
    return lines_of(instant(incident["start_at"]), printable(incident["id"]))


def _amount(incident: Document, name: str) -> Text:
    return lines_of(usd(incident[name], signed=True), f"in {hours(incident):,} h")


def _brief(proposal: Document) -> str:
    """What is proposed, and the first that follows from it."""
    return "-> " + ", ".join([measure_text(proposal), *list(consequences(proposal))[:1]])


def proposal_table(items: Sequence[Document]) -> RenderableType:
    """The proposals of the casebook: what, on whom, for how much, until when."""
    if not items:
        return Text("No such proposal in the casebook.")
    table = empty_table("!id, incident", "!state, expires", "action, target", leading=1)
    for item in items:
        told = lines_of(
            ", ".join(target_parts(item["target"])), *filter(None, ["; ".join(consequences(item))])
        )
        add_row(
            table,
            lines_of(printable(item["id"]), printable(item["incident_id"])),
            _state(item),
            Text.assemble((measure_text(item), "bold"), "\n", told),
        )
    return table


def _state(proposal: Document) -> Text:
    state = printable(proposal["state"])
    expiry = f"\n{instant(proposal['expires_at'])}" if state == "pending" else ""
    return Text.assemble((state, STATE_STYLES.get(state, "")), expiry)
