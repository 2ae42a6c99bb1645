"""The chart of an incident from the hours the casebook keeps of it."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from ledger.window import HOUR
from tokensleuth.casebook import JsonObject
from tokensleuth.casebook.views import IncidentView
from tokensleuth.charts import IncidentChart, Spec, chart_spec
from tokensleuth.drawing import png_apart
from tokensleuth.terminal.text import cause_text, period, scope_text, usd

ON_PAGE: Mapping[str, object] = {
    "title": None,
    "background": "transparent",
    "padding": {"left": 14, "right": 20, "top": 12, "bottom": 8},
}
"""The page has title and legend, and its own paper: in the dark it inverts what is drawn."""

NARROW: Mapping[str, object] = {"width": 440, "height": 300}
"""For a phone: so few points across leave the letters legible."""


def message_png(view: IncidentView) -> bytes | None:
    """For a message, with title and legend; None where no hours were kept or it could not be drawn."""
    if not view.timeline:
        return None
    return png_apart(chart_spec(incident_chart(view.incident, view.timeline)))


def page_png(view: IncidentView, *, narrow: bool) -> bytes | None:
    """For a page; None where no hours were kept or it could not be drawn."""
    if not view.timeline:
        return None
    spec = chart_spec(incident_chart(view.incident, view.timeline))
    plain = {"layer": [layer for layer in cast(Sequence[Spec], spec["layer"]) if not _is_legend(layer)]}
    return png_apart({**spec, **plain, **ON_PAGE, **(NARROW if narrow else {})})


def incident_chart(incident: JsonObject, timeline: JsonObject) -> IncidentChart:
    """The chart's values from a stored timeline."""
    start_at = datetime.fromisoformat(str(timeline["start_at"]))
    actual = _line(timeline["actual"])
    changed = f"{usd(incident['delta_usd'], signed=True)} against expectation, {period(incident)}"
    return IncidentChart(
        title=f"{cause_text(incident).capitalize()}: {scope_text(incident['scope'])}",
        subtitle=changed,
        hours=[start_at + i * HOUR for i in range(len(actual))],
        actual=actual,
        expected=_line(timeline["expected"]),
        low=_line(timeline["low"]),
        high=_line(timeline["high"]),
        flagged=[bool(each) for each in cast(Sequence[object], timeline["flagged"])],
    )


def _is_legend(layer: Spec) -> bool:
    """Entries of the legend bring a label as their data."""
    data = cast(Mapping[str, Sequence[Spec]], layer.get("data") or {"values": ()})
    return any("label" in each for each in data["values"])


def _line(values: object) -> list[float]:
    return [math.nan if v is None else float(v) for v in cast(Sequence[float | None], values)]
