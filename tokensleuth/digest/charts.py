"""The charts of a digest as Vega-Lite: hours against expectation, movers, the month with its forecast."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import cast

from ledger.window import HOUR
from tokensleuth.charts import (
    BAND,
    EXPECTED,
    FLAGGED,
    INK,
    MUTED,
    SHADE,
    WIDTH,
    IncidentChart,
    Spec,
    chart_config,
    chart_spec,
)
from tokensleuth.digest.facts import Digest, HourLine
from tokensleuth.digest.forecast_chart import forecast_spec, milliseconds
from tokensleuth.digest.page import ChartName, plain_text
from tokensleuth.digest.saying import cents_text, counted
from tokensleuth.digest.words import page_of
from tokensleuth.terminal.text import printable

ON_PAGE: Mapping[str, object] = {
    "title": None,
    "background": "transparent",
    "padding": {"left": 10, "right": 16, "top": 26, "bottom": 6},
}
"""The page has the titles and its own paper: in the dark it inverts what is drawn."""
ON_ANY_PAPER: Mapping[object, Mapping[str, object]] = {
    BAND: {"color": EXPECTED, "opacity": 0.4},
    SHADE: {"color": FLAGGED, "opacity": 0.14},
}
"""Pale colours of white paper, as strong ones that the paper shows through."""
LOW: Mapping[str, object] = {"height": 300}
NARROW: Mapping[str, object] = {"width": 440, "height": 300}
"""For a phone: so few points across leave the letters legible."""
_SECOND_ROW = 336
"""From so far right on, a legend has no room on a phone: it goes into a row of its own."""

RISE, FALL = "#d55e00", "#0072b2"


def chart_of(digest: Digest, name: ChartName) -> Spec:
    """With a title, for a file or a message."""
    match name:
        case "spend":
            return spend_spec(digest, cast(HourLine, digest.line))
        case "movers":
            return movers_spec(digest)
        case "forecast":
            return forecast_spec(digest)


def on_page(spec: Spec) -> Spec:
    """Without what the page has itself, and with areas that are seen on a dark page too."""
    layers = [
        {**layer, "mark": {**mark, **ON_ANY_PAPER.get(mark.get("color"), {})}}
        for layer in cast(list[Spec], spec["layer"])
        for mark in [cast(Spec, layer["mark"])]
    ]
    return {**spec, **ON_PAGE, "layer": layers}


def narrow(spec: Spec) -> Spec:
    """For a phone: days without their month, and a legend in as many rows as it takes."""
    layers = cast(list[Spec], spec["layer"])
    has_rows = any(_legend_left(layer) >= _SECOND_ROW for layer in layers)
    return {**spec, **NARROW, "layer": [_narrow_layer(layer, has_rows=has_rows) for layer in layers]}


def _narrow_layer(layer: Spec, *, has_rows: bool) -> Spec:
    encoding = cast(dict[str, Spec], layer["encoding"])
    if layer["mark"] and "axis" in encoding.get("x", {}):
        axis = cast(Spec, encoding["x"]["axis"])
        axis = {**axis, "labelExpr": str(axis["labelExpr"]).replace("%a %d %b", "%a %d")}
        return {**layer, "encoding": {**encoding, "x": {**encoding["x"], "axis": axis}}}
    left = _legend_left(layer)
    if left < 0 or not has_rows:
        return layer
    back, y = (_SECOND_ROW, -18) if left >= _SECOND_ROW else (0, -40)
    moved: dict[str, Spec] = {
        name: {"value": cast(int, place["value"]) - back}
        for name, place in encoding.items()
        if name in ("x", "x2")
    }
    return {**layer, "encoding": {**encoding, **moved, "y": {"value": y}}}


def _legend_left(layer: Spec) -> int:
    """Where a mark of a legend begins; -1 of what is drawn from data."""
    encoding = cast(dict[str, Spec], layer["encoding"])
    value = encoding.get("x", {}).get("value")
    return int(cast(int, value)) if value is not None and "value" in encoding.get("y", {}) else -1


def spend_spec(digest: Digest, line: HourLine) -> Spec:
    """What each hour cost; hours of incidents are flagged, and each incident is shaded by itself."""
    hours = [line.start_at + i * HOUR for i in range(len(line.actual))]
    windows = [i.window for i in digest.case.incidents.told]
    flagged = [any(w.start_at <= hour < w.end_at for w in windows) for hour in hours]
    chart = IncidentChart(
        title=plain_text(page_of(digest).title),
        subtitle=_spend_told(line),
        hours=hours,
        actual=line.actual,
        expected=line.expected,
        low=line.low,
        high=line.high,
        flagged=flagged,
    )
    spec = chart_spec(chart)
    if any(flagged):
        first, *layers = cast(list[Spec], spec["layer"])
        shades = list(_runs(hours, flagged))
        spec["layer"] = [{**first, "data": {"values": shades}}, *layers]
    return spec


def movers_spec(digest: Digest) -> Spec:
    """A bar for each that moved most, to the right where it costs more."""
    rows = list(_moved(digest))
    widest = max(abs(cents) for _, cents in rows) / 100 or 1.0
    names: Spec = {
        "title": None,
        "labelColor": INK,
        "labelFontSize": 14,
        "labelLimit": 260,
        "labelPadding": 10,
    }
    y = {"field": "name", "type": "nominal", "sort": None, "axis": {**names, "domain": False, "grid": False}}
    scale = {"domain": [side * _room(side, rows, widest) for side in (-1, 1)], "nice": False}
    x = {"field": "usd", "type": "quantitative", "scale": scale, "axis": None}
    colour = {"condition": {"test": "datum.usd > 0", "value": RISE}, "value": FALL}
    text: Spec = {"type": "text", "baseline": "middle", "color": INK, "fontSize": 14}

    def amounts(test: str, mark: Spec) -> Spec:
        encoding = {"y": y, "x": x, "text": {"field": "told"}}
        return {"transform": [{"filter": test}], "mark": {**text, **mark}, "encoding": encoding}

    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": {"step": 36},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": 18, "right": 26, "top": 18, "bottom": 14},
        "background": "white",
        "title": {"text": f"Who moved it, week {digest.week.week}", "subtitle": "USD against last week"},
        "data": {
            "values": [
                {"name": name, "usd": cents / 100, "told": cents_text(cents, signed=True)}
                for name, cents in rows
            ]
        },
        "layer": [
            {"mark": {"type": "bar", "height": 20}, "encoding": {"y": y, "x": x, "color": colour}},
            amounts("datum.usd > 0", {"align": "left", "dx": 7}),
            amounts("datum.usd <= 0", {"align": "right", "dx": -7}),
            {
                "mark": {"type": "rule", "color": MUTED},
                "encoding": {"x": {"datum": 0, "type": "quantitative"}},
            },
        ],
        "config": chart_config(),
    }


def _room(side: int, rows: list[tuple[str, int]], widest: float) -> float:
    """How far a side of the bars reaches, with their amounts; none where no bar goes there."""
    longest = max((side * cents / 100 for _, cents in rows), default=0.0)
    return longest + 0.22 * widest if longest > 0 else 0.0


def _moved(digest: Digest) -> Iterator[tuple[str, int]]:
    noun = "team" if digest.team is None else "key"
    for mover in digest.movers.shown:
        yield printable(mover.scope.items[-1][1]) or "-", mover.change_cents
    if digest.movers.others:
        yield counted(digest.movers.others, f"other {noun}"), digest.movers.others_cents


def _runs(hours: list[datetime], flagged: list[bool]) -> Iterator[Spec]:
    """From the first to the last hour of each run of flagged hours."""
    start: datetime | None = None
    for hour, is_flagged in zip([*hours, hours[-1] + HOUR], [*flagged, False], strict=True):
        if is_flagged and start is None:
            start = hour
        elif not is_flagged and start is not None:
            yield {"from": milliseconds(start), "to": milliseconds(hour)}
            start = None


def _spend_told(line: HourLine) -> str:
    if not line.weeks:
        return "USD per hour; there are no earlier weeks to expect from"
    return f"USD per hour; expected is the mean of the same hours in {counted(line.weeks, 'earlier week')}"
