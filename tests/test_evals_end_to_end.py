from pathlib import Path

import pytest

from evals.__main__ import run_scenario
from evals.bench import real_traffic, start_up
from evals.scenarios import END_AT, Scenario, outage
from ledger.synthetic.spec import OrganisationSpec


def test_a_scenario_runs_through_the_command_line_and_is_graded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = OrganisationSpec(seed=5, teams=3, weeks=3, end_at=END_AT, keys_per_team=2)
    result = run_scenario(Scenario("case-small", spec, outage), tmp_path)
    assert result.failure is None
    assert [grade.expected_cause for grade in result.grade.grades] == ["volume_drop"]
    assert "volume_drop" in capsys.readouterr().out
    assert (tmp_path / "report.json").is_file()


def test_start_up_is_measured_against_its_target() -> None:
    (figure,) = start_up().figures
    assert figure.value > 0
    assert figure.met is not None


def test_without_the_real_traffic_the_bench_says_so(tmp_path: Path) -> None:
    section = real_traffic(tmp_path, None, tmp_path)
    assert section.figures == ()
    assert section.note == f"Skipped: there is no real traffic in {tmp_path}."
