"""Many small charts of incidents on one sheet, for people to look at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import vl_convert

from detectors.statistics import BoolArray, FloatArray
from ledger.window import Window
from tokensleuth.charts import ACTUAL, EXPECTED, FLAGGED, FONT, INK, MUTED, SHADE, Spec

_USD_AXIS: Spec = {"title": None, "format": "$~s", "tickCount": 3}
_TIME_AXIS: Spec = {"title": None, "format": "%a %d", "tickCount": {"interval": "day", "step": 1}}


@dataclass(frozen=True, slots=True)
class Picture:
    """One incident; the arrays have one value per hour of `window`."""

    title: str
    subtitle: str
    window: Window
    incident: Window
    actual: FloatArray
    expected: FloatArray
    """NaN where the scope was not scored."""
    flagged: BoolArray


def write_sheet(pictures: Sequence[Picture], target: Path) -> None:
    """All pictures as one PNG."""
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(vl_convert.vegalite_to_png(sheet_spec(pictures), scale=1.5, allowed_base_urls=[]))


def sheet_spec(pictures: Sequence[Picture]) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "white",
        "concat": [_plot(picture) for picture in pictures],
        "columns": 4,
        "spacing": 24,
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {"labelColor": MUTED, "titleColor": MUTED, "grid": False, "domain": False},
            "title": {"anchor": "start", "color": INK, "fontSize": 12, "subtitleColor": MUTED, "limit": 330},
        },
    }


def _plot(picture: Picture) -> Spec:
    time: Spec = {"field": "at", "type": "temporal", "scale": {"type": "utc"}, "axis": _TIME_AXIS}

    def layer(field: str, mark: Spec) -> Spec:
        dollars: Spec = {"field": field, "type": "quantitative", "axis": _USD_AXIS}
        return {"mark": mark, "encoding": {"x": time, "y": dollars}}

    return {
        "width": 330,
        "height": 120,
        "title": {"text": picture.title, "subtitle": picture.subtitle},
        "data": {"values": _values(picture)},
        "layer": [
            _shade(picture),
            layer("expected", {"type": "line", "color": EXPECTED, "strokeDash": [4, 3], "strokeWidth": 1.2}),
            layer("actual", {"type": "line", "color": ACTUAL, "strokeWidth": 1.5}),
            layer("flagged", {"type": "point", "color": FLAGGED, "filled": True, "size": 18, "opacity": 1}),
        ],
    }


def _shade(picture: Picture) -> Spec:
    bounds = {"from": picture.incident.start_at.isoformat(), "to": picture.incident.end_at.isoformat()}
    return {
        "data": {"values": [bounds]},
        "mark": {"type": "rect", "color": SHADE},
        "encoding": {"x": {"field": "from", "type": "temporal"}, "x2": {"field": "to"}},
    }


def _values(picture: Picture) -> list[Spec]:
    columns = zip(picture.window.each_hour(), picture.actual, picture.expected, picture.flagged, strict=True)
    return [
        {
            "at": hour.isoformat(),
            "actual": float(actual),
            "expected": None if math.isnan(expected) else float(expected),
            "flagged": float(actual) if flagged else None,
        }
        for hour, actual, expected, flagged in columns
    ]
