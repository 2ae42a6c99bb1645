"""`forecast` and `budgets` as a user runs them: tables for people, documents for programs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from tests.cli_runner import run, run_json
from tests.ledger_builder import at, daily
from tests.usage_builder import UsageRow, usage, write

SETTINGS = """
[[budget]]
name = "search, together"
where = { team = "search*" }
usd = 900
owner = "alice"

[[budget]]
name = "everything"
usd = 100000.50
"""


def hours_of(team: str, days: int) -> list[UsageRow]:
    rows = []
    for i in range(days * 24):
        hour = at(42 - days, i)
        tokens = round(1_000_000 * daily(hour) * (1 + i % 7 / 50))
        text = hour.isoformat().replace("+00:00", "Z")
        rows.append(usage(text, team=team, key_id=f"key-{team}", input_tokens=tokens))
    return rows


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six weeks up to 15 November of one team, three days of another."""
    folder = tmp_path_factory.mktemp("budgets")
    rows = [*hours_of("search", 42), *hours_of("search-new", 3)]
    loaded = run("ingest", write(folder / "all.parquet", rows), "--ledger", folder / "l.duckdb")
    assert loaded.exit_code == 0
    (folder / "t.toml").write_text(SETTINGS, encoding="utf-8")
    return folder


def items(home: Path, *arguments: str) -> Sequence[Mapping[str, object]]:
    ran = run_json(*arguments, "--ledger", home / "l.duckdb", "--config", home / "t.toml")
    assert ran.exit_code == 0, ran.stderr
    return cast(Sequence[Mapping[str, object]], ran.document["items"])


def test_each_team_has_a_forecast_with_the_days_on_the_way(home: Path) -> None:
    largest, young = items(home, "forecast", "--by", "team")
    assert largest["scope"] == {"team": "search"}
    assert largest["month"] == {"start_at": "2026-11-01T00:00:00Z", "end_at": "2026-12-01T00:00:00Z"}
    days = cast(Sequence[Mapping[str, object]], largest["days"])
    assert (len(days), days[0]["day"], days[-1]["usd"]) == (15, "2026-11-16", largest["forecast_usd"])
    assert young["basis"] == "young"


def test_the_teams_spent_what_all_spent(home: Path) -> None:
    (total,) = items(home, "forecast")
    parts = [float(str(item["spent_usd"])) for item in items(home, "forecast", "--by", "team")]
    assert sum(parts) == pytest.approx(float(str(total["spent_usd"])))


def test_a_forecast_as_of_an_earlier_moment_knows_only_what_came_before(home: Path) -> None:
    (total,) = items(home, "forecast", "--at", "2026-11-10T00:00Z")
    (later,) = items(home, "forecast")
    assert float(str(total["spent_usd"])) < float(str(later["spent_usd"]))


def test_budgets_stand_in_the_order_of_the_settings(home: Path) -> None:
    together, everything = items(home, "budgets")
    assert (together["name"], together["usd"], together["owner"]) == ("search, together", "900.00", "alice")
    assert everything["usd"] == "100000.50"
    assert everything["crosses_on"] == {"earliest": None, "likely": None, "latest": None}
    alerts = cast(Sequence[Mapping[str, object]], together["alerts"])
    assert [alert["kind"] for alert in alerts] == ["crossed_50", "crossed_80", "will_cross"]


def test_people_read_the_interval_and_the_day(home: Path) -> None:
    shown = run("budgets", "--ledger", home / "l.duckdb", "--config", home / "t.toml").stdout
    assert "search, together" in shown
    assert "not this month" in shown
    table = run("forecast", "--by", "team", "--ledger", home / "l.duckdb").stdout
    assert "all of November 2026" in table
    assert "3 days: young, so wide" in table


def test_without_budgets_the_command_says_how_to_set_one(home: Path) -> None:
    ran = run("budgets", "--ledger", home / "l.duckdb")
    assert ran.exit_code == 0
    assert "[[budget]]" in ran.stdout


def test_a_wrong_budget_is_refused_with_its_name(home: Path, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text('[[budget]]\nname = "b"\nusd = -1\n', encoding="utf-8")
    ran = run("budgets", "--ledger", home / "l.duckdb", "--config", tmp_path / "t.toml")
    assert ran.exit_code == 2
    assert "budget" in ran.stderr
