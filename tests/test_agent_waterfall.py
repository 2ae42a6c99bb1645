"""The steps of a waterfall add up exactly, whatever the effects are."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.waterfall import LABELS, Waterfall, effect_label, waterfall
from tools.split import EFFECTS

CENTS = st.one_of(st.just(0), st.integers(-(10**3), 10**3), st.integers(-(10**9), 10**9))
AMOUNTS = CENTS.map(lambda cents: Decimal(cents).scaleb(-2))
COSTS = st.integers(0, 10**10).map(lambda cents: Decimal(cents).scaleb(-2))


def drawn(expected: str, **effects: str) -> Waterfall:
    """All effects of the closed list, the ones not named at zero."""
    amounts = {str(name): Decimal(effects.get(name, "0.00")) for name in EFFECTS}
    return waterfall(Decimal(expected), Decimal(expected) + sum(amounts.values()), amounts)


def told(of: Waterfall) -> list[tuple[str, str]]:
    return [(step.label, str(step.usd)) for step in of.effects]


def test_every_effect_of_the_closed_list_has_plain_words_of_its_own() -> None:
    assert tuple(LABELS) == EFFECTS
    words = [word for name in EFFECTS for word in set(LABELS[name])]
    assert len(set(words)) == len(words)


@given(expected=COSTS, amounts=st.lists(AMOUNTS, min_size=len(EFFECTS), max_size=len(EFFECTS)))
def test_the_steps_lead_from_the_expected_to_the_actual_cost(
    expected: Decimal, amounts: list[Decimal]
) -> None:
    effects: Mapping[str, Decimal] = dict(zip(EFFECTS, amounts, strict=True))
    found = waterfall(expected, expected + sum(amounts), effects)
    assert sum((step.usd for step in found.effects), Decimal()) == sum(amounts) == found.delta_usd
    levels = [found.steps[0].end_usd, *(e for s in found.effects for e in (s.start_usd, s.end_usd))]
    assert all(end == start for end, start in zip(levels[::2], levels[1::2], strict=False))
    assert levels[-1] == found.steps[-1].usd
    assert all(step.end_usd - step.start_usd == step.usd != 0 for step in found.effects)


@given(expected=COSTS, amounts=st.lists(AMOUNTS, min_size=len(EFFECTS), max_size=len(EFFECTS)))
def test_no_effect_is_lost_between_the_steps_the_joined_and_the_zeros(
    expected: Decimal, amounts: list[Decimal]
) -> None:
    found = waterfall(expected, expected + sum(amounts), dict(zip(EFFECTS, amounts, strict=True)))
    other = [step.usd for step in found.effects if step.label == "other effects"]
    assert sum(other) == sum(usd for _, usd in found.joined)
    assert len(found.effects) - len(other) + len(found.joined) + found.zeros == len(EFFECTS)


@given(expected=COSTS, amounts=st.lists(AMOUNTS, min_size=len(EFFECTS), max_size=len(EFFECTS)))
def test_no_level_is_below_zero_or_below_the_floor(expected: Decimal, amounts: list[Decimal]) -> None:
    actual = max(Decimal(), expected + sum(amounts))
    found = waterfall(expected, actual, dict(zip(EFFECTS, amounts, strict=True)))
    assert all(step.end_usd >= found.floor_usd >= 0 for step in found.steps)


def test_rises_and_falls_stand_apart_the_largest_first() -> None:
    found = drawn("100.00", cache="-20.00", volume="30.00", price="50.00", tokenizer="-5.00")
    assert told(found) == [
        ("higher prices", "50.00"),
        ("more requests", "30.00"),
        ("better use of the cache", "-20.00"),
        ("fewer tokens per text", "-5.00"),
    ]


def test_of_a_fall_the_falls_come_first_unless_they_go_below_zero() -> None:
    assert [s.kind for s in drawn("100.00", volume="-60.00", price="10.00").effects] == ["fall", "rise"]
    deep = drawn("100.00", gone_entities="-180.00", new_entities="120.00")
    assert [s.kind for s in deep.effects] == ["rise", "fall"]


def test_small_effects_are_joined_with_their_exact_sum() -> None:
    found = drawn("1.00", retries="990.00", volume="0.02", price="0.01", cache="-0.05")
    assert told(found) == [("more retries", "990.00"), ("other effects", "-0.02")]
    assert [str(usd) for _, usd in found.joined] == ["-0.05", "0.02", "0.01"]


def test_a_single_small_effect_keeps_its_name() -> None:
    found = drawn("1.00", retries="990.00", price="0.01")
    assert told(found) == [("more retries", "990.00"), ("higher prices", "0.01")]
    assert found.joined == ()


def test_small_effects_that_cancel_out_have_no_bar() -> None:
    found = drawn("1.00", retries="990.00", price="0.01", cache="-0.01")
    assert told(found) == [("more retries", "990.00")]
    assert len(found.joined) == 2


def test_without_a_change_there_are_only_the_totals() -> None:
    found = drawn("100.00")
    assert [step.label for step in found.steps] == ["expected", "actual"]
    assert found.zeros == 13
    assert found.floor_usd == 0


def test_what_effects_leave_over_is_told_and_not_hidden() -> None:
    found = waterfall(Decimal("10.00"), Decimal("30.00"), {"volume": Decimal("15.00")})
    assert told(found) == [("more requests", "15.00"), ("not explained", "5.00")]


@pytest.mark.parametrize(
    ("expected", "volume", "floor"),
    [
        ("100.00", "90.00", "0"),
        ("2000000.00", "1500.00", "1999000"),
        ("0.00", "5.00", "0"),
        ("9.00", "0.50", "8.7"),
    ],
)
def test_a_scale_starts_above_zero_only_where_the_steps_would_vanish(
    expected: str, volume: str, floor: str
) -> None:
    assert drawn(expected, volume=volume).floor_usd == Decimal(floor)


def test_words_follow_the_sign_and_unknown_effects_keep_their_name() -> None:
    assert effect_label("volume", Decimal(1)) == "more requests"
    assert effect_label("volume", Decimal(-1)) == "fewer requests"
    assert effect_label("human_labour", Decimal(1)) == "human labour"


def test_each_step_starts_where_the_one_before_ends() -> None:
    steps = drawn("50.00", volume="7.00", price="-3.00").steps
    assert [(str(a.end_usd), str(b.start_usd)) for a, b in pairwise(steps[:-1])] == [
        ("50.00", "50.00"),
        ("57.00", "57.00"),
    ]
