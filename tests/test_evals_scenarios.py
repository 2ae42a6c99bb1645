from collections import Counter
from typing import get_args

from evals.scenarios import FRESH, SCENARIOS, Scenario, Story
from evals.scenarios.renaming import HOSTILE
from ledger.synthetic.causes import CauseName
from ledger.synthetic.columns import TEXT_COLUMNS


def story_with(mark: str) -> Story:
    """Of the first scenario that sets this field."""
    default = Scenario.__dataclass_fields__[mark].default
    return next(scenario for scenario in SCENARIOS if getattr(scenario, mark) != default).story()


def test_names_are_numbers_that_leak_no_answer() -> None:
    assert [scenario.name for scenario in SCENARIOS] == [f"case-{n:02}" for n in range(1, len(SCENARIOS) + 1)]


def test_no_seed_is_used_twice_and_the_held_out_ones_are_marked() -> None:
    seeds = Counter(scenario.spec.seed for scenario in SCENARIOS)
    assert max(seeds.values()) == 1
    assert sum(not scenario.held_out for scenario in SCENARIOS) == 18


def test_every_cause_is_there_material_and_in_the_range_with_enough_harmless_cases() -> None:
    truths = {scenario.name: scenario.story().truth for scenario in SCENARIOS}
    for scenario in SCENARIOS:
        days = scenario.asked.days if scenario.explain else 1
        for one in truths[scenario.name].injected:
            assert scenario.asked.start_at <= one.window.start_at, scenario.name
            assert one.window.end_at <= scenario.asked.end_at, scenario.name
            assert abs(float(one.delta_usd)) > 0.01 * days * scenario.spec.usd_per_day, scenario.name
    causes = Counter(one.cause for truth in truths.values() for one in truth.injected)
    kinds = Counter(truth.kind for truth in truths.values())
    assert set(causes) == set(get_args(CauseName))
    assert min(causes.values()) >= 3
    assert kinds["benign"] >= len(SCENARIOS) / 4
    assert kinds["artifact"] >= len(SCENARIOS) / 10
    assert sum(len(truth.injected) > 1 for truth in truths.values()) >= 2


def test_a_quiet_case_has_a_normal_week_to_tell() -> None:
    truth = SCENARIOS[1].story().truth
    assert (truth.kind, truth.causes) == ("benign", ("normal_variation",))


def test_growth_has_no_hour_it_began_and_a_range_as_a_question_has_none_either() -> None:
    growing = SCENARIOS[16].story().truth
    assert not growing.onset_graded(growing.injected[0])
    assert not story_with("explain").truth.onset


def test_habits_are_nothing_to_grade() -> None:
    assert story_with("habit").truth.injected == ()


def test_a_planned_case_is_benign_because_the_calendar_says_so() -> None:
    story = story_with("planned")
    (one,), (entry,) = story.truth.injected, story.calendar
    assert story.truth.verdict(one) == "benign"
    assert (entry.window, entry.scope) == (one.window, one.scope)


def test_a_wrong_price_is_in_the_book_and_not_in_the_rows() -> None:
    wrong = next(scenario for scenario in SCENARIOS if scenario.spec.seed == 507 + FRESH).story()
    (override,) = wrong.price_override
    assert wrong.truth.kind == "artifact"
    assert wrong.truth.injected[0].scope.as_dict() == {"model": override.model}
    assert wrong.rows["cost_usd"].isna().all()


def test_hostile_names_fill_every_field_and_the_truth_goes_by_them() -> None:
    story = story_with("renaming")
    for column in set(TEXT_COLUMNS) & set(HOSTILE.endings):
        assert story.rows[column].dropna().str.endswith(HOSTILE.endings[column]).all()
    assert story.truth.injected[0].scope.as_dict()["key_id"] in set(story.rows["key_id"])
    assert {alias.deployment for alias in story.model_alias} == set(story.rows["model"])
