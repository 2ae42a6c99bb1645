"""Raised thresholds and planned events as people read them, and what a threshold would keep quiet."""

from collections.abc import Sequence
from typing import cast

from rich.console import Group, RenderableType
from rich.text import Text

from tokensleuth.terminal.cells import add_row, empty_table, lines_of
from tokensleuth.terminal.tables import plain_table
from tokensleuth.terminal.text import (
    Document,
    counted,
    instant,
    parts,
    period,
    printable,
    scope_parts,
    scope_text,
    usd,
)


def tuning_table(items: Sequence[Document]) -> RenderableType:
    """Each with its end, what it means, who did it and why."""
    if not items:
        return Text("Nothing is tuned; `tokensleuth feedback` and `tokensleuth plan add` change that.")
    table = empty_table("!until (UTC), id", "!state", "what, scope, who and why", leading=1)
    for item in items:
        reason = f": {printable(item['reason'])}" if item["reason"] else ""
        by = f"{printable(item['given_by'])}, {instant(item['given_at'])} UTC{reason}"
        add_row(
            table,
            lines_of(instant(item["until_at"]), printable(item["id"])),
            printable(item["state"]).replace("_", " "),
            lines_of(_what(item), *scope_parts(item["scope"]), by),
        )
    return table


def suppressed_lines(document: Document) -> list[Text]:
    """How many incidents of a detection do not open, if any."""
    quiet = cast(Document, document["suppressed"])
    count = cast(int, quiet["count"])
    if not count:
        return []
    told = f"{counted(count, 'incident')} worth {usd(quiet['worth_usd'])} below raised thresholds"
    return [Text(f"{told}; see: tokensleuth tunings, or --json.")]


def threshold_summary(document: Document) -> RenderableType:
    """Before and after in a table, then what would be kept quiet, then how to enable it."""
    asked, lost = cast(Document, document["threshold"]), parts(document, "lost")
    head = f"{period(cast(Document, document['range']))}, {scope_text(asked['scope'])}, {bounds_text(asked)}:"
    runs = [(side, cast(Document, document[side])) for side in ("before", "after")]
    rows = [(s, r["incidents"], f"{r['incidents_per_week']:.1f}", usd(r["worth_usd"])) for s, r in runs]
    shown: list[RenderableType] = [Text(head), plain_table(("", "incidents", "a week", "worth"), rows)]
    if lost:
        quiet = [(instant(i["start_at"]), usd(i["excess_usd"]), i["score"], _where_said(i)) for i in lost]
        header = ("would be quiet, from (UTC)", "excess", "score", "scope, what people said")
        shown += [Text(), plain_table(header, quiet)]
    return Group(*shown, Text(), Text(_advice(document)))


def bounds_text(asked: Document) -> str:
    """`rises below $40.00 and below a score of 8`."""
    bounds = [f"below {usd(asked['min_usd'])}"] if asked["min_usd"] is not None else []
    bounds += [f"below a score of {asked['min_score']:g}"] if asked["min_score"] is not None else []
    return f"{'drops' if asked['direction'] == 'down' else 'rises'} {' and '.join(bounds)}"


def _what(item: Document) -> str:
    document = cast(Document, item["document"])
    if item["kind"] == "planned":
        return f"Planned: {printable(document['what'])}, {document['start']} to {document['end']}"
    return f"No alert of {bounds_text(document)}"


def _where_said(incident: Document) -> str:
    said = f"said {incident['said']}" if incident["said"] else "nothing said"
    return f"{scope_text(incident['scope'])}: {said}"


def _advice(document: Document) -> str:
    asked = cast(Document, document["threshold"])
    if document["lost_said_real"]:
        count = counted(cast(int, document["lost_said_real"]), "incident")
        return f"Do not: it would keep quiet {count} that people said to be real."
    if asked["min_usd"] is None or asked["min_score"] is not None:
        return "To enable one, give dollars alone: a score cannot be set for one scope, only in [detection]."
    where = " ".join(f"--where '{part}'" for part in scope_parts(asked["scope"]))
    down = " --direction down" if asked["direction"] == "down" else ""
    return f"Enable: tokensleuth tunings raise {where} --min-usd {asked['min_usd']}{down}"
