"""What the hourly path goes by, and what a refit did."""

from collections.abc import Iterator, Sequence
from typing import cast

from rich.console import RenderableType
from rich.text import Text

from tokensleuth.terminal.text import Document, counted, instant, scope_text

_SHOWN = 3


def refit_text(document: Document) -> RenderableType:
    """What was learnt, from when to when."""
    learnt, history = cast(Sequence[str], document["learnt"]), cast(Document, document["history"])
    series, seconds = cast(int, document["series"]), cast(float, document["seconds"])
    days = counted(len(learnt), "midnight")
    young = cast(int, document["series_too_young"])
    return Text(
        f"Model of {instant(document['fitted_at'])} UTC: {series:,} series, learnt from "
        f"{instant(history['start_at'])} UTC on, {days} in {seconds:.1f} s; "
        f"{young:,} of them are too young to be scored."
    )


def live_lines(document: Document) -> RenderableType:
    """The model in force where it is not the one it should be, and what was not scored."""
    return Text("\n".join([*_model_lines(cast(Document, document["model"])), *_not_scored(document)]))


def _model_lines(model: Document) -> Iterator[str]:
    if model["reason"] is not None:
        late = cast(int, model["late_hours"]) // 24
        age = f", {counted(late, 'day')} late" if late else ""
        yield f"model of {instant(model['fitted_at'])} in force{age}: {model['reason']}"


def _not_scored(document: Document) -> Iterator[str]:
    for part in cast(Sequence[Document], document["not_scored"]):
        scopes = [scope_text(scope) for scope in cast(Sequence[object], part["scopes"])[:_SHOWN]]
        count = cast(int, part["series"])
        named = f" ({'; '.join(scopes)}{'; ...' if count > len(scopes) else ''})" if scopes else ""
        yield f"{count:,} series not scored: {part['reason']}{named}"
