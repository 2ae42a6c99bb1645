"""The charts of a digest draw what the facts say, and of a name no more than the name."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from tests.digest_cases import HOSTILE, digest_of, full
from tokensleuth.charts import Spec, drawn_png, drawn_svg
from tokensleuth.digest.charts import chart_of, movers_spec, narrow, on_page
from tokensleuth.digest.facts import Digest, Month
from tokensleuth.digest.forecast_chart import forecast_spec
from tokensleuth.digest.page import ChartName
from tokensleuth.digest.pictures import file_stem, page_pictures
from tokensleuth.digest.web_page import web_page
from tokensleuth.digest.words import page_of

NAMES: tuple[ChartName, ...] = ("spend", "movers", "forecast")


def values(spec: Spec) -> list[Spec]:
    return cast(list[Spec], cast(Spec, spec["data"])["values"])


@pytest.mark.parametrize("name", NAMES)
def test_each_chart_is_drawn(name: ChartName) -> None:
    assert drawn_png(chart_of(full(), name)).startswith(b"\x89PNG")


def test_each_incident_is_shaded_by_itself() -> None:
    layers = cast(list[Spec], chart_of(full(), "spend")["layer"])
    shades = values(layers[0])
    assert [(shade["from"], shade["to"]) for shade in shades] == [
        (_ms(2026, 11, 3, 6), _ms(2026, 11, 3, 14)),
        (_ms(2026, 11, 6, 0), _ms(2026, 11, 9, 0)),
    ]


def test_bars_are_the_changes_of_the_movers() -> None:
    digest = digest_of()
    told = {str(v["name"]): v["usd"] for v in values(movers_spec(digest))}
    assert told == {m.scope.items[0][1]: m.change_cents / 100 for m in digest.movers.shown}


def test_the_forecast_goes_on_from_what_is_spent() -> None:
    digest = full()
    assert digest.month.outlook is not None
    rows = values(forecast_spec(digest))
    spent = [row["spent"] for row in rows if "spent" in row]
    assert spent[-1] == pytest.approx(digest.month.outlook.spent_usd)
    assert next(row["mid"] for row in rows if "mid" in row) == digest.month.outlook.spent_usd
    assert rows[-1]["mid"] == digest.month.outlook.mid[-1]


def test_the_legend_of_a_phone_lies_within_the_picture() -> None:
    spec = narrow(on_page(chart_of(full(), "spend")))
    lefts = [cast(Spec, e["x"])["value"] for e in _encodings(spec) if "value" in cast(Spec, e.get("x", {}))]
    assert lefts
    assert all(0 <= cast(int, left) < 300 for left in lefts)
    assert 'width="440"' in drawn_svg(spec)


def test_without_a_forecast_there_is_no_chart() -> None:
    with pytest.raises(ValueError, match="no forecast"):
        forecast_spec(replace(digest_of(), month=Month(None)))


def test_a_page_goes_out_without_charts_that_cannot_be_drawn() -> None:
    digest = digest_of()
    page = page_of(digest)
    shown = web_page(page, page_pictures(digest, page, lambda _: None))
    assert "data:image" not in shown
    assert "Dollars per hour: the week cost $496.85" in shown


@pytest.mark.parametrize(("team", "stem"), [(None, "2026-W45"), (HOSTILE, "2026-W45-a_b_c__script__1")])
def test_no_name_of_a_team_leaves_the_folder(team: str | None, stem: str) -> None:
    assert file_stem(_of(team)) == stem


def _encodings(spec: Spec) -> list[Spec]:
    return [cast(Spec, layer["encoding"]) for layer in cast(list[Spec], spec["layer"])]


def _of(team: str | None) -> Digest:
    return digest_of(team=team)


def _ms(*parts: int) -> int:
    year, month, day, hour = parts
    return round(datetime(year, month, day, hour, tzinfo=UTC).timestamp() * 1000)
