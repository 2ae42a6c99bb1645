from collections import Counter
from typing import get_args

import pytest

from evals.scenarios import SCENARIOS, Scenario
from ledger.synthetic.causes import CauseName


def test_names_are_numbers_that_leak_no_answer() -> None:
    assert [scenario.name for scenario in SCENARIOS] == [f"case-{n:02}" for n in range(1, len(SCENARIOS) + 1)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_is_injected_lies_in_the_range_asked_about_and_is_material(scenario: Scenario) -> None:
    for injected in scenario.organisation().injected:
        assert scenario.asked.start_at <= injected.window.start_at
        assert injected.window.end_at <= scenario.asked.end_at
        assert abs(injected.delta_usd) > 200


def test_the_set_covers_every_cause_and_has_quiet_organisations() -> None:
    causes = Counter(entry.cause for scenario in SCENARIOS for entry in scenario.organisation().injected)
    assert set(causes) == set(get_args(CauseName))
    assert sum(not scenario.organisation().injected for scenario in SCENARIOS) >= 2
