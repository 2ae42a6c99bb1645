"""The program as other programs start it: exit codes, and one JSON document on stdout whatever happens."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import duckdb
import pytest

from ledger.synthetic.demo import DEMO_RANGE
from tests.cli_runner import run, run_json
from tests.usage_builder import usage, write
from tokensleuth.commands.demo import not_before_the_demo

DAY = "2026-11-01"


def started(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tokensleuth", *map(str, arguments)]
    env = {**os.environ, "COLUMNS": "100", **environment}
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False, encoding="utf-8")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("main")
    rows = [usage(team="été 🔥 [red]", input_tokens=9_000_000), usage("2026-10-25T09:00:00Z")]
    path = folder / "l.duckdb"
    assert run("ingest", write(folder / "u.csv", rows), "--ledger", path).exit_code == 0
    return path


@pytest.mark.parametrize(
    "arguments",
    [["detect", "--bogus"], ["investigate"], ["dance"], ["proposals", "--state", "x"], ["--bogus"]],
)
def test_a_wrong_command_line_is_told_in_json_too(arguments: list[str]) -> None:
    ran = started(*arguments, "--json")
    assert ran.returncode == 2
    assert "see tokensleuth --help" in json.loads(ran.stdout)["error"]
    assert "error:" in ran.stderr


def test_people_are_told_a_wrong_command_line_on_stderr_only() -> None:
    ran = started("detect", "--bogus")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "No such option: --bogus" in ran.stderr


def test_the_version_is_told() -> None:
    ran = started("--version")
    assert (ran.returncode, ran.stdout.strip()) == (0, f"tokensleuth {version('tokensleuth')}")


def test_a_terminal_without_the_characters_gets_others(ledger: Path) -> None:
    ran = started("investigate", DAY, "--ledger", ledger, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ran.returncode == 0
    assert "[red]" in ran.stdout
    asked = ("investigate", DAY, "--ledger", ledger, "--json")
    ran = started(*asked, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert "été 🔥 [red]" in json.dumps(json.loads(ran.stdout), ensure_ascii=False)


def test_a_full_disk_under_stdout_is_an_error_and_no_traceback(ledger: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "tokensleuth", "detect", DAY, "--ledger", str(ledger), "--json"]
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert "No space left" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_ledger_another_process_holds_is_not_reachable(ledger: Path) -> None:
    with duckdb.connect(str(ledger)):
        ran = started("detect", DAY, "--ledger", ledger, "--json")
    assert ran.returncode == 3
    assert "in use by another process" in json.loads(ran.stdout)["error"]


@pytest.mark.parametrize("where", ["a-file", "a-file/below"])
def test_a_chart_folder_that_cannot_be_made_is_told_before_the_work(
    ledger: Path, tmp_path: Path, where: str
) -> None:
    (tmp_path / "a-file").touch()
    ran = run_json("investigate", DAY, "--chart", tmp_path / where, "--ledger", ledger)
    assert ran.exit_code == 3
    assert where in str(ran.document["error"])
    assert run_json("demo", "--dir", tmp_path / where).exit_code == 3


def test_steps_that_are_no_database_may_be_deleted(tmp_path: Path, ledger: Path) -> None:
    copied = tmp_path / "l.duckdb"
    copied.write_bytes(ledger.read_bytes())
    (tmp_path / "l.checkpoints.sqlite").write_text("this is no database" * 100)
    ran = run("investigate", DAY, "--ledger", copied)
    assert ran.exit_code == 3
    assert "may be deleted" in ran.stderr


def test_an_error_shows_no_control_characters(tmp_path: Path) -> None:
    ran = run("detect", DAY, "--ledger", tmp_path / "\x1b[31mred")
    assert "\x1b[31mred" not in ran.stderr


def test_doctor_makes_no_casebook(tmp_path: Path) -> None:
    assert run("doctor", "--ledger", tmp_path / "l.duckdb").exit_code == 0
    assert not list(tmp_path.iterdir())


def test_a_clock_behind_the_demo_does_not_reject_its_usage() -> None:
    assert not_before_the_demo(datetime(2026, 1, 1, tzinfo=UTC)) == DEMO_RANGE.end_at
    assert not_before_the_demo(datetime(2027, 1, 1, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)
