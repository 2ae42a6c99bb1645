"""One PNG per incident: what an hour cost against what was expected, drawn by Vega-Lite without a browser."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import vl_convert

from ledger.window import HOUR, WEEK_HOURS
from tokensleuth.terminal.text import printable

Spec: TypeAlias = dict[str, object]

WIDTH, HEIGHT, SCALE = 960, 420, 2

# Blue and vermillion of Okabe and Ito's colour-blind safe palette; all else is grey.
INK = "#1f2933"
MUTED = "#5f6b7a"
GRID = "#e6e9ed"
ACTUAL = "#0072b2"
FLAGGED = "#d55e00"
EXPECTED = "#5f6b7a"
BAND = "#d3d8df"
SHADE = "#fdebdd"
ACTUAL_LINE: Spec = {"color": ACTUAL, "strokeWidth": 2, "strokeJoin": "round"}
EXPECTED_LINE: Spec = {"color": EXPECTED, "strokeWidth": 1.5, "strokeDash": [5, 4]}
FLAGGED_LINE: Spec = {"color": FLAGGED, "strokeWidth": 2.5, "strokeJoin": "round"}
FLAGGED_DOT: Spec = {"color": FLAGGED, "filled": True, "opacity": 1}
FONT = "Liberation Sans, Arial, DejaVu Sans, sans-serif"
"""The first comes inside vl-convert; the others cover more scripts where they are installed."""


_A_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)

MAX_DOTTED_HOURS = 200
"""On longer charts the dots of flagged hours shrink to the width of the line."""

_HOURS_PER_TICK = ((12, 2), (24, 3), (96, 6), (216, 24), (456, 48))
"""Up to so many hours, a tick every so many hours; beyond, every week."""


@dataclass(frozen=True, slots=True)
class IncidentChart:
    """Dollars per UTC hour; all sequences have the length of `hours`, and NaN means not known."""

    title: str
    subtitle: str
    hours: Sequence[datetime]
    actual: Sequence[float]
    expected: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    flagged: Sequence[bool]

    def __post_init__(self) -> None:
        columns = (self.actual, self.expected, self.low, self.high, self.flagged)
        if not self.hours or any(len(column) != len(self.hours) for column in columns):
            lengths = ", ".join(str(len(column)) for column in columns)
            raise ValueError(f"a chart of {len(self.hours)} hours needs as many of each value, not {lengths}")
        for hour in (self.hours[0], self.hours[-1]):
            if hour.utcoffset() != timedelta(0):
                raise ValueError(f"{hour.isoformat()} is not an aware UTC instant")


def render_png(chart: IncidentChart) -> bytes:
    """The chart as a PNG of 960 by 420 points at double resolution."""
    return drawn_png(chart_spec(chart))


def drawn_png(spec: Spec) -> bytes:
    """Any specification as a PNG at double resolution, without a network."""
    png: bytes = vl_convert.vegalite_to_png(spec, scale=SCALE, allowed_base_urls=[])
    return png


def drawn_svg(spec: Spec) -> str:
    """The same as SVG: small, and sharp at any size."""
    svg: str = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    return svg


def chart_spec(chart: IncidentChart) -> Spec:
    """The Vega-Lite specification, data included."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": HEIGHT,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": {"left": 18, "right": 26, "top": 18, "bottom": 14},
        "background": "white",
        "title": {"text": printable(chart.title) or " ", "subtitle": printable(chart.subtitle) or " "},
        "data": {"values": _values(chart)},
        "layer": [*_window_layers(chart), *_series_layers(chart), *_legend_layers(chart)],
        "config": chart_config(),
    }


def _values(chart: IncidentChart) -> list[Spec]:
    """One datum per hour, placed at the middle of the hour it sums up."""
    return [
        {
            "at": _milliseconds(hour + HOUR / 2),
            "actual": _known(chart.actual[i]),
            "expected": _known(chart.expected[i]),
            "low": _known(chart.low[i]),
            "high": _known(chart.high[i]),
            "flagged": _known(chart.actual[i]) if chart.flagged[i] else None,
        }
        for i, hour in enumerate(chart.hours)
    ]


def _milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _window_layers(chart: IncidentChart) -> Iterator[Spec]:
    """The incident's hours shaded from the first flagged to the last; nothing when none is flagged."""
    flagged = [hour for hour, is_flagged in zip(chart.hours, chart.flagged, strict=True) if is_flagged]
    if flagged:
        window = {"from": _milliseconds(flagged[0]), "to": _milliseconds(flagged[-1] + HOUR)}
        yield {
            "data": {"values": [window]},
            "mark": {"type": "rect", "color": SHADE},
            "encoding": {"x": {"field": "from", "type": "temporal"}, "x2": {"field": "to"}},
        }


def _series_layers(chart: IncidentChart) -> Iterator[Spec]:
    time = _time(chart)

    def layer(field: str, mark: Spec, more: Spec | None = None) -> Spec:
        return {"mark": mark, "encoding": {"x": time, "y": _dollars(field, chart), **(more or {})}}

    dot = 44 if len(chart.hours) <= MAX_DOTTED_HOURS else 14
    yield layer("low", {"type": "area", "color": BAND}, {"y2": {"field": "high"}})
    yield layer("expected", {"type": "line", **EXPECTED_LINE})
    yield layer("actual", {"type": "line", **ACTUAL_LINE})
    yield layer("flagged", {"type": "line", **FLAGGED_LINE})
    yield layer("flagged", {"type": "point", **FLAGGED_DOT, "size": dot})


def _time(chart: IncidentChart) -> Spec:
    domain = [_milliseconds(chart.hours[0]), _milliseconds(chart.hours[-1] + HOUR)]
    scale = {"type": "utc", "nice": False, "domain": domain}
    return {"field": "at", "type": "temporal", "scale": scale, "axis": _time_axis(chart)}


def _dollars(field: str, chart: IncidentChart) -> Spec:
    axis = {"title": "USD per hour", "format": _dollar_format(chart), "tickCount": 5}
    return {"field": field, "type": "quantitative", "axis": axis}


def _dollar_format(chart: IncidentChart) -> str:
    """Just enough decimals to tell the ticks apart."""
    top = max(
        (abs(v) for v in (*chart.actual, *chart.expected, *chart.high) if math.isfinite(v)), default=0.0
    )
    if top >= 10:
        return "$,.0f"
    return f"$,.{max(2, 1 - math.floor(math.log10(top))) if top > 0 else 2}f"


def _time_axis(chart: IncidentChart) -> Spec:
    """Hours with the date under midnight for short spans, days for longer ones, then Mondays; all in UTC."""
    hours = len(chart.hours)
    step = next((step for most, step in _HOURS_PER_TICK if hours <= most), WEEK_HOURS)
    ticks = [_milliseconds(hour) for hour in chart.hours if _starts_tick(hour, step)]
    clock = "utcFormat(datum.value, '%H:%M')"
    day = "utcFormat(datum.value, '%a %d %b')"
    with_date = f"[{clock}, utchours(datum.value) == 0 ? {day} : '']"
    return {"title": "UTC", "values": ticks, "labelExpr": with_date if step < 24 else day}


def _starts_tick(hour: datetime, step: int) -> bool:
    """Whether a tick of every `step` hours falls on this hour, counted from a Monday."""
    return (hour - _A_MONDAY) % timedelta(hours=step) < HOUR


def _legend_layers(chart: IncidentChart) -> Iterator[Spec]:
    """A legend of one row above the plot that shows each mark as it is drawn."""
    yield from _legend_entry(0, "Actual", ACTUAL_LINE)
    yield from _legend_entry(88, "Expected", EXPECTED_LINE)
    yield from _legend_entry(192, "Expected range", {"color": BAND, "strokeWidth": 12})
    if any(chart.flagged):
        yield from _legend_entry(336, "Flagged hours", FLAGGED_LINE, dot=FLAGGED_DOT)
        yield from _legend_entry(474, "Incident", {"color": SHADE, "strokeWidth": 12})


def _legend_entry(left: int, label: str, stroke: Spec, *, dot: Spec | None = None) -> Iterator[Spec]:
    above: Spec = {"value": -18}

    def mark(drawn: Spec, x: int, more: Spec | None = None) -> Spec:
        encoding = {"x": {"value": x}, "y": above, **(more or {})}
        return {"data": {"values": [{"label": label}]}, "mark": drawn, "encoding": encoding}

    yield mark({"type": "rule", **stroke}, left, {"x2": {"value": left + 24}})
    if dot:
        yield mark({"type": "point", **dot, "size": 44}, left + 12)
    text = {"type": "text", "align": "left", "baseline": "middle", "color": INK, "fontSize": 13}
    yield mark(text, left + 31, {"text": {"field": "label"}})


def chart_config() -> Spec:
    """The look that all charts of incidents share."""
    return {
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": MUTED,
            "titleColor": MUTED,
            "labelFontSize": 13,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "domain": False,
            "ticks": False,
            "gridColor": GRID,
            "labelPadding": 8,
        },
        "axisX": {
            "grid": False,
            "domain": True,
            "domainColor": MUTED,
            "ticks": True,
            "tickColor": MUTED,
            "labelFlush": False,
        },
        "title": {
            "anchor": "start",
            "frame": "group",
            "color": INK,
            "fontSize": 20,
            "fontWeight": "bold",
            "subtitleColor": MUTED,
            "subtitleFontSize": 14,
            "subtitlePadding": 6,
            "offset": 16,
            "limit": WIDTH - 110,
        },
    }
