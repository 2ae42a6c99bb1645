"""The benchmark's contact with the product: what it loads is what was generated, and the command agrees."""

import pytest

from evals.rca import ours, through_cli
from evals.rca.case import OURS
from evals.rca.generator import Size, generate_case
from evals.rca.running import run_tasks, tasks_for
from ledger.scope import EVERYTHING
from ledger.window import baseline_windows

SMALL = Size(leaves=120)


@pytest.mark.parametrize("kind", ["unpriced", "price_change", "counted_twice"])
def test_the_ledger_holds_what_was_generated(kind: str) -> None:
    case = generate_case(11, kind, 0, SMALL)
    with ours.loaded(case) as reader:
        extent = reader.extent()
        assert extent is not None
        windows = baseline_windows(case.window, extent)
        now = reader.totals([case.window])[EVERYTHING]
        before = reader.totals(windows)[EVERYTHING]
    assert now.cost_pico / 1e12 == pytest.approx(float(case.table.after_usd.sum()), abs=1e-6)
    assert before.cost_pico / 1e12 / len(windows) == pytest.approx(
        float(case.table.before_usd.sum()), abs=1e-6
    )
    assert (now.input_characters is not None) == case.traits.characters


def test_an_explanation_adds_up_and_agrees_with_the_rows() -> None:
    (task,) = tasks_for([11], ["key_surge"], 1, [OURS], SMALL)
    (done,) = run_tasks([task], 1, lambda _: None)
    assert done.answer.failure is None
    assert done.answer.effects_sum
    assert done.ledger_agrees
    assert done.answer.cpu_seconds > 0


def test_the_command_tells_what_the_benchmark_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert through_cli.main(["--seed", "11", "--kinds", "key_surge"]) == 0
    assert "0 differences" in capsys.readouterr().out
