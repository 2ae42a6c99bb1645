"""The benchmark end to end on a few small series, and its parts that read no data."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from detectors import scale, scoring
from evals.detection.ablation import ABLATIONS, VARIANTS, WHOLE, Constant, Variant, patched
from evals.detection.alarms import NO_ROW, Alarm
from evals.detection.chart import chart_spec, write_chart
from evals.detection.comparison import Comparison, method_names, sum_up
from evals.detection.document import json_report
from evals.detection.generator import generate_set
from evals.detection.ours import NAME, Ours, Told
from evals.detection.peers.registry import LeftOut, grace_hours, peer_names
from evals.detection.report import markdown_report
from evals.detection.running import Task, run_task, timed
from evals.detection.spend_set import SpendSet
from evals.detection.summary import INCIDENTS, SCORES
from evals.detection.targets import SPEND_TARGETS
from evals.detection.trial import Trial
from evals.detection.trials import FRESH, TUNING, Trials, fresh_set, load_trials

RULE = "3x the 7-day mean"


def small_set(seed: int) -> SpendSet:
    return generate_set(seed, series=10, history_days=15, scored_days=14)


@pytest.fixture(scope="module")
def found() -> Comparison:
    trials = Trials(Trial(FRESH, (small_set(1), small_set(2))), Trial(TUNING, (small_set(3),)), None)
    names = (NAME, RULE, ABLATIONS[0].name)
    return sum_up(trials, [said for name in names for said in run_task(Task(name, trials.run))])


def test_our_detector_stands_in_three_ways_and_a_peer_in_one(found: Comparison) -> None:
    assert [(line.method, line.way) for line in found.of(FRESH)] == [
        (NAME, INCIDENTS),
        (NAME, "spikes of the keys"),
        (NAME, SCORES),
        (RULE, SCORES),
    ]


def test_our_detector_finds_more_than_the_rule_of_gateways(found: Comparison) -> None:
    rule = next(line for line in found.of(FRESH) if line.method == RULE)
    assert found.ours(FRESH).count.f1 > rule.count.f1
    assert found.ours(FRESH).f1.low <= found.ours(FRESH).count.f1 <= found.ours(FRESH).f1.high


def test_nothing_is_reported_on_the_series_that_chose_the_thresholds(found: Comparison) -> None:
    assert not found.of(TUNING)
    assert list(found.ablation) == [FRESH]


def test_the_report_names_every_target_method_kind_and_ablation(found: Comparison) -> None:
    text = markdown_report(found, None)
    told = [target.name for target in SPEND_TARGETS] + [RULE, "spike", "intermittent", ABLATIONS[0].name]
    assert [name for name in told if name not in text] == []


def test_the_report_as_json_keeps_each_line_with_its_curve(found: Comparison) -> None:
    document = json.loads(json.dumps(json_report(found, None)))
    assert len(document["lines"]) == len(found.lines)
    assert all(len(line["curve"]) > 1 for line in document["lines"])


def test_the_chart_is_a_picture(found: Comparison, tmp_path: Path) -> None:
    write_chart(found.of(FRESH), "Fresh seeds", tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
    assert "spikes of the keys" not in json.dumps(chart_spec(found.of(FRESH)[:1], ""))


def test_a_trial_moves_alarms_into_the_rows_and_columns_it_is_judged_in() -> None:
    trial = Trial("two", (small_set(1), generate_set(2, series=3, history_days=14, scored_days=7)))
    alarms = trial.gathered([[Alarm(4, 366, 368)], [Alarm(1, 336, 340), Alarm(NO_ROW, 0, 337)]])
    assert alarms.row.tolist() == [4, 11, NO_ROW]
    assert alarms.start.tolist() == [6, 168, 168]
    assert alarms.end.tolist() == [8, 172, 169]


def test_a_trial_judges_the_events_of_all_its_parts() -> None:
    parts = (small_set(1), small_set(2))
    judged = Trial("two", parts).judged
    assert len(judged.events) == sum(len(part.events) for part in parts)
    assert judged.series_weeks == 40
    assert {event.row for event in judged.events if event.row >= 10}


def test_scores_of_ours_are_those_of_the_keys_in_the_hours_to_score() -> None:
    spend = small_set(4)
    told = Ours().tell(spend)
    assert told.scores.shape == (10, 14 * 24)
    assert np.isfinite(told.scores).any(axis=1).all()
    assert all(alarm.start < alarm.end <= spend.cost_usd.shape[1] for alarm in told.incidents)


@pytest.fixture(scope="module")
def whole() -> tuple[SpendSet, Told]:
    spend = generate_set(5, series=12, history_days=21, scored_days=7)
    return spend, WHOLE.tell(spend)


def said(told: Told) -> tuple[bytes, object]:
    return told.scores.tobytes(), told.incidents


@pytest.mark.parametrize("variant", ABLATIONS, ids=lambda variant: variant.name)
def test_every_ablation_changes_what_is_said_and_puts_back_what_it_patched(
    variant: Variant, whole: tuple[SpendSet, Told]
) -> None:
    def constants() -> list[object]:
        return [getattr(import_module(one.module), one.name) for one in variant.constants]

    before = constants()
    spend, told = whole
    assert said(variant.tell(spend)) != said(told)
    assert all(now is then for now, then in zip(constants(), before, strict=True))


def test_a_constant_is_put_back_after_a_failure() -> None:
    weights = scoring._RISE_WEIGHTS
    with pytest.raises(RuntimeError), patched(Constant("detectors.scoring", "_RISE_WEIGHTS", lambda _: ())):
        raise RuntimeError
    assert scoring._RISE_WEIGHTS is weights


def test_a_constant_that_is_gone_is_an_error() -> None:
    with pytest.raises(AttributeError), patched(Constant(scale.__name__, "_NO_SUCH", lambda _: 0)):
        pass


def test_the_calendar_rules_have_a_day_of_grace() -> None:
    late = [name for name in peer_names() if grace_hours(name) != 6]
    assert late == ["daily rule, per cent only", "daily rule, +40 % and $100"]


def test_every_name_belongs_to_a_peer_or_a_variant() -> None:
    names = method_names(with_peers=True, with_ablation=True)
    assert len(set(names)) == len(names) == len(peer_names()) + len(VARIANTS)


def test_a_peer_that_is_left_out_is_told_with_its_reason(found: Comparison) -> None:
    text = markdown_report(replace(found, left_out=(LeftOut("Prophet", "it is not here"),)), None)
    assert text.rstrip().endswith("Prophet (it is not here).")


def test_without_the_data_a_seed_that_is_not_reported_chooses_the_thresholds(tmp_path: Path) -> None:
    trials = load_trials(tmp_path, [1], 5)
    assert [trial.name for trial in trials.reported] == [FRESH]
    assert [trial.name for trial in trials.run] == [TUNING, FRESH]


def test_even_seeds_are_made_of_real_clients_where_there_are_any() -> None:
    clients = np.random.default_rng(0).random((3, 336)) + 0.1
    parametric, real = (fresh_set(seed, 5, clients) for seed in (1, 2))
    assert (parametric.name, real.name) == ("seed 1", "seed 2 on real clients")
    np.testing.assert_array_equal(parametric.cost_usd, generate_set(1, series=5).cost_usd)
    assert not np.array_equal(real.cost_usd, generate_set(2, series=5).cost_usd)


def test_cpu_is_measured() -> None:
    done = timed(lambda: sum(range(10**6)))
    assert (done.value, done.cpu_seconds > 0) == (499999500000, True)


def test_a_set_without_tokens_is_detected_without_prices() -> None:
    spend = replace(small_set(4), tokens=None)
    assert not any(spike.terms["price"] for spike in Ours().detect(spend).spikes)
