"""How far the model may go: every limit holds before it is broken, and an answer is always asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.llm.allowance import LimitError, NextCall, Spent, next_step
from agent.llm.port import CallUsage, Limits
from ledger.money import PICO_PER_USD

CALL = NextCall(tokens=1_000, cost_pico=PICO_PER_USD // 100, spent_today_pico=0)
LIMITS = Limits()


@pytest.mark.parametrize(
    ("spent", "told"),
    [
        (Spent(model_calls=12), "12 model calls are made"),
        (Spent(seconds=180), "180 seconds are over"),
        (Spent(input_tokens=199_500), "beyond 200,000 tokens"),
        (Spent(cost_pico=PICO_PER_USD // 2), r"more than \$0.50"),
    ],
)
def test_a_limit_that_is_reached_ends_the_questions(spent: Spent, told: str) -> None:
    with pytest.raises(LimitError, match=told):
        next_step(spent, LIMITS, CALL)


def test_the_limit_of_the_day_counts_all_investigations() -> None:
    today = NextCall(tokens=1_000, cost_pico=PICO_PER_USD // 100, spent_today_pico=10 * PICO_PER_USD)
    with pytest.raises(LimitError, match=r"today's \$10.00"):
        next_step(Spent(), LIMITS, today)


@pytest.mark.parametrize(
    "spent",
    [
        Spent(model_calls=10),
        Spent(tool_calls=24),
        Spent(seconds=110),
        Spent(input_tokens=198_500),
        Spent(cost_pico=int(0.485 * PICO_PER_USD)),
    ],
)
def test_near_a_limit_an_answer_is_asked_for(spent: Spent) -> None:
    assert next_step(spent, LIMITS, CALL) == "last"


def test_with_room_the_tools_are_offered() -> None:
    assert next_step(Spent(), LIMITS, CALL) == "open"


def test_a_limit_of_one_call_asks_for_the_answer_at_once() -> None:
    assert next_step(Spent(), Limits(model_calls=1), CALL) == "last"


@given(st.integers(1, 40), st.integers(0, 50), st.integers(1, 30_000), st.integers(0, 10**11))
def test_no_limit_is_ever_passed(calls: int, tools: int, tokens: int, cost_pico: int) -> None:
    limits, spent = Limits(model_calls=calls), Spent(tool_calls=tools)
    steps = []
    try:
        while True:
            today = spent.cost_pico
            steps.append(next_step(spent, limits, NextCall(tokens, cost_pico, today)))
            spent = spent.with_call(CallUsage(input_tokens=tokens), cost_pico, 1.0)
    except LimitError:
        pass
    assert spent.model_calls <= calls
    assert spent.tokens <= limits.tokens
    assert spent.cost_pico <= limits.usd * PICO_PER_USD
    assert spent.seconds <= limits.seconds
    assert not steps or steps[-1] == "last"


def test_calls_without_a_price_are_counted_apart() -> None:
    spent = Spent().with_call(CallUsage(input_tokens=5, cache_read_tokens=3, output_tokens=2), None, 0.5)
    assert spent.as_json() == {
        "llm_calls": 1, "input_tokens": 8, "output_tokens": 2, "usd": "0.00", "unpriced_calls": 1,
        "tool_calls": 0,
    }  # fmt: skip
