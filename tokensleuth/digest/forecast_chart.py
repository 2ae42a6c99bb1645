"""The month as a chart: what is spent, what is expected, how sure that is, and the budgets."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from tokensleuth.charts import (
    ACTUAL_LINE,
    BAND,
    EXPECTED_LINE,
    FLAGGED,
    HEIGHT,
    INK,
    WIDTH,
    Spec,
    chart_config,
)
from tokensleuth.digest.facts import Digest
from tokensleuth.terminal.text import printable

_DAY = timedelta(days=1)


def forecast_spec(digest: Digest) -> Spec:
    """Spend from the first of the month; from now on what is expected, with the 80 % interval and budgets."""
    outlook = digest.month.outlook
    if outlook is None:
        raise ValueError("there is no forecast to draw")
    month = outlook.month.window
    domain = [milliseconds(month.start_at), milliseconds(month.end_at)]
    axis = {"title": "UTC", "labelExpr": "utcFormat(datum.value, '%d %b')", "tickCount": 8}
    time = {"field": "at", "type": "temporal", "scale": {"type": "utc", "domain": domain}, "axis": axis}
    top = {"title": "USD since the first", "format": "$,.0f", "tickCount": 5}

    def layer(field: str, mark: Spec, more: Spec | None = None) -> Spec:
        y = {"field": field, "type": "quantitative", "axis": top}
        return {"mark": mark, "encoding": {"x": time, "y": y, **(more or {})}}

    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": HEIGHT,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": {"left": 18, "right": 26, "top": 18, "bottom": 14},
        "background": "white",
        "title": {"text": f"{month.start_at:%B %Y}", "subtitle": "Spend since the first and its forecast"},
        "data": {"values": _days(digest)},
        "layer": [
            layer("low", {"type": "area", "color": BAND}, {"y2": {"field": "high"}}),
            layer("mid", {"type": "line", **EXPECTED_LINE}),
            layer("spent", {"type": "line", **ACTUAL_LINE}),
            *_budget_layers(digest),
            *_legend(),
        ],
        "config": chart_config(),
    }


def _days(digest: Digest) -> list[Spec]:
    """One datum for the end of each day; at the present both lines meet."""
    outlook = digest.month.outlook
    if outlook is None:
        return []
    start, at = outlook.month.window.start_at, outlook.month.at
    spent = outlook.spent_usd
    rows: list[Spec] = [{"at": milliseconds(start), "spent": 0.0}]
    for i, usd in enumerate(digest.month.so_far, start=1):
        rows.append({"at": milliseconds(min(start + i * _DAY, at)), "spent": usd})
    rows.append({"at": milliseconds(at), "mid": spent, "low": spent, "high": spent})
    for ahead, path in enumerate(zip(outlook.mid, outlook.low, outlook.high, strict=True)):
        mid, low, high = path
        end = _midnight(outlook.month.day(ahead)) + _DAY
        rows.append({"at": milliseconds(end), "mid": mid, "low": low, "high": high})
    return rows


def _budget_layers(digest: Digest) -> Iterator[Spec]:
    """A line for each budget that a chart of this size can show."""
    outlook = digest.month.outlook
    highest = outlook.high[-1] if outlook else 0.0
    for status in digest.month.budgets:
        usd = float(status.budget.usd)
        if status.budget.where or digest.team or not 0 < usd <= 2 * highest:
            continue
        data: Spec = {"values": [{"usd": usd, "told": f"budget {printable(status.budget.name)}"}]}
        y = {"field": "usd", "type": "quantitative"}
        yield {
            "data": data,
            "mark": {"type": "rule", "color": FLAGGED, "strokeWidth": 1.5},
            "encoding": {"y": y},
        }
        text = {"type": "text", "align": "left", "dy": -8, "dx": 4, "color": FLAGGED, "fontSize": 13}
        encoding = {"x": {"value": 0}, "y": y, "text": {"field": "told"}}
        yield {"data": data, "mark": text, "encoding": encoding}


def _legend() -> Iterator[Spec]:
    strokes: list[tuple[str, Spec]] = [
        ("Spent", ACTUAL_LINE),
        ("Forecast", EXPECTED_LINE),
        ("8 in 10 months", {"color": BAND, "strokeWidth": 12}),
    ]  # fmt: skip
    for i, (label, stroke) in enumerate(strokes):
        left, data = i * 100, {"values": [{"label": label}]}
        rule: Spec = {"x": {"value": left}, "x2": {"value": left + 24}, "y": {"value": -18}}
        yield {"data": data, "mark": {"type": "rule", **stroke}, "encoding": rule}
        text: Spec = {"type": "text", "align": "left", "baseline": "middle", "color": INK, "fontSize": 13}
        place = {"x": {"value": left + 31}, "y": {"value": -18}, "text": {"field": "label"}}
        yield {"data": data, "mark": text, "encoding": place}


def milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
