"""The comparison as a picture: F1 of every method, and what recall costs in false alarms."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import vl_convert

from evals.detection.ours import NAME
from evals.detection.ranking import BUDGETS
from evals.detection.summary import INCIDENTS, SPIKES, Line
from tokensleuth.charts import ACTUAL, FONT, GRID, INK, MUTED, Spec

CURVES = 6
"""Peers whose curves are drawn, the best by F1."""
MOST_FALSE = 0.5
"""False alarms per series-week at the right edge."""
LABEL_APART = 0.035
LEFT_EDGE, HEIGHT = 300, 420


def write_chart(lines: Sequence[Line], title: str, target: Path) -> None:
    """One trial as a PNG; `lines` may hold every way our detector is looked at."""
    shown = [line for line in lines if line.way != SPIKES]
    target.write_bytes(vl_convert.vegalite_to_png(chart_spec(shown, title), scale=1.5, allowed_base_urls=[]))


def chart_spec(lines: Sequence[Line], title: str) -> Spec:
    told = sorted(_named(lines), key=lambda named: -named[1].count.f1)
    ranked = [named for named in told if named[1].way != INCIDENTS]
    curves = [n for n in ranked if n[1].method == NAME] + [n for n in ranked if n[1].method != NAME][:CURVES]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "white",
        "padding": 18,
        "title": {"text": title, "anchor": "start", "color": INK, "fontSize": 17, "offset": 14},
        "hconcat": [_f1_panel(told), _curve_panel(curves, [n for n in told if n[1].way == INCIDENTS])],
        "spacing": 48,
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {
                "labelColor": MUTED,
                "titleColor": MUTED,
                "labelFontSize": 12,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
                "domain": False,
                "ticks": False,
                "gridColor": GRID,
                "labelLimit": 260,
            },
        },
    }


def _named(lines: Sequence[Line]) -> Iterator[tuple[str, Line]]:
    for line in lines:
        yield (f"{line.method}, {line.way}" if line.method == NAME else line.method), line


def _colour() -> Spec:
    return {
        "field": "ours",
        "type": "nominal",
        "scale": {"domain": [True, False], "range": [ACTUAL, MUTED]},
        "legend": None,
    }


def _f1_panel(named: Sequence[tuple[str, Line]]) -> Spec:
    values = [
        {
            "name": name,
            "f1": line.count.f1,
            "low": line.f1.low,
            "high": line.f1.high,
            "ours": line.method == NAME,
        }
        for name, line in named
    ]
    names: Spec = {"field": "name", "type": "nominal", "sort": None, "axis": {"title": None}}
    scale: Spec = {"domain": [0, 1]}
    axis: Spec = {"title": "F1, with its 95 % interval", **_TENTHS}

    def layer(field: str, mark: Spec, more: Spec | None = None) -> Spec:
        x = {"field": field, "type": "quantitative", "scale": scale, "axis": axis}
        return {"mark": mark, "encoding": {"y": names, "x": x, "color": _colour(), **(more or {})}}

    return {
        "width": LEFT_EDGE,
        "height": HEIGHT,
        "data": {"values": values},
        "layer": [
            layer("low", {"type": "rule", "strokeWidth": 2}, {"x2": {"field": "high"}}),
            layer("f1", {"type": "point", "filled": True, "size": 70, "opacity": 1}),
        ],
    }


def _curve_panel(named: Sequence[tuple[str, Line]], told: Sequence[tuple[str, Line]]) -> Spec:
    points: list[Spec] = [
        {"name": name, "false": false, "recall": recall, "ours": line.method == NAME}
        for name, line in named
        for false, recall in _staircase(line)
    ]
    dots: list[Spec] = [
        {"false": line.count.false_per_series_week, "recall": line.count.recall, "ours": True}
        for _, line in told
    ]
    budgets: list[Spec] = [{"false": budget} for budget in BUDGETS]
    label: Spec = {"type": "text", "align": "left", "baseline": "middle", "dx": 6, "fontSize": 12}
    colour: Spec = {"color": _colour()}
    return {
        "width": 380,
        "height": HEIGHT,
        "layer": [
            _layer(budgets, {"type": "rule", "color": GRID, "strokeWidth": 2}),
            _layer(points, {"type": "line", "strokeWidth": 1.8}, {"detail": {"field": "name"}, **colour}),
            _layer(_labels(named), label, {"text": {"field": "label"}, **colour}),
            _layer(dots, {"type": "point", "filled": True, "size": 90, "opacity": 1}, colour),
            _layer(dots, {**label, "dx": 9, "dy": 9}, {"text": {"value": INCIDENTS}, **colour}),
        ],
    }


_TENTHS: Spec = {"format": ".1f", "values": [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]}


def _layer(values: Sequence[Spec], mark: Spec, more: Spec | None = None) -> Spec:
    x: Spec = {
        "field": "false",
        "type": "quantitative",
        "scale": {"domain": [0, MOST_FALSE]},
        "axis": {"title": "at most so many false alarms per series-week", "grid": False, **_TENTHS},
    }
    axis: Spec = {"title": "recall of events", "format": ".1f", "tickCount": 5}
    y: Spec = {"field": "recall", "type": "quantitative", "scale": {"domain": [0, 1]}, "axis": axis}
    places: Spec = {"x": x, "y": y} if values and "recall" in values[0] else {"x": x}
    return {"data": {"values": list(values)}, "mark": mark, "encoding": {**places, **(more or {})}}


def _staircase(line: Line) -> Iterator[tuple[float, float]]:
    """The best recall within each number of false alarms, in steps up to the right edge."""
    best = 0.0
    stands = [point.count for point in line.ranked.curve if point.stands]
    for count in sorted(stands, key=lambda count: count.false_per_series_week):
        if count.recall > best and count.false_per_series_week <= MOST_FALSE:
            yield count.false_per_series_week, best
            best = count.recall
            yield count.false_per_series_week, best
    yield MOST_FALSE, best


def _labels(named: Sequence[tuple[str, Line]]) -> list[Spec]:
    """Names at the right edge, from the highest curve down, moved apart where they would touch."""
    ends = sorted(
        ((list(_staircase(line))[-1][1], name, line) for name, line in named), key=lambda end: -end[0]
    )
    labels: list[Spec] = []
    lowest = 1.0 + LABEL_APART
    for recall, name, line in ends:
        lowest = min(recall, lowest - LABEL_APART)
        labels.append({"false": MOST_FALSE, "recall": lowest, "label": name, "ours": line.method == NAME})
    return labels
