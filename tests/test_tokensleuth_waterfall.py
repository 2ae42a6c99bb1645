"""The waterfall as people see it: bars in the terminal and a PNG, both exact to the cent."""

import io
import json
import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console, Group

from agent.finding import Effect, Finding
from agent.investigation import Investigation
from agent.waterfall import Waterfall, waterfall
from ledger.scope import Scope
from playbooks import Cause
from tests.ledger_builder import span
from tokensleuth.commands.investigate import chart_paths, shown_incident, write_charts
from tokensleuth.investigation import Investigated, InvestigatedRange
from tokensleuth.terminal import WaterfallBars, incident_card
from tokensleuth.timeline import Timeline
from tokensleuth.waterfall_chart import (
    FILLS,
    WaterfallChart,
    finding_sentence,
    finding_waterfall,
    render_waterfall_png,
    waterfall_spec,
)
from tools.split import EFFECTS

EXAMPLE = Path(__file__).parents[1] / "docs" / "contract" / "examples" / "investigate.json"
LONG = "a-very-long-name-of-a-team-that-does-not-end" * 6


def drawn(expected: str, **effects: str) -> Waterfall:
    amounts = {str(name): Decimal(effects.get(name, "0.00")) for name in EFFECTS}
    return waterfall(Decimal(expected), Decimal(expected) + sum(amounts.values()), amounts)


ONE = drawn("120.00", price="80.00")
FALL = drawn("900.00", volume="-500.00", price="20.00")
CUT = drawn("2000000.00", volume="1500.00", cache="-200.00")
TINY = drawn("50.00", retries="98765.43", price="0.01", cache="0.02")
THIRTEEN = drawn("5000.00", **{name: f"{(-1) ** i * (i + 5) * 20}.01" for i, name in enumerate(EFFECTS)})
EVERY = [ONE, FALL, CUT, TINY, THIRTEEN, drawn("100.00"), drawn("0.00", new_entities="812.44"), drawn("0.00")]


class Stream(io.StringIO):
    """A file of one encoding that is no terminal."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self.named = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.named


def lines(of: Waterfall, width: int = 80, encoding: str = "utf-8") -> list[str]:
    out = Stream(encoding)
    Console(file=out, width=width, highlight=False).print(WaterfallBars(of))
    return out.getvalue().splitlines()


def amount(line: str) -> Decimal:
    sign, digits = re.findall(r"([+-]?)\$([\d,]+\.\d\d)", line)[0]
    return Decimal(sign + digits.replace(",", ""))


def finding(cause: Cause = "retry_storm", delta: str = "80.00", **scope: str) -> Finding:
    return Finding(
        incident_id="inc_1",
        window=span(0),
        scope=Scope.parse(f"{name}={value}" for name, value in scope.items()),
        expected_usd=Decimal("120.00"),
        actual_usd=Decimal("120.00") + Decimal(delta),
        delta_usd=Decimal(delta),
        verdict="confirmed",
        cause=cause,
        confidence=0.9,
        alternatives=(),
        culprits=(),
        effects=(Effect(name="retries", usd=Decimal(delta)), Effect(name="price", usd=Decimal("0.00"))),
        changes=(),
        unpriced_tokens=0,
    )


def investigated(found: Finding) -> InvestigatedRange:
    hours = np.ones(24)
    line = Timeline(span(0), found.scope, hours, hours, hours, hours, hours > 1)
    one = Investigated(Investigation(found, (), pending=False), 0.1, line)
    return InvestigatedRange(span(0), 1, (one,), Decimal("0.00"))


def values(of: Waterfall) -> list[dict[str, Any]]:
    data = cast(dict[str, Any], waterfall_spec(WaterfallChart("t", "s", of))["data"])
    return cast(list[dict[str, Any]], data["values"])


@settings(max_examples=50)
@given(
    expected=st.integers(0, 10**9),
    cents=st.lists(st.integers(-(10**8), 10**8), min_size=len(EFFECTS), max_size=len(EFFECTS)),
)
def test_the_printed_amounts_add_up_to_the_cent(expected: int, cents: Sequence[int]) -> None:
    amounts = [Decimal(c).scaleb(-2) for c in cents]
    start = Decimal(expected).scaleb(-2)
    found = waterfall(start, start + sum(amounts), dict(zip(EFFECTS, amounts, strict=True)))
    printed = [amount(line) for line in lines(found)[: len(found.steps)]]
    assert sum(printed[:-1]) == printed[-1] == start + sum(amounts)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("of", EVERY)
def test_no_line_is_wider_than_the_terminal(of: Waterfall, width: int) -> None:
    assert max(map(len, lines(of, width))) <= width


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
@pytest.mark.parametrize("of", EVERY)
def test_a_terminal_without_blocks_gets_plain_characters(of: Waterfall, encoding: str) -> None:
    assert "\n".join(lines(of, encoding=encoding)).isascii()


def test_a_bar_starts_where_the_one_before_ends() -> None:
    expected, rise, actual = lines(drawn("120.00", price="80.00"), 60, "ascii")[:3]
    assert rise.index("+" * 5) == expected.rindex("#") + 1
    assert actual.rindex("#") == rise.rindex("+")


def test_falls_look_unlike_rises_without_a_colour() -> None:
    _, fall, rise, _ = lines(FALL)[:4]
    assert ("░" in fall, "█" in fall) == (True, False)
    assert ("░" in rise, "█" in rise) == (False, True)
    assert "\x1b" not in fall


def test_a_cut_scale_is_told_and_marked() -> None:
    told = lines(CUT)
    assert "the bars start at $1,999,000.00, not at zero" in told
    assert "▞█" in told[0]
    assert not any("not at zero" in line for line in lines(ONE))


def test_joined_effects_are_listed_below() -> None:
    assert "other effects: less use of the cache +$0.02, higher prices +$0.01" in lines(TINY)
    assert "10 effects are zero" in lines(TINY)


def test_a_card_shows_the_waterfall_after_the_sentence_and_before_the_culprits() -> None:
    incident = json.loads(EXAMPLE.read_text("utf-8"))["incidents"][0]
    out = Stream("utf-8")
    Console(file=out, width=80).print(incident_card(incident))
    told = out.getvalue()
    places = [
        told.index(t) for t in ("$96.10 instead of $12.40", "+$83.70 in all", "more retries", "Culprits")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("of", EVERY)
def test_the_png_is_960_points_wide_and_not_blank(of: Waterfall) -> None:
    png = render_waterfall_png(WaterfallChart("Spend is above expectation", "an hour", of))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">I", png[16:20]) == (1920,)
    assert len(set(pixels(png))) > 40


def pixels(png: bytes) -> bytes:
    """The filtered bytes of the picture: one value throughout where it is blank."""
    at, data = 8, b""
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        data += png[at + 8 : at + 8 + size] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += size + 12
    return zlib.decompress(data)


def test_the_chart_names_its_rows_in_words_with_signed_dollars() -> None:
    assert [(v["label"], v["amount"]) for v in values(FALL)] == [
        ("Expected", "$900.00"),
        ("Fewer requests", "-$500.00"),
        ("Higher prices", "+$20.00"),
        ("Actual", "$420.00"),
    ]


def test_totals_start_at_the_floor_of_the_scale() -> None:
    assert [v["start"] for v in values(CUT)] == [1_999_000.0, 2_000_000.0, 2_001_500.0, 1_999_000.0]
    assert [v["start"] for v in values(ONE)] == [0.0, 120.0, 0.0]


def test_the_three_kinds_of_bar_differ_in_grey() -> None:
    greys = sorted(
        0.299 * int(c[1:3], 16) + 0.587 * int(c[3:5], 16) + 0.114 * int(c[5:7], 16) for c in FILLS.values()
    )
    assert min(b - a for a, b in pairwise(greys)) > 40


def test_a_long_title_is_wrapped_once_and_then_shortened() -> None:
    chart = replace(finding_waterfall(finding(team=LONG)), subtitle="\u202e")
    title = cast(dict[str, Any], waterfall_spec(chart)["title"])
    assert len(title["text"]) == 2
    assert title["text"][0].startswith("Retry storm: spend is $80.00 above expectation for team")
    assert title["text"][1].endswith("…")
    assert title["subtitle"] == " "


def test_the_title_is_one_sentence_with_the_dollars() -> None:
    assert finding_sentence(finding(delta="-80.00", team="a", key_id="k1")) == (
        "Retry storm: spend is $80.00 below expectation for team a, key k1"
    )
    assert finding_sentence(finding("unknown")) == "Cause unknown: spend is $80.00 above expectation"
    assert finding_sentence(finding("normal_variation", "0.00")) == "Normal variation: spend is as expected"


def test_the_waterfall_is_written_beside_the_chart_and_both_are_named(tmp_path: Path) -> None:
    found = investigated(finding())
    charts = write_charts(found, tmp_path / "charts")
    beside = tmp_path / "charts" / "inc_1-waterfall.png"
    assert beside.read_bytes().startswith(b"\x89PNG")
    assert chart_paths(charts) == {
        "charts": {"inc_1": str(tmp_path / "charts" / "inc_1.png")},
        "waterfalls": {"inc_1": str(beside)},
    }
    out = Stream("utf-8")
    Console(file=out, width=300).print(Group(*shown_incident(found.incidents[0], charts)))
    assert f"waterfall: {beside}" in out.getvalue()


def test_without_charts_no_files_are_named() -> None:
    assert chart_paths({}) == {}
