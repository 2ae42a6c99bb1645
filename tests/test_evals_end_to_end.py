import json
from pathlib import Path

import pytest

from evals.__main__ import chosen_cases, parser
from evals.analysts import DETERMINISTIC, Analyst
from evals.bench import real_traffic, start_up
from evals.running import run_scenario
from evals.scenarios import END_AT, SCENARIOS, Scenario
from evals.scenarios.plots import outage
from ledger.synthetic.spec import OrganisationSpec

SPEC = OrganisationSpec(seed=5, teams=3, weeks=3, end_at=END_AT, keys_per_team=2)


def test_a_scenario_runs_through_the_product_and_is_graded_for_each_analyst(tmp_path: Path) -> None:
    other = Analyst("another", DETERMINISTIC.model)
    first, second = run_scenario(Scenario("case-small", SPEC, outage), [DETERMINISTIC, other], tmp_path)
    assert (first.failure, second.failure) == (None, None)
    assert [grade.expected_cause for grade in first.grade.grades] == ["volume_drop"]
    assert first.grade == second.grade
    assert first.shown_claims == ()
    assert len(first.effort.seconds) == first.incidents
    document = json.loads((tmp_path / "report.another.json").read_text(encoding="utf-8"))
    assert document["incidents"]


def test_a_scenario_that_cannot_be_loaded_was_told_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evals.running.write_usage", lambda *_args, **_options: [tmp_path / "missing.csv"])
    (outcome,) = run_scenario(Scenario("case-small", SPEC, outage), [DETERMINISTIC], tmp_path)
    assert outcome.failure
    assert not outcome.grade.strict


def test_cases_are_chosen_by_name_number_and_part() -> None:
    def chosen(*arguments: str) -> list[str]:
        return chosen_cases(parser().parse_args(arguments))

    assert len(chosen()) == len(SCENARIOS)
    assert chosen("--limit", "3") == ["case-01", "case-02", "case-03"]
    assert chosen("--cases", "case-07", "case-02") == ["case-02", "case-07"]
    assert chosen("--held-out", "--limit", "1") == ["case-19"]


def test_start_up_is_measured_against_its_target() -> None:
    (figure,) = start_up().figures
    assert figure.value > 0
    assert figure.met is not None


def test_without_the_real_traffic_the_bench_says_so(tmp_path: Path) -> None:
    section = real_traffic(tmp_path, None, tmp_path)
    assert section.figures == ()
    assert section.note == f"Skipped: there is no real traffic in {tmp_path}."
