from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from ledger.money import PICO_PER_USD
from ledger.sources.daily_costs import anthropic_costs, openai_costs
from ledger.sources.told import Bucket, ToldCost, Wrong
from ledger.window import Window

DAY = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))


def openai(value: JsonValue, currency: str = "usd", **more: JsonValue) -> ToldCost | Wrong:
    result: JsonValue = {"amount": {"value": value, "currency": currency}, **more}
    (found,) = openai_costs(Bucket("openai", "costs", DAY, (result,)))
    return found


def anthropic(amount: JsonValue, currency: str = "USD", **more: JsonValue) -> ToldCost | Wrong:
    result: JsonValue = {"amount": amount, "currency": currency, **more}
    (found,) = anthropic_costs(Bucket("anthropic", "costs", DAY, (result,)))
    return found


def pico(found: ToldCost | Wrong) -> int:
    assert isinstance(found, ToldCost), found
    return found.cost_pico


def test_anthropic_writes_cents_so_123_45_is_one_dollar_and_a_bit() -> None:
    assert pico(anthropic("123.45")) == 1_234_500_000_000


def test_openai_writes_dollars_so_123_45_is_what_it_says() -> None:
    assert pico(openai(123.45)) == 123_450_000_000_000


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=8))
def test_no_cent_of_anthropic_is_lost_or_multiplied(cents: Decimal) -> None:
    text = format(cents, "f")
    assert Decimal(pico(anthropic(text))) == Decimal(text) / 100 * PICO_PER_USD


@pytest.mark.parametrize("amount", [1.5, 150, "1,50", "1e3", "NaN", "", "abc", None, True])
def test_an_amount_of_anthropic_that_is_no_decimal_text_is_rejected(amount: JsonValue) -> None:
    found = anthropic(amount)
    assert isinstance(found, Wrong)
    assert found.column == "amount"


@pytest.mark.parametrize("value", ["abc", None, True, 1e12])
def test_an_amount_of_openai_that_is_none_is_rejected(value: JsonValue) -> None:
    assert isinstance(openai(value), Wrong)


def test_credits_are_negative_and_kept() -> None:
    assert pico(openai(-5.0)) == -5 * PICO_PER_USD
    assert pico(anthropic("-500")) == -5 * PICO_PER_USD


def test_another_currency_is_rejected_and_not_taken_for_dollars() -> None:
    for found in (openai(1.0, "eur"), anthropic("100", "EUR")):
        assert isinstance(found, Wrong)
        assert found.reason == "is not USD; other currencies are not taken here"


def test_a_cost_says_day_project_and_line_item() -> None:
    found = openai(1.0, project_id="proj_1", line_item="gpt-4o, input", quantity=12.5, quantity_unit="tokens")
    assert isinstance(found, ToldCost)
    assert (found.day, found.project, found.line_item) == (date(2026, 11, 1), "proj_1", "gpt-4o, input")
    assert (found.quantity, found.unit) == (Decimal("12.5"), "tokens")


def test_no_workspace_is_the_default_one() -> None:
    found = anthropic("1", workspace_id=None, description=None, cost_type="session_usage")
    assert isinstance(found, ToldCost)
    assert (found.project, found.line_item) == ("default", "session_usage")
