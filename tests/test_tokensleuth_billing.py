"""`tokensleuth billing` shows what bills say, each dollar once."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from ledger.store import open_ledger
from tests.billing_cases import NAMES, SAMPLES
from tests.cli_runner import run
from tokensleuth.cli_billing import add_commands

RANGE = "2026-10-01..2026-10-31"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("billing") / "ledger.duckdb"
    for name in NAMES:
        ran = run("ingest", SAMPLES / f"{name}.csv", "--format", "focus", "--ledger", path)
        assert ran.exit_code == 0
    return path


def billing(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    add_commands(app)
    return CliRunner().invoke(app, ["billing", *map(str, arguments)], env={"COLUMNS": "100"})


def test_the_document_has_every_kind_and_adds_up(ledger: Path) -> None:
    document = json.loads(billing(RANGE, "--ledger", ledger, "--json").stdout)
    assert (document["billed_usd"], document["effective_usd"]) == ("79937.38006", "1252.38006")
    assert [item["kind"] for item in document["kinds"]] == [
        "tokens", "credits", "resource_units", "seats", "commitments", "promo", "other",
    ]  # fmt: skip
    assert document["warnings"] == []


def test_pools_and_commitments_are_told_in_their_own_units(ledger: Path) -> None:
    document = json.loads(billing(RANGE, "--ledger", ledger, "--json").stdout)
    copilot = document["pools"][0]
    assert (copilot["granted"], copilot["drawn"], copilot["remaining"], copilot["overage"]) == (
        "95000", "96500", "0", "1500",
    )  # fmt: skip
    assert document["commitments"][0]["utilisation"] == 0.6


def test_the_tables_show_the_money_the_pools_and_the_commitments(ledger: Path) -> None:
    shown = billing(RANGE, "--ledger", ledger).stdout
    for text in ("resource units", "$79,937.38", "github-copilot AIC", "99,625", "PTU monthly", "60%"):
        assert text in shown


def test_a_month_without_bills_says_so(ledger: Path) -> None:
    shown = billing("2026-08-01..2026-08-02", "--ledger", ledger)
    assert shown.stdout == "bills of 2026-08-01 00:00 to 2026-08-03 00:00 UTC (48 h): none\n"
    assert shown.exit_code == 0


def test_without_a_range_it_is_this_month_so_far(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "empty.duckdb"):
        pass
    document = json.loads(billing("--ledger", tmp_path / "empty.duckdb", "--json").stdout)
    assert document["range"]["start_at"].endswith("-01T00:00:00Z")
