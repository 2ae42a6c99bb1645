"""One PNG per incident: from the expected to the actual cost, a bar per effect, drawn by Vega-Lite."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from agent.finding import Finding
from agent.rendering import named_scope
from agent.waterfall import Kind, Step, Waterfall, waterfall
from tokensleuth.charts import INK, MUTED, WIDTH, Spec, chart_config, drawn_png
from tokensleuth.terminal.text import cause_text, period, printable, usd

ROW, TALL_ROW, FEW_ROWS = 40, 56, 6
"""The height of a row in points, where there are many and where there are few."""
MARGIN = 26

# Dark, medium and light, so that they differ in grey too; a fall has an outline besides.
FILLS: dict[Kind, str] = {"total": "#3d4855", "rise": "#d55e00", "fall": "#a6dcf7"}
STROKES: dict[Kind, str] = {"total": "#3d4855", "rise": "#d55e00", "fall": "#0072b2"}
LEGEND: dict[Kind, str] = {"total": "Total cost", "rise": "Raises the cost", "fall": "Lowers the cost"}
CONNECTOR = "#98a2af"

TITLE_CHARACTERS, NOTE_CHARACTERS = 86, 118
"""How many fit in one line at the size they are set in."""
_TITLE_LINES = 2
_PIXELS_PER_CHARACTER = 8.5
"""A generous mean at the size of the labels."""


@dataclass(frozen=True, slots=True)
class WaterfallChart:
    """The waterfall with the sentence that tells it."""

    title: str
    subtitle: str
    waterfall: Waterfall


def finding_waterfall(finding: Finding) -> WaterfallChart:
    """The waterfall of an incident, under what happened in one sentence."""
    window: Spec = {**finding.window.as_json()}
    return WaterfallChart(
        title=finding_sentence(finding),
        subtitle=f"{period(window)}: {usd(finding.actual_usd)} instead of {usd(finding.expected_usd)}",
        waterfall=waterfall(
            finding.expected_usd, finding.actual_usd, {e.name: e.usd for e in finding.effects}
        ),
    )


def finding_sentence(finding: Finding) -> str:
    """Cause, dollars and scope; the scope comes last because it is what may be too long."""
    cause = cause_text({"cause": finding.cause, "verdict": finding.verdict}).capitalize()
    if finding.cause == "unknown":
        cause = "Cause unknown"
    scope = f" for {named_scope(finding.scope)}" if finding.scope.items else ""
    if not finding.delta_usd:
        return f"{cause}: spend is as expected{scope}"
    side = "below" if finding.delta_usd < 0 else "above"
    return f"{cause}: spend is {usd(abs(finding.delta_usd))} {side} expectation{scope}"


def render_waterfall_png(chart: WaterfallChart) -> bytes:
    """The chart as a PNG 960 points wide at double resolution, as high as its rows need."""
    return drawn_png(waterfall_spec(chart))


def waterfall_spec(chart: WaterfallChart) -> Spec:
    """The Vega-Lite specification, data included: one row per step, from top to bottom."""
    drawn = chart.waterfall
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": {"step": TALL_ROW if len(drawn.steps) <= FEW_ROWS else ROW},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": MARGIN, "right": MARGIN, "top": 22, "bottom": 18},
        "background": "white",
        "title": {
            "text": _title(chart.title),
            "subtitle": printable(chart.subtitle) or " ",
            "frame": "bounds",
            "limit": WIDTH - 2 * MARGIN,
        },
        "data": {"values": _values(drawn)},
        "layer": [
            *_connector_layers(drawn),
            *_bar_layers(drawn),
            *_amount_layers(drawn),
            *_legend_layers(drawn),
        ],
        "config": chart_config(),
    }


def _title(text: str) -> list[str]:
    wrapped = textwrap.wrap(
        printable(text), TITLE_CHARACTERS, max_lines=_TITLE_LINES, placeholder="…", break_on_hyphens=False
    )
    return wrapped or [" "]


def _values(drawn: Waterfall) -> list[Spec]:
    return [_value(step, drawn.floor_usd) for step in drawn.steps]


def _value(step: Step, floor_usd: Decimal) -> Spec:
    start = max(step.start_usd, floor_usd) if step.kind == "total" else step.start_usd
    return {
        "label": _row_name(step),
        "kind": step.kind,
        "amount": usd(step.usd, signed=step.kind != "total"),
        "start": float(start),
        "end": float(step.end_usd),
        "right": float(max(start, step.end_usd)),
    }


def _row_name(step: Step) -> str:
    name = printable(step.label)
    return name[:1].upper() + name[1:]


def _rows(drawn: Waterfall) -> Spec:
    names = [_row_name(step) for step in drawn.steps]
    bold: Spec = {
        "condition": {
            "test": f"datum.value == '{names[0]}' || datum.value == '{names[-1]}'",
            "value": "bold",
        },
        "value": "normal",
    }
    axis: Spec = {
        "title": None,
        "labelColor": INK,
        "labelFontSize": 14,
        "labelFontWeight": bold,
        "labelLimit": 240,
        "labelPadding": 12,
    }
    scale: Spec = {"domain": names, "paddingInner": 0.3, "paddingOuter": 0.15}
    return {"field": "label", "type": "nominal", "sort": None, "scale": scale, "axis": axis}


def _dollars(drawn: Waterfall, field: str) -> Spec:
    """The scale leaves room for the amounts at the right; its title holds what there is to note."""
    axis: Spec = {
        "title": _notes(drawn) or None,
        "titleAnchor": "start",
        "titleAlign": "left",
        "titleFontSize": 13,
        "titleLineHeight": 18,
        "titlePadding": 10,
        "labels": False,
        "ticks": False,
        "domain": False,
        "grid": False,
    }
    scale: Spec = {"domain": _domain(drawn), "nice": False, "zero": False}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": axis}


def _domain(drawn: Waterfall) -> list[float]:
    levels = [drawn.floor_usd, *(step.end_usd for step in drawn.steps)]
    low, high = float(min(levels)), float(max(levels))
    names = max(len(step.label) for step in drawn.steps)
    amounts = max(len(usd(step.usd, signed=True)) for step in drawn.steps) + 2
    plot = WIDTH - 2 * MARGIN - names * _PIXELS_PER_CHARACTER
    share = amounts * _PIXELS_PER_CHARACTER / plot
    return [low, low + ((high - low) or 1.0) / (1 - share)]


def _notes(drawn: Waterfall) -> list[str]:
    notes = []
    if drawn.joined:
        named = ", ".join(f"{label} {usd(amount, signed=True)}" for label, amount in drawn.joined)
        notes += textwrap.wrap(f"Other effects: {named}", NOTE_CHARACTERS)
    if drawn.floor_usd:
        notes.append(f"The scale starts at {usd(drawn.floor_usd)}, not at zero.")
    return notes


def _connector_layers(drawn: Waterfall) -> Iterator[Spec]:
    """From the end of each bar down to the start of the next, and the line all bars are counted from."""
    names = [_row_name(step) for step in drawn.steps]
    links: list[Spec] = [
        {"label": above, "next": below, "at": float(step.end_usd)}
        for step, above, below in zip(drawn.steps, names, names[1:], strict=False)
    ]
    yield {
        "data": {"values": links},
        "mark": {"type": "rule", "color": CONNECTOR, "strokeWidth": 1},
        "encoding": {
            "x": _dollars(drawn, "at"),
            "y": {**_rows(drawn), "bandPosition": 1},
            "y2": {"field": "next", "bandPosition": 0},
        },
    }
    yield {
        "data": {"values": [{"zero": float(drawn.floor_usd)}]},
        "mark": {"type": "rule", "color": MUTED, "strokeWidth": 1},
        "encoding": {"x": {"field": "zero", "type": "quantitative"}},
    }


def _bar_layers(drawn: Waterfall) -> Iterator[Spec]:
    rows = {"y": _rows(drawn)}
    yield {
        "mark": {"type": "bar", "strokeWidth": 1.5},
        "encoding": {
            **rows,
            "x": _dollars(drawn, "start"),
            "x2": {"field": "end"},
            "fill": _by_kind(FILLS),
            "stroke": _by_kind(STROKES),
        },
    }
    if drawn.floor_usd:
        yield {
            "transform": [{"filter": "datum.kind == 'total'"}],
            "mark": {"type": "text", "text": "//", "color": "white", "fontSize": 30, "dx": 22},
            "encoding": {**rows, "x": _dollars(drawn, "start")},
        }


def _by_kind(colours: dict[Kind, str]) -> Spec:
    scale: Spec = {"domain": list(colours), "range": list(colours.values())}
    return {"field": "kind", "type": "nominal", "scale": scale, "legend": None}


def _amount_layers(drawn: Waterfall) -> Iterator[Spec]:
    for of_totals in (True, False):
        yield {
            "transform": [{"filter": f"(datum.kind == 'total') == {str(of_totals).lower()}"}],
            "mark": {
                "type": "text",
                "align": "left",
                "baseline": "middle",
                "dx": 8,
                "color": INK,
                "fontSize": 14,
                "fontWeight": "bold" if of_totals else "normal",
            },
            "encoding": {
                "y": _rows(drawn),
                "x": _dollars(drawn, "right"),
                "text": {"field": "amount"},
            },
        }


def _legend_layers(drawn: Waterfall) -> Iterator[Spec]:
    """A legend of one row above the plot, of what the chart shows."""
    left = 0
    for kind, label in LEGEND.items():
        if any(step.kind == kind for step in drawn.steps):
            yield from _legend_entry(left, kind, label)
            left += 52 + round(len(label) * 6.5)


def _legend_entry(left: int, kind: Kind, label: str) -> Iterator[Spec]:
    above: Spec = {"value": -18}
    square: Spec = {
        "type": "point",
        "shape": "square",
        "size": 150,
        "filled": True,
        "opacity": 1,
        "fill": FILLS[kind],
        "stroke": STROKES[kind],
        "strokeWidth": 1.5,
    }
    text: Spec = {"type": "text", "align": "left", "baseline": "middle", "color": INK, "fontSize": 13}
    for mark, x in ((square, left + 7), ({**text, "text": label}, left + 22)):
        yield {"data": {"values": [{}]}, "mark": mark, "encoding": {"x": {"value": x}, "y": above}}
