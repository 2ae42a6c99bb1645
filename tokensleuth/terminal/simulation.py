"""What other settings of detection would have found: the change in a sentence, then lost and gained."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import cast

from rich.console import Group, RenderableType
from rich.text import Text

from tokensleuth.terminal.tables import detected_table, plain_table
from tokensleuth.terminal.text import Document, parts, percent, period, printable, scope_text, usd


def simulation_summary(document: Document) -> RenderableType:
    """What was asked, the change in a sentence, how the labels see it, then the incidents lost and gained."""
    tables = [*_labels(document), *_found(document, "lost"), *_found(document, "gained")]
    told = [Text(_asked(document)), Text(_told(document), style="bold")]
    return Group(*told, *([Text(), *tables] if tables else []))


def _found(document: Document, name: str) -> Iterator[RenderableType]:
    incidents = parts(document, name)
    if incidents:
        yield Text(name.capitalize(), style="bold")
        yield detected_table(incidents, judged=document["labels"] is not None)
        yield Text()


def _asked(document: Document) -> str:
    changes = ", ".join(_changes(document)) or "no setting changed"
    return f"{period(cast(Document, document['range']))}, {changes}:"


def _told(document: Document) -> str:
    before, after = (cast(Document, document[side]) for side in ("before", "after"))
    return (
        f"incidents {before['incidents']} -> {after['incidents']}: "
        f"{_counted(document, 'lost')}, {_counted(document, 'gained')}; "
        f"{before['incidents_per_week']:.1f} -> {after['incidents_per_week']:.1f} a week, "
        f"{usd(before['worth_usd'])} -> {usd(after['worth_usd'])} in all."
    )


def _changes(document: Document) -> Iterator[str]:
    changed = cast(Document, cast(Document, document["settings"])["changed"])
    for name, values in changed.items():
        change = cast(Document, values)
        yield printable(f"{name} {change['from']} -> {change['to']}")


def _counted(document: Document, name: str) -> str:
    """`3 lost worth $41.00`; drops count by their size."""
    incidents = parts(document, name)
    worth = sum((abs(Decimal(str(incident["excess_usd"]))) for incident in incidents), Decimal())
    return f"{len(incidents):,} {name} worth {usd(worth)}" if incidents else f"none {name}"


def _labels(document: Document) -> Iterator[RenderableType]:
    if document["labels"] is None:
        return
    labels = cast(Document, document["labels"])
    header = ("by labels", "hits", "misses", "false alarms", "precision", "recall")
    yield plain_table(header, [_score(cast(Document, labels[side]), side) for side in ("before", "after")])
    yield Text()
    changed = [item for item in parts(labels, "items") if item["hit_before"] != item["hit_after"]]
    yield from (Text(_label(item)) for item in changed)
    if changed:
        yield Text()


def _score(score: Document, side: str) -> Sequence[object]:
    counts = [score[name] for name in ("hits", "misses", "false_alarms")]
    return (side, *counts, percent(score["precision"]), percent(score["recall"]))


def _label(item: Document) -> str:
    kind = f"{printable(item['kind'])}, " if item["kind"] else ""
    turn = "now hit" if item["hit_after"] else "now missed"
    return f"{turn}: {kind}{scope_text(item['scope'])}, {period(item)}"
