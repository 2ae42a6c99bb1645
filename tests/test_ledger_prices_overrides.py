"""The operator's price overrides and model aliases: what they accept and which one wins."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from ledger.prices.overrides import ModelAlias, ModelName, PriceOverride, alias_for, matches, override_for

GPT_4O = ModelName("openai", "gpt-4o")
MAY = date(2026, 5, 1)
JUNE = date(2026, 6, 1)


def discount(value: object = 10, only: str = "*", **changes: object) -> PriceOverride:
    terms = {"model": "gpt-*", "kind": "percent_off", "valid_from": MAY, "source": "contract", **changes}
    return PriceOverride.model_validate({"value": value, "token_class": only, **terms})


@pytest.mark.parametrize("percent", [-1, 100.5, "NaN", "Infinity", True])
def test_a_discount_is_between_nothing_and_the_whole_price(percent: object) -> None:
    with pytest.raises(ValidationError):
        discount(percent)


@pytest.mark.parametrize("usd", ["-0.01", "1000001", "NaN"])
def test_a_unit_price_is_a_possible_amount(usd: str) -> None:
    with pytest.raises(ValidationError):
        discount(usd, kind="usd_per_mtok")


def test_an_override_ends_after_it_begins() -> None:
    with pytest.raises(ValidationError, match="valid_to 2026-05-01 must be after valid_from 2026-05-01"):
        discount(valid_to=MAY)


@pytest.mark.parametrize("wrong", [{"only": "cached"}, {"discount": "5"}, {"model": ""}, {"source": ""}])
def test_misspelt_settings_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        discount(**wrong)


def test_a_float_in_the_settings_keeps_its_decimal_digits() -> None:
    assert discount(0.15, kind="usd_per_mtok").value == Decimal("0.15")


def test_the_end_of_an_override_is_not_part_of_it() -> None:
    override = discount(valid_to=JUNE)
    assert override.holds_on(MAY)
    assert not override.holds_on(JUNE)


def test_the_last_override_that_matches_wins() -> None:
    first, second = discount(10), discount(20, "output")
    assert override_for([first, second], "output", JUNE) is second
    assert override_for([first, second], "input", JUNE) is first


def test_a_discount_holds_for_every_tier_and_a_unit_price_for_the_standard_one() -> None:
    unit_price = discount(kind="usd_per_mtok")
    assert discount().concerns([GPT_4O], "batch")
    assert unit_price.concerns([GPT_4O], "standard")
    assert not unit_price.concerns([GPT_4O], "batch")


def test_the_tier_of_an_override_is_known_by_any_of_its_names() -> None:
    assert discount(kind="usd_per_mtok", service_tier="On-Demand").concerns([GPT_4O], "standard")


def test_an_override_names_its_provider_and_model_by_globs() -> None:
    assert discount(provider="OPEN*").concerns([GPT_4O], "standard")
    assert not discount(provider="azure").concerns([GPT_4O], "standard")
    assert not discount(model="claude-*").concerns([GPT_4O], "standard")


def test_a_name_with_brackets_equals_itself() -> None:
    assert matches("claude-opus-5[1m]", "Claude-Opus-5[1m]")


def test_the_last_alias_that_matches_wins() -> None:
    broad = ModelAlias(deployment="prod-*", model="gpt-4o")
    narrow = ModelAlias(deployment="prod-mini", provider="azure", model="gpt-4o-mini")
    assert alias_for([broad, narrow], "azure", "prod-mini") is narrow
    assert alias_for([broad, narrow], "openai", "prod-mini") is broad
    assert alias_for([broad, narrow], "openai", "gpt-4o") is None
