"""The chart of an incident: a PNG of the right size whose specification says what it should."""

import math
import struct
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from tokensleuth.charts import IncidentChart, chart_spec, render_png

START = datetime(2026, 11, 2, tzinfo=UTC)
HOUR_MS = 3_600_000
START_MS = int(START.timestamp() * 1000)


def chart(hours: int = 48, *, flagged: range = range(30, 33), level: float = 40.0) -> IncidentChart:
    expected = [level * (1 + math.sin(i / 4) / 2) for i in range(hours)]
    return IncidentChart(
        title="Retry storm: team search",
        subtitle="+$1,204.18 in 3 hours",
        hours=[START + timedelta(hours=i) for i in range(hours)],
        actual=[e * (6 if i in flagged else 1) for i, e in enumerate(expected)],
        expected=expected,
        low=[e * 0.7 for e in expected],
        high=[e * 1.3 for e in expected],
        flagged=[i in flagged for i in range(hours)],
    )


def layers(drawn: IncidentChart, mark: str) -> list[dict[str, Any]]:
    every = cast(list[dict[str, Any]], chart_spec(drawn)["layer"])
    return [layer for layer in every if layer["mark"]["type"] == mark]


def labels(drawn: IncidentChart) -> list[str]:
    return [layer["data"]["values"][0]["label"] for layer in layers(drawn, "text")]


def axis(drawn: IncidentChart, channel: str) -> dict[str, Any]:
    found: dict[str, Any] = layers(drawn, "area")[0]["encoding"][channel]["axis"]
    return found


def test_the_png_is_960_by_420_at_double_resolution() -> None:
    png = render_png(chart())
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", png[16:24]) == (1920, 840)


def test_the_incident_is_shaded_from_the_first_flagged_hour_to_the_end_of_the_last() -> None:
    (shade,) = layers(chart(), "rect")
    assert shade["data"]["values"] == [{"from": START_MS + 30 * HOUR_MS, "to": START_MS + 33 * HOUR_MS}]


def test_a_chart_without_flagged_hours_shades_nothing_and_names_nothing_it_does_not_show() -> None:
    quiet = chart(flagged=range(0))
    assert layers(quiet, "rect") == []
    assert labels(quiet) == ["Actual", "Expected", "Expected range"]
    assert labels(chart()) == ["Actual", "Expected", "Expected range", "Flagged hours", "Incident"]


def test_each_hour_is_drawn_at_its_middle() -> None:
    data = cast(dict[str, Any], chart_spec(chart())["data"])["values"]
    assert [datum["at"] for datum in data[:2]] == [START_MS + HOUR_MS // 2, START_MS + 3 * HOUR_MS // 2]


def test_what_is_not_known_is_left_out_of_the_line() -> None:
    drawn = replace(chart(), expected=[math.nan] * 24 + [1.0] * 24)
    data = cast(dict[str, Any], chart_spec(drawn)["data"])["values"]
    assert data[0]["expected"] is None
    assert render_png(drawn).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("level", "dollars"),
    [(40_000.0, "$,.0f"), (40.0, "$,.0f"), (0.5, "$,.2f"), (0.0005, "$,.4f"), (0.0, "$,.2f")],
)
def test_the_dollar_axis_has_enough_decimals_to_tell_its_ticks_apart(level: float, dollars: str) -> None:
    assert axis(chart(level=level), "y")["format"] == dollars


@pytest.mark.parametrize(("hours", "step"), [(6, 2), (24, 3), (72, 6), (168, 24), (336, 48), (1000, 168)])
def test_ticks_fall_on_whole_steps_of_utc_and_stay_few(hours: int, step: int) -> None:
    ticks = axis(chart(hours), "x")["values"]
    assert ticks[0] == START_MS
    assert all(later - earlier == step * HOUR_MS for earlier, later in pairwise(ticks))
    assert len(ticks) <= 16


def test_control_characters_do_not_reach_the_title() -> None:
    drawn = replace(chart(), title="team \x1b[31mred\nnext", subtitle="\u202e")
    assert chart_spec(drawn)["title"] == {"text": "team  [31mred next", "subtitle": " "}
    assert render_png(drawn).startswith(b"\x89PNG")


def test_series_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="a chart of 48 hours needs as many of each value, not 48, 47"):
        replace(chart(), expected=[1.0] * 47)
    with pytest.raises(ValueError, match="a chart of 0 hours"):
        IncidentChart("t", "s", [], [], [], [], [], [])


def test_hours_in_another_zone_are_refused() -> None:
    berlin = timezone(timedelta(hours=1))
    with pytest.raises(ValueError, match="is not an aware UTC instant"):
        replace(chart(1), hours=[START.astimezone(berlin)])


def test_the_picture_does_not_depend_on_the_zone_of_the_machine() -> None:
    program = (
        f"import hashlib, sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_tokensleuth_charts import chart, render_png\n"
        "print(hashlib.sha256(render_png(chart())).hexdigest())"
    )
    pictures = {
        subprocess.run(
            [sys.executable, "-c", program], env={"TZ": zone}, capture_output=True, check=True, text=True
        ).stdout
        for zone in ("UTC", "Asia/Tokyo")
    }
    assert len(pictures) == 1
