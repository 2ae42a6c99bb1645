"""Whether keys that moved to another model get more tokens for the same work."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.window import instant_text
from tests.ledger_builder import RATES, Cell, LedgerBuilder, at, span
from tools.matched_hours import kinds_of, log_ratios
from tools.switch_candidates import judged_keys
from tools.switch_statistics import CohortTest, compare_cohorts, tokenizer_verdict
from tools.switchers import switchers
from tools.switches import find_moves

DAYS = 12
WINDOW = span(9, hours=72)
SWITCH_HOURS = (0, 5, 11, 26, 31, 40)
TWO_VERSIONS = {
    **RATES,
    "gpt-big-2": RATES["gpt-big"],
    "gpt-dear": tuple(2 * (r or 0) for r in RATES["gpt-big"]),
}


def organisation(
    *,
    moved: int = 6,
    factor: float = 1.2,
    new: str = "gpt-big-2",
    characters: float | None = None,
    longer: Sequence[float] = (),
    each: Sequence[float | None] = (),
) -> Reader:
    """Keys `s0`, `s1` ... move to the new model, each at its own hour; keys `n0` ... stay.

    `longer` makes the prompts of each key longer, `each` gives its characters per token.
    """
    builder = LedgerBuilder(rates=TWO_VERSIONS)
    for i in range(8):
        builder.run(Cell(key_id=f"n{i}", team="quiet", input_tokens=900 + 50 * i), days=DAYS)
    for i in range(moved):
        logged = each[i] if each else characters
        builder.run(Cell(key_id=f"s{i}", input_tokens=800 + 70 * i, characters_per_token=logged), days=DAYS)
    builder.change(span(8, hours=96), lambda hour, cell: _moved(hour, cell, new, factor, longer))
    return builder.reader()


def _moved(hour: datetime, cell: Cell, new: str, factor: float, longer: Sequence[float]) -> Cell:
    i = int(cell.key_id[1:])
    if cell.key_id.startswith("n") or hour < at(9, SWITCH_HOURS[i % 6]):
        return cell
    more = factor * (longer[i] if longer else 1)
    per_token = cell.characters_per_token
    return replace(
        cell,
        model=new,
        input_tokens=cell.input_tokens * more,
        output_tokens=cell.output_tokens * factor,
        characters_per_token=per_token / factor if per_token else None,
    )


def test_six_keys_with_one_common_factor_confirm_a_tokenizer_change() -> None:
    facts = switchers(organisation(), WINDOW).facts
    assert (facts["switchers"], facts["switched_from"], facts["switched_to"]) == (6, "gpt-big", "gpt-big-2")
    assert facts["tokenizer_ratio"] == pytest.approx(1.2, abs=0.01)
    assert facts["output_ratio"] == pytest.approx(1.2, abs=0.01)
    assert facts["tokenizer_verdict"] == 1.0


def test_every_key_has_the_hour_of_its_own_move() -> None:
    rows = {str(row["key_id"]): row["at"] for row in switchers(organisation(), WINDOW).rows}
    hours = {key: instant_text(at(9, SWITCH_HOURS[int(key[1:])])) for key in rows}
    assert rows == hours
    assert len(rows) == 6


def test_two_keys_are_only_consistent_with_a_tokenizer_change() -> None:
    facts = switchers(organisation(moved=2, factor=1.4), WINDOW).facts
    assert (facts["switchers"], facts["tokenizer_verdict"]) == (2, 0.5)


def test_keys_that_moved_without_more_tokens_refute_it() -> None:
    assert switchers(organisation(factor=1.0), WINDOW).facts["tokenizer_verdict"] == 0.0


def test_prompts_rewritten_by_different_factors_are_no_verdict() -> None:
    longer = (1.0, 2.4, 1.1, 1.9, 1.5, 3.0)
    facts = switchers(organisation(factor=1.0, longer=longer), WINDOW).facts
    assert facts["tokenizer_verdict"] == 0.5


def test_another_price_leaves_it_open() -> None:
    facts = switchers(organisation(new="gpt-dear"), WINDOW).facts
    assert facts["switched_price_ratio"] == pytest.approx(2.0, rel=0.001)
    assert facts["tokenizer_verdict"] == 0.5


def test_characters_decide_even_for_one_key() -> None:
    same_text = switchers(organisation(moved=1, characters=4.0), WINDOW).facts
    assert same_text["tokenizer_verdict"] == 1.0
    assert same_text["characters_ratio"] == pytest.approx(1.0, abs=0.01)
    assert same_text["tokens_per_character_ratio"] == pytest.approx(1.2, abs=0.01)


def test_longer_prompts_with_characters_refute_a_tokenizer_change() -> None:
    reader = organisation(factor=1.0, longer=[1.3] * 6, characters=4.0)
    facts = switchers(reader, WINDOW).facts
    assert facts["tokenizer_verdict"] == 0.0
    assert facts["characters_ratio"] == pytest.approx(1.3, abs=0.01)


def test_half_of_the_keys_with_characters_decide_for_all() -> None:
    some = [4.0 if i < 3 else None for i in range(6)]
    rewritten = organisation(factor=1.0, longer=[1.3] * 6, each=some)
    assert switchers(rewritten, WINDOW).facts["tokenizer_verdict"] == 0.0
    few = organisation(factor=1.0, longer=[1.3] * 6, each=[4.0, *[None] * 5])
    facts = switchers(few, WINDOW).facts
    assert facts["tokenizer_verdict"] == 1.0
    assert "characters_ratio" not in facts


def test_a_scope_narrows_the_switchers_and_keeps_the_comparison() -> None:
    facts = switchers(organisation(), WINDOW, where=Scope((("model", "gpt-big-2"), ("team", "search")))).facts
    assert (facts["switchers"], facts["steady_keys"]) == (6, 8)
    assert switchers(organisation(), WINDOW, where=Scope((("team", "quiet"),))).status == "no_data"


def test_no_switchers_are_a_result() -> None:
    answer = switchers(organisation(moved=0), WINDOW)
    assert (answer.status, answer.facts["switchers"]) == ("no_data", 0)
    assert switchers(LedgerBuilder().reader(), WINDOW, where=EVERYTHING).status == "no_data"


def test_many_switchers_are_summed_up() -> None:
    rows = switchers(organisation(moved=24), WINDOW).rows
    assert len(rows) == 21
    assert (rows[-1]["key_id"], rows[-1]["keys"]) == ("(other)", 4)


def test_a_key_that_uses_two_models_as_before_stayed() -> None:
    requests = np.tile([[30.0], [10.0]], (1, 300))
    assert find_moves(["k", "k"], ["a", "b"], requests, first_hour=168) == []
    moved, steady = judged_keys(np.array([[[300.0, 100.0]], [[310.0, 95.0]]]))
    assert (moved.tolist(), steady.tolist()) == ([False], [True])


def test_a_key_with_a_trickle_of_requests_is_no_switcher() -> None:
    requests = np.zeros((2, 300))
    requests[0, :200:20], requests[1, 200::20] = 1, 1
    assert find_moves(["k", "k"], ["a", "b"], requests, first_hour=168) == []


def test_a_weekend_is_compared_with_the_last_weekend() -> None:
    kinds = kinds_of(datetime(2026, 10, 5, tzinfo=UTC), 14 * 24)
    weekend = kinds[:, 24:].sum(axis=1) > 0
    requests = np.ones((1, 14 * 24))
    tokens = np.where(weekend, 300.0, 100.0)[np.newaxis, :]
    friday = (7 + 4) * 24
    assert log_ratios(tokens, requests, friday, kinds)[0] == pytest.approx(0.0)


def test_hours_that_cannot_be_compared_give_no_ratio() -> None:
    kinds = kinds_of(datetime(2026, 10, 5, tzinfo=UTC), 240)
    silent = np.zeros((1, 240))
    assert np.isnan(log_ratios(silent, silent, 168, kinds)[0])


def simulated(rng: np.random.Generator, *, keys: int, factor: float) -> CohortTest:
    """A cohort as hourly totals show it: lognormal prompts, 8 % content drift a week, 6 % jitter an hour."""
    hours = 24 * 12
    kinds = kinds_of(datetime(2026, 10, 5, tzinfo=UTC), hours)
    moments = rng.integers(168, hours - 48, size=keys)
    requests, tokens = _traffic(rng, keys + 8, hours)
    for i, moment in enumerate(moments):
        tokens[i, moment:] *= factor
    ratios = [log_ratios(tokens, requests, int(moment), kinds) for moment in moments]
    switched = np.array([r[i] for i, r in enumerate(ratios)])
    return compare_cohorts(switched, np.array([r[keys:] for r in ratios]))


def _traffic(rng: np.random.Generator, keys: int, hours: int) -> tuple[np.ndarray, np.ndarray]:
    hour = np.arange(hours)
    busy = 40 * (1 + 0.6 * np.sin((hour % 24 - 8) / 24 * 2 * np.pi))
    requests = rng.poisson(np.tile(busy, (keys, 1))).astype(np.float64)
    walk = np.cumsum(rng.normal(0, 0.08 / np.sqrt(168), (keys, hours)), axis=1)
    # The sum of n lognormal prompts is close to normal with the same mean and variance.
    mean, deviation = 1.5, 1.5 * np.sqrt(np.expm1(0.9**2))
    sums = requests * mean + rng.normal(0, 1, (keys, hours)) * np.sqrt(requests) * deviation
    return requests, np.maximum(sums, 0.0) * np.exp(walk + rng.normal(0, 0.06, (keys, hours)))


@pytest.mark.parametrize(("keys", "least"), [(6, 0.9), (12, 0.95)])
def test_a_fifth_more_tokens_is_found(keys: int, least: float) -> None:
    rng = np.random.default_rng(20)
    found = [simulated(rng, keys=keys, factor=1.2) for _ in range(200)]
    assert np.mean([c.rises for c in found]) >= least
    assert np.median([c.ratio for c in found]) == pytest.approx(1.2, abs=0.02)


@pytest.mark.parametrize("keys", [3, 6, 12])
def test_no_change_is_hardly_ever_taken_for_one(keys: int) -> None:
    rng = np.random.default_rng(21)
    assert np.mean([simulated(rng, keys=keys, factor=1.0).rises for _ in range(300)]) < 0.02


@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=12),
    st.lists(st.floats(-1, 1), min_size=3, max_size=8),
    st.floats(-0.5, 0.5),
)
@settings(deadline=None)
def test_a_drift_of_everybody_changes_nothing(moved: list[float], stayed: list[float], drift: float) -> None:
    switched, steady = np.array(moved), np.tile(stayed, (len(moved), 1))
    plain, drifted = compare_cohorts(switched, steady), compare_cohorts(switched + drift, steady + drift)
    assert drifted.ratio == pytest.approx(plain.ratio)
    assert drifted.spread == pytest.approx(plain.spread, abs=1e-9)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=2))
def test_fewer_than_three_keys_never_rise(moved: list[float]) -> None:
    test = compare_cohorts(np.array(moved), np.empty((len(moved), 0)))
    assert not test.rises
    assert test.low <= test.ratio
    assert tokenizer_verdict(test, per_character=None, price_ratio=1.0, requests_ratio=1.0) in (0.0, 0.5)
