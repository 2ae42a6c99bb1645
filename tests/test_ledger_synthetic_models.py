from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price

from ledger.synthetic.models import MODELS, ModelFacts, usd_per_token
from ledger.usage import TOKEN_CLASSES, TokenClass

CHECKED_AT = datetime(2026, 11, 15, 12, tzinfo=UTC)

USAGE: dict[TokenClass, Usage] = {
    "input": Usage(input_tokens=1000),
    "cache_read": Usage(input_tokens=1000, cache_read_tokens=1000),
    "cache_write_5m": Usage(input_tokens=1000, cache_write_tokens=1000, cache_write_5m_tokens=1000),
    "cache_write_1h": Usage(input_tokens=1000, cache_write_tokens=1000, cache_write_1h_tokens=1000),
    "output": Usage(output_tokens=1000),
}


@pytest.mark.parametrize("facts", MODELS, ids=lambda facts: facts.model)
@pytest.mark.parametrize(
    ("tier", "classes"),
    [("standard", TOKEN_CLASSES), ("batch", ("input", "output"))],
    ids=["standard", "batch"],
)
def test_list_prices_are_those_of_the_price_catalogue(
    facts: ModelFacts, tier: str, classes: tuple[TokenClass, ...]
) -> None:
    for token_class in classes:
        price = calc_price(
            USAGE[token_class],
            facts.model,
            provider_id=facts.provider,
            genai_request_timestamp=CHECKED_AT,
            price_context={"processing": "batch"} if tier == "batch" else {},
        )
        ours = usd_per_token(facts.model, token_class, service_tier=tier)
        assert Decimal(f"{ours * 1000:.9f}") == price.total_price, token_class


def test_a_model_outside_the_list_has_no_price() -> None:
    assert usd_per_token("acme-gpt", "input", service_tier="standard") == 0
