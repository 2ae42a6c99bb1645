"""One incident as a card: what it cost, why, how sure, who, and what can be done about it."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import cast

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agent.escaping import unescaped
from agent.headings import CULPRITS, MODEL_WORDS, SETTLING
from agent.waterfall import waterfall
from tokensleuth.terminal.proposals import proposal_lines
from tokensleuth.terminal.text import (
    Document,
    cause_text,
    counted,
    instant,
    parts,
    percent,
    period,
    printable,
    printable_lines,
    scope_text,
    usd,
    words,
)
from tokensleuth.terminal.waterfall import WaterfallBars

LEAST_SHOWN = 0.01
"""Alternatives less likely than this are left to the report."""
MOST_REASONS = 3
_EVIDENCE = re.compile(r" \([^()]*\bev_\w+\)$")
_VERDICT_STYLES = {"confirmed": "bold red", "benign": "green", "inconclusive": "yellow"}


def incident_card(incident: Document, *, series: RenderableType | None = None) -> Panel:
    """The contract's incident for people; `series` is shown under the headline."""
    sections = [
        _headline(incident),
        *([series] if series else []),
        *_model_words(incident),
        *_effects(incident),
        *_culprits(incident),
        *_reasons(incident),
        *_changes(incident),
        *_proposals(incident),
        *_warnings(incident),
    ]
    spaced = [part for section in sections for part in (Text(), section)][1:]
    title = Text(f"{cause_text(incident).capitalize()}{_more(incident)}", style="bold")
    return Panel(
        Group(*spaced),
        title=title,
        title_align="left",
        subtitle=Text(printable(incident["id"]), style="dim"),
        subtitle_align="right",
        box=box.ROUNDED,
        padding=(1, 2),
    )


def _more(incident: Document) -> str:
    """How many causes there are beside the one in the title."""
    others = len(parts(incident, "culprits")) - 1
    return f" and {others} more" if others > 0 else ""


def _headline(incident: Document) -> Text:
    verdict = printable(incident["verdict"])
    change = Decimal(str(incident["delta_usd"]))
    amount = Text(usd(incident["delta_usd"], signed=True), style="bold red" if change > 0 else "bold green")
    spent = (
        f" against expectation: {usd(incident['actual_usd'])} instead of {usd(incident['expected_usd'])}\n"
    )
    return Text.assemble(
        (f"{scope_text(incident['scope'])}\n", "bold"),
        *([f"{told}\n"] if (told := what_happened(incident)) else []),
        amount,
        spent,
        f"{period(incident)}\n",
        (words(verdict), _VERDICT_STYLES.get(verdict, "")),
        f", confidence {percent(incident['confidence'])}, {printable(incident['analyst'])} analyst",
        _alternatives(incident),
        *((f"\n{line}", "dim") for line in what_settles(incident)),
    )


def what_happened(incident: Document) -> str:
    """The sentence of the report that tells it without a number; it follows the amounts, which are bold."""
    lines = printable_lines(incident["report"])
    headline = next((line for line in lines if line.startswith("**")), "")
    return headline.rpartition(".** ")[2] if ".** " in headline else ""


def what_settles(incident: Document) -> list[str]:
    """The lines of the report that say what would settle a close call."""
    lines = (line.removeprefix("- ") for line in printable_lines(incident["report"]))
    return [line for line in lines if line.startswith(SETTLING)]


def _model_words(incident: Document) -> Iterator[RenderableType]:
    """What the model wrote, as far as evidence backs it."""
    _, _, rest = str(incident["report"]).partition(f"## {MODEL_WORDS}\n\n")
    section = rest.partition("\n## ")[0]
    lines = [unescaped(line) for line in printable_lines(section) if line]
    if lines:
        cost = cast(Document, incident["cost"])
        note = f"{printable(incident.get('model'))}, {counted(cast(int, cost['llm_calls']), 'call')}"
        yield _section(MODEL_WORDS, Text("\n".join(lines)), note=note)


def _alternatives(incident: Document) -> str:
    likely = [a for a in parts(incident, "alternatives") if cast(float, a["confidence"]) >= LEAST_SHOWN]
    named = [f"{words(a['cause'])} {percent(a['confidence'])}" for a in likely]
    return f"\nless likely: {', '.join(named)}" if named else ""


def _effects(incident: Document) -> Iterator[RenderableType]:
    """The waterfall from the expected to the actual cost; nothing where every effect is zero."""
    effects = {printable(e["name"]): Decimal(str(e["usd"])) for e in parts(incident, "effects")}
    if not any(effects.values()):
        return
    expected, actual = (Decimal(str(incident[name])) for name in ("expected_usd", "actual_usd"))
    drawn = waterfall(expected, actual, effects)
    yield _section("Effects", WaterfallBars(drawn), note=f"{usd(drawn.delta_usd, signed=True)} in all")


def _culprits(incident: Document) -> Iterator[RenderableType]:
    culprits = parts(incident, "culprits")
    if not culprits:
        return
    grid = _grid(right=1)
    for culprit in culprits:
        share = culprit["share"]
        told = (
            f"{percent(share)} of it, {words(culprit['cause'])}"
            if share is not None
            else words(culprit["cause"])
        ) + _since(culprit, incident)
        amount = usd(culprit["delta_usd"], signed=True)
        grid.add_row(Text(scope_text(culprit["scope"])), Text(amount), Text(told))
    yield _section("Culprits", grid)


def _since(culprit: Document, incident: Document) -> str:
    """When it began, where that is not the incident's start."""
    at = culprit.get("onset_at")
    return "" if at is None or at == incident["start_at"] else f", since {instant(at)} UTC"


def _reasons(incident: Document) -> Iterator[RenderableType]:
    """Why each culprit has its cause, the strongest reasons first; their values are in the report."""
    grid = _grid()
    told = zip(parts(incident, "culprits"), reasons_told(incident), strict=False)
    for culprit, reasons in told:
        if reasons:
            grid.add_row(Text(words(culprit["cause"])), Text("\n".join(reasons[:MOST_REASONS])))
    if grid.row_count:
        yield _section("Why", grid)


def reasons_told(incident: Document) -> list[list[str]]:
    """By culprit, the reasons under it in the report, without their evidence."""
    section = str(incident["report"]).partition(f"## {CULPRITS}\n\n")[2].partition("\n\n")[0]
    by_culprit: list[list[str]] = []
    for line in section.splitlines():
        if line.startswith("- "):
            by_culprit.append([])
        elif by_culprit and line.startswith("  - "):
            by_culprit[-1].append(printable(_EVIDENCE.sub("", line[4:])))
    return by_culprit


def _changes(incident: Document) -> Iterator[RenderableType]:
    changes = parts(incident, "changes")
    if not changes:
        return
    grid = _grid()
    for change in changes:
        grid.add_row(
            Text(instant(change["at"])), Text(words(change["kind"])), Text(printable(change["what"]))
        )
    yield _section("Changes", grid)


def _proposals(incident: Document) -> Iterator[RenderableType]:
    proposals = parts(incident, "proposals")
    if not proposals:
        return
    grid = _grid()
    for number, proposal in enumerate(proposals, start=1):
        grid.add_row(Text(f"{number}."), proposal_lines(proposal))
    yield _section("Proposals", grid)


def _warnings(incident: Document) -> Iterator[RenderableType]:
    """What limits how far the numbers can be trusted."""
    told = []
    if unpriced := cast(int, incident["unpriced_tokens"]):
        told.append(f"{counted(unpriced, 'token')} have no price and are not in these amounts")
    if claims := cast(int, incident["unsupported_claims"]):
        told.append(f"{counted(claims, 'claim')} of the analyst not backed by evidence, left out")
    if incident["degraded"]:
        because = [printable(reason) for reason in cast(list[str], incident.get("degraded_because", []))]
        told += because or ["a configured part failed; this is the reduced analysis"]
    if told:
        yield Text("\n".join(f"! {line}" for line in told), style="yellow")


def _section(title: str, body: RenderableType, *, note: str = "") -> Group:
    return Group(
        Text.assemble((title, "bold"), (f"  {note}" if note else "", "dim")), Padding(body, (0, 0, 0, 2))
    )


def _grid(*, right: int | None = None) -> Table:
    """Three columns without lines; the one at `right` is set to the right."""
    grid = Table.grid(padding=(0, 2))
    for i in range(3):
        grid.add_column(justify="right" if i == right else "left", overflow="fold")
    return grid
