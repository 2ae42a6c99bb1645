"""What the root-cause benchmark makes of its outcomes: figures, tables, JSON, and the command."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from evals.rca import __main__ as command
from evals.rca.case import OURS, Answer, Case, Culprit
from evals.rca.document import json_report
from evals.rca.reliability import calibration_error, reliability
from evals.rca.report import markdown_report
from evals.rca.results import SPLITS, Results
from evals.rca.running import Outcome, judge, run_tasks, tasks_for
from evals.rca.statistics import median, percentile, share
from evals.rca.summary import summarise
from evals.rca.tables import mistakes_table, sized_table, splits_table, sweep_table
from evals.rca.targets import SIZE_OF_CPU, TARGETS
from evals.rca.tokenizer_sweep import cells, switches
from ledger.scope import EVERYTHING, Scope
from tests.rca_cases import case, table, truth

LEAVES = table([({"key_id": "k1"}, 10, 50), ({"key_id": "k2"}, 100, 100)])
K1, K2 = Scope.parse(["key_id=k1"]), Scope.parse(["key_id=k2"])
STORM = case(LEAVES, truth(LEAVES, K1, "retry_storm", delta_usd=40), kind="retry_storm")
GROWTH = case(LEAVES, kind="organic", share=0)
RIGHT = Culprit(K1, "retry_storm", 42.0, 0.95)
WRONG = Culprit(K2, "volume_growth", 7.0, 0.6)


def outcome(planted: Case, *culprits: Culprit, method: str = OURS, cpu: float = 0.1) -> Outcome:
    return judge(planted, method, Answer(culprits, cpu, effects_sum=True, told_usd=150.0))


def switch(ratio: float, *culprits: Culprit) -> Outcome:
    traits = replace(GROWTH.traits, kind=f"switch x{ratio:g} on 6 keys")
    truths = () if ratio == 1 else (truth(LEAVES, K1, "tokenizer_change", delta_usd=40),)
    return outcome(replace(GROWTH, traits=traits, truths=truths), *culprits)


@pytest.fixture
def results() -> Results:
    named = Culprit(K1, "tokenizer_change", 40.0, 0.9)
    return Results(
        (
            outcome(STORM, RIGHT),
            outcome(STORM, replace(RIGHT, cause="runaway_loop")),
            outcome(STORM, WRONG, cpu=0.5),
            outcome(GROWTH, WRONG),
            outcome(GROWTH, Culprit(EVERYTHING, "volume_growth", 40.0, 0.8)),
            outcome(STORM, Culprit(K1), method="Adtributor"),
        ),
        (switch(1.0), switch(1.2, named), switch(1.2)),
        ((SIZE_OF_CPU, (outcome(STORM, RIGHT, cpu=0.2),)),),
    )


def test_a_line_counts_cases_and_slices(results: Results) -> None:
    line = results.line(OURS)
    assert (line.exact.value, line.named.value) == (0.6, 0.4)
    assert line.precision == 0.5
    assert line.recall == pytest.approx(2 / 3)
    assert line.f1 == pytest.approx(4 / 7)
    assert line.dollar_error.value == pytest.approx(0.05)
    assert (line.effects_sum.value, line.ledger_agrees.value, line.failures) == (1, 1, 0)


def test_our_product_comes_first(results: Results) -> None:
    assert results.methods == (OURS, "Adtributor")


def test_a_ledger_that_disagrees_is_seen() -> None:
    wrong = judge(STORM, OURS, Answer((), 0.0, told_usd=151.0))
    assert (wrong.ledger_agrees, judge(STORM, "Adtributor", Answer((), 0.0)).ledger_agrees) == (False, None)


def test_targets_are_read_from_the_results(results: Results) -> None:
    figures = {target.name: target.figure(results) for target in TARGETS}
    assert figures["organic growth blamed on nobody"] == 0.5
    assert figures["tokenizer change of 20 % on 6 keys found"] == 0.5
    assert figures["tokenizer change told where there is none"] == 0
    assert figures[f"CPU s per case at {SIZE_OF_CPU}"] == 0.2
    assert [target.is_met(results) for target in TARGETS][-1]


def test_without_extras_their_figures_are_unknown(results: Results) -> None:
    bare = Results(results.outcomes)
    assert math.isnan(next(t for t in TARGETS if t.name.startswith("tokenizer")).figure(bare))
    assert TARGETS[-1].figure(bare) == pytest.approx(0.1)


def test_confidence_is_compared_with_what_came_true(results: Results) -> None:
    bins = reliability(results.ours)
    assert [(b.low, b.count, b.right) for b in bins] == [(0.5, 2, 0), (0.95, 2, 0.5)]
    assert calibration_error(bins) == pytest.approx((2 * 0.6 + 2 * 0.45) / 4)
    assert math.isnan(calibration_error([]))


def test_mistakes_are_told_with_what_was_said_instead(results: Results) -> None:
    text = mistakes_table(results)
    assert "| retry_storm | slice right, named runaway_loop | 1 |" in text
    assert "| retry_storm | other slices, named volume_growth | 1 |" in text
    assert "| organic | blamed volume_growth | 1 |" in text


def test_every_split_has_a_line(results: Results) -> None:
    text = splits_table(results)
    assert all(f"| {name}: " in text for name in SPLITS)


def test_sizes_and_switches_have_tables(results: Results) -> None:
    assert SIZE_OF_CPU in sized_table(results)
    assert "| 1.2 | 6 | 2 | 0.50" in sweep_table(results)
    assert [(c.ratio, c.told.value) for c in cells(results.switches)] == [(1.0, 0), (1.2, 0.5)]


def test_the_report_says_which_targets_are_met(results: Results) -> None:
    text = markdown_report(results)
    assert "| effects add up to the cent | 1.000 | at least 1 | yes |" in text
    assert "| exact slices | 0.600 | at least 0.95 | **no** |" in text


def test_the_document_is_json_without_nan(results: Results) -> None:
    text = json.dumps(json_report(Results(results.outcomes)), allow_nan=False)
    assert len(json.loads(text)["wrong"]) == 3


def test_a_peer_has_no_targets() -> None:
    text = markdown_report(Results((outcome(STORM, Culprit(K1), method="Adtributor"),)))
    assert "## Targets" not in text
    assert "| Adtributor | 1.00" in text


def test_bootstrap_intervals_hold_the_figure() -> None:
    estimate = share([True] * 30 + [False] * 10)
    assert estimate.low < estimate.value == 0.75 < estimate.high
    assert median([1.0, 2.0, 30.0]).value == 2
    assert math.isnan(median([]).value)
    assert math.isnan(percentile([], 50))


def test_tasks_go_through_the_kinds_in_turn() -> None:
    tasks = tasks_for([1, 2], ["quiet", "organic"], 3, ["Adtributor"])
    assert len(tasks) == 6
    assert len(switches(1, 2)) == 24


def test_a_method_that_fails_has_found_nothing() -> None:
    (task,) = tasks_for([1], ["quiet"], 1, ["no such method"])
    (done,) = run_tasks([task], 1, lambda _: None)
    assert done.answer.culprits == ()
    assert "KeyError" in str(done.answer.failure)
    assert "failed:" in done.listing


def test_the_command_runs_peers_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "RESULTS", tmp_path / "RESULTS.md")
    given = ["--seeds", "100", "--cases", "2", "--kinds", "key_surge", "quiet", "--methods", "Adtributor"]
    assert command.main([*given, "--jobs", "1", "--list"]) == 0
    assert "<!-- begin bench-rca -->" in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "out" / "rca.json").read_text(encoding="utf-8"))["methods"]


def test_seeds_of_development_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--seeds", "5", "--cases", "1"]) == 2
    assert "seeds [5]" in capsys.readouterr().err


def test_the_command_is_told_as_it_was_given() -> None:
    options = command.parser().parse_args(
        ["--seeds", "101", "--cases", "5", "--kinds", "quiet", "--no-extras"]
    )
    assert (
        command.command_of(options) == "python -m evals.rca --seeds 101 --cases 5 --kinds quiet --no-extras"
    )


def test_no_outcome_is_no_line() -> None:
    assert math.isnan(summarise(OURS, []).exact.value)
