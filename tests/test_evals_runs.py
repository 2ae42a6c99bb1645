import sys
from pathlib import Path

import pytest

from evals.bare_load import load
from evals.requests import write_requests
from evals.results import Figure, Section, render_sections
from evals.runs import run


def test_a_run_measures_its_own_process() -> None:
    busy = run((sys.executable, "-c", "sum(range(5_000_000)); print('{\"a\": 1}')"))
    assert (busy.exit_code, busy.document()) == (0, {"a": 1})
    assert 0 < busy.cpu_seconds < 30
    assert busy.peak_mb > 1


def test_a_run_that_prints_no_json_says_what_it_said() -> None:
    failed = run((sys.executable, "-c", "raise SystemExit('no such file')"))
    assert failed.exit_code == 1
    with pytest.raises(RuntimeError, match="exit code 1: no such file"):
        failed.document()


def test_the_bare_load_copies_every_row(tmp_path: Path) -> None:
    source = tmp_path / "requests.parquet"
    write_requests(source, rows=1000)
    assert load(str(source), str(tmp_path / "bare.duckdb")) == 1000


def test_results_name_command_target_and_outcome() -> None:
    figures = (Figure("ratio", 0.4567, "", "at least 0.4", True), Figure("rows", 10_000_000, "rows"))
    text = render_sections([Section("Ingest", "tokensleuth ingest", figures, "A note.")])
    assert "`tokensleuth ingest`" in text
    assert "| ratio | 0.457 | at least 0.4 | yes |" in text
    assert "| rows | 10,000,000 rows |  |  |" in text
