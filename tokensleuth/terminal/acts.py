"""Decisions, executions and the audit trail as lines of the terminal."""

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from tokensleuth.approvals import Answer
from tokensleuth.casebook.audit import Verified
from tokensleuth.casebook.executed import Execution
from tokensleuth.casebook.views import ProposalView
from tokensleuth.terminal.text import printable

_STYLES = {"done": "green", "executing": "yellow", "failed": "red", "unknown": "bold red", "blocked": "red"}


def answer_text(answer: Answer) -> Text:
    """What the person is told."""
    style = "red" if answer.outcome == "refused" else "bold"
    start = "Refused: " if answer.outcome == "refused" else ""
    return Text(f"{start}{printable(answer.told)}.", style=style)


def proposal_text(view: ProposalView) -> Text:
    """What came of it: the execution, its undo, and how to take it back."""
    lines = [Text(f"{view.id} is {view.state}")]
    lines += [_execution(execution) for execution in (view.execution, view.undo) if execution is not None]
    if view.state == "approved":
        lines.append(Text("It is done as soon as the service runs: tokensleuth serve"))
    if view.can_be_undone:
        lines.append(Text(f"To take it back: tokensleuth undo {view.id}", style="dim"))
    return Text("\n").join(lines)


def _execution(execution: Execution) -> Text:
    what = "undo" if execution.kind == "undo" else "execution"
    rehearsed = " (dry run)" if execution.dry_run else ""
    end = f"; it ends by itself at {execution.undo_at:%Y-%m-%d %H:%M} UTC" if execution.undo_at else ""
    told = f"{what}{rehearsed} {execution.state}: {printable(execution.reason or 'under way')}{end}"
    return Text(told, style=_STYLES[execution.state])


def audit_text(verified: Verified) -> Text:
    """Whether the trail is whole, and its anchor."""
    if verified.whole:
        told = f"The audit trail is whole: {verified.anchor.count} entries.\nanchor {verified.anchor}"
        return Text(told, style="green")
    return Text(f"The audit trail is broken at entry {verified.broken_at}: {verified.why}.", style="bold red")


def audit_table(entries: Sequence[Mapping[str, object]]) -> Table:
    """Entries, one line each."""
    table = Table("#", "when", "who", "what", "on", box=None, pad_edge=False)
    for entry in entries:
        cells = [str(entry[name]) for name in ("number", "at", "actor", "what", "subject")]
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table
