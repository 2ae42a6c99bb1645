"""`tokensleuth export focus`: the file, the word beside it, and what it refuses."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.cli_runner import Ran, run_json
from tests.usage_builder import usage, write
from tokensleuth.cli_export import add_commands

DAY = "2026-11-01..2026-11-01"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    ledger = tmp_path / "ledger.duckdb"
    file = write(tmp_path / "usage.jsonl", [usage(), usage(model="our-own")])
    assert run_json("ingest", file, "--ledger", ledger).exit_code == 0
    return ledger


def run_export(ledger: Path, target: Path, *arguments: str) -> Ran:
    app = typer.Typer()
    add_commands(app)
    given = ["export", "focus", DAY, "-o", str(target), "--ledger", str(ledger), *arguments]
    result = CliRunner().invoke(app, given, env={"COLUMNS": "100"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def test_it_writes_the_file_and_says_beside_it_what_it_is(store: Path, tmp_path: Path) -> None:
    ran = run_export(store, tmp_path / "bill.csv", "--billing-account", "acct-7", "--json")
    assert ran.exit_code == 0
    told = json.loads((tmp_path / "focus-conformance.json").read_text("utf-8"))
    assert {**told, "seconds": ran.document["seconds"]} == ran.document
    assert (told["focus_version"], told["result"]) == ("1.4", "passed_with_waivers")
    assert told["rows"] == {
        "total": 4, "usage": 4, "charges": 0, "unpriced": 2, "billed": 0, "computed": 2,
    }  # fmt: skip
    assert told["totals"]["unpriced_tokens"] == 110
    assert any("virtual currencies" in limit for limit in told["known_limits"])
    assert "acct-7" in (tmp_path / "bill.csv").read_text("utf-8")
    assert not list(tmp_path.glob(".*.part"))


def test_people_are_told_what_was_waived(store: Path, tmp_path: Path) -> None:
    ran = run_export(store, tmp_path / "bill.parquet", "--version", "1.2")
    assert ran.exit_code == 0
    assert "FOCUS 1.2, 4 rows" in ran.stdout
    assert "waived: ListUnitPrice is not null of usage and purchases, 2 rows" in ran.stdout


def test_a_file_that_is_there_is_replaced_only_by_force(store: Path, tmp_path: Path) -> None:
    target = tmp_path / "bill.csv"
    target.write_text("mine", "utf-8")
    refused = run_export(store, target)
    assert (refused.exit_code, target.read_text("utf-8")) == (2, "mine")
    assert "pass --force" in refused.stderr
    assert run_export(store, target, "--force").exit_code == 0
    assert target.read_text("utf-8") != "mine"


@pytest.mark.parametrize(
    ("name", "told"),
    [("bill.xlsx", "use .csv, .csv.gz or .parquet"), ("none/bill.csv", "there is no folder")],
)
def test_a_target_that_cannot_be_is_refused(store: Path, tmp_path: Path, name: str, told: str) -> None:
    ran = run_export(store, tmp_path / name)
    assert ran.exit_code == 2
    assert told in ran.stderr.replace("\n", " ")


def test_a_range_without_usage_gives_a_file_of_no_rows(store: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    add_commands(app)
    given = ["export", "focus", "2020-01-01..2020-01-02", "-o", str(tmp_path / "bill.csv")]
    assert CliRunner().invoke(app, [*given, "--ledger", str(store)]).exit_code == 0
    assert len((tmp_path / "bill.csv").read_text("utf-8").splitlines()) == 1


def test_the_months_of_a_bill_are_utc_wherever_the_machine_is(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    assert run_export(store, tmp_path / "bill.csv").exit_code == 0
    text = (tmp_path / "bill.csv").read_text("utf-8")
    assert "2026-11-01T00:00:00Z" in text
    assert "2026-12-01T00:00:00Z" in text
