"""The price book: rates per token that agree with the catalogue, and no rate where the catalogue has none."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import astuple
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers
from genai_prices.types import ClauseEquals, ConditionalPrice, ModelInfo, ModelPrice, StartDateConstraint

from ledger.money import usd_from_pico
from ledger.prices.book import PriceBook
from ledger.prices.catalogue import ListedModel
from ledger.prices.makers import provider_of
from ledger.prices.overrides import ModelAlias, PriceOverride
from ledger.prices.rates import RateRow, same_price
from ledger.scope import UNALLOCATED
from ledger.usage import TOKEN_CLASSES, TokenCounts

NOVEMBER = date(2026, 11, 2)
TOKENS = TokenCounts(input=11_000, cache_read=7_000, cache_write_5m=3_000, cache_write_1h=2_000, output=5_000)
"""23,000 tokens of prompt: below the first threshold of every tiered price."""

PROVIDERS = ("anthropic", "openai", "google", "aws", "azure", "mistral", "deepseek", "x-ai", "groq", "cohere")
"""Their prices are whole pico-dollars per token."""


def rates(model: str, *, tier: str = "", day: date = NOVEMBER, provider: str = "openai") -> RateRow:
    row, *more = PriceBook().rates(provider, model, tier, day)
    assert not more
    return row


def per_token(row: RateRow) -> tuple[int | None, ...]:
    return astuple(row)[1:6]


def override(kind: str, value: object, only: str = "*", **changes: object) -> PriceOverride:
    terms = {"model": "*", "valid_from": "2026-05-01", "source": "contract-7", **changes}
    return PriceOverride.model_validate({"kind": kind, "value": value, "token_class": only, **terms})


def cost_usd(row: RateRow, tokens: TokenCounts) -> Decimal:
    parts = zip(per_token(row), astuple(tokens), strict=True)
    return usd_from_pico(sum((rate or 0) * count for rate, count in parts))


def calculated_usd(
    provider: str, model: str, at: datetime, context: dict[str, str] | None = None
) -> Decimal | None:
    t = TOKENS
    usage = Usage(
        input_tokens=t.prompt,
        cache_read_tokens=t.cache_read,
        cache_write_tokens=t.cache_write_5m + t.cache_write_1h,
        cache_write_5m_tokens=t.cache_write_5m,
        cache_write_1h_tokens=t.cache_write_1h,
        output_tokens=t.output,
    )
    priced = calc_price(usage, model, provider_id=provider, genai_request_timestamp=at, price_context=context)
    if any(key.startswith("requests") for key in priced.model_price.__dict__):
        return None
    return priced.total_price


def listed_models() -> Iterator[tuple[str, str]]:
    for provider in providers:
        if provider.id in PROVIDERS:
            yield from ((provider.id, model.id) for model in provider.models)


@pytest.mark.parametrize("day", [date(2025, 6, 1), date(2026, 8, 25), NOVEMBER])
def test_rates_times_tokens_equal_what_the_catalogue_calculates(day: date) -> None:
    book, compared = PriceBook(), 0
    for provider, model in listed_models():
        for row in book.rates(provider, model, "standard", day)[::7]:
            at = datetime(day.year, day.month, day.day, row.hour_of_day or 0, tzinfo=UTC)
            if row.price_version and (expected := _found(provider, model, at)) is not None:
                assert cost_usd(row, TOKENS) == expected, (provider, model)
                compared += 1
    assert compared > 400


@pytest.mark.parametrize(
    ("tier", "context"),
    [
        ("batch", {"processing": "batch"}),
        ("flex", {"service_tier": "flex"}),
        ("priority", {"service_tier": "priority"}),
        ("fast", {"service_tier": "fast", "speed": "fast"}),
    ],
)
def test_rates_of_a_tier_equal_what_the_catalogue_calculates(tier: str, context: dict[str, str]) -> None:
    book, at = PriceBook(), datetime(2026, 11, 2, tzinfo=UTC)
    priced = [(p, m, book.rates(p, m, tier, NOVEMBER)[0]) for p, m in listed_models()]
    found = [(p, m, row) for p, m, row in priced if row.price_version]
    assert len(found) > 20
    for provider, model, row in found:
        assert cost_usd(row, TOKENS) == calculated_usd(provider, model, at, context), (provider, model)


def _found(provider: str, model: str, at: datetime) -> Decimal | None:
    try:
        return calculated_usd(provider, model, at)
    except LookupError:
        return None


def test_a_rate_is_in_pico_dollars_per_token() -> None:
    row = rates("claude-opus-4-7", provider="anthropic")
    assert per_token(row) == (5_000_000, 500_000, 6_250_000, 10_000_000, 25_000_000)
    assert row.reason is None


def test_a_class_without_a_price_of_its_own_costs_what_input_costs() -> None:
    row = rates("gpt-4o")
    assert row.cache_write_5m_rate == row.cache_write_1h_rate == row.input_rate == 2_500_000


def test_a_price_finer_than_a_pico_dollar_is_rounded() -> None:
    row = rates("google/gemini-3.5-flash", provider="openrouter")
    assert row.cache_write_5m_rate == 83_333


def test_the_price_of_a_day_is_the_one_in_force_on_it() -> None:
    before, after = (rates("gpt-5.6-luna", day=date(2026, 7, day)) for day in (29, 30))
    assert before.input_rate == 5 * (after.input_rate or 0)
    assert before.price_version != after.price_version


def test_the_undated_first_price_holds_for_all_days_before_the_first_dated_one() -> None:
    assert rates("gpt-5.6-luna", day=date(2020, 1, 1)).input_rate == 1_000_000


def test_a_list_that_begins_with_a_date_has_no_price_before_it() -> None:
    start = StartDateConstraint(date(2026, 3, 1))
    price = ConditionalPrice(constraint=start, prices=ModelPrice(input_mtok=Decimal(1)))
    listed = ListedModel(ModelInfo(id="new", match=ClauseEquals("new"), prices=[price]), own=True)
    assert listed.quote(datetime(2026, 2, 28), "standard") is None  # noqa: DTZ001
    assert listed.quote(datetime(2026, 3, 1), "standard")  # noqa: DTZ001
    assert listed.first_start == date(2026, 3, 1)


@pytest.mark.parametrize("name", [UNALLOCATED, "", "standard", "default", "Auto", "on-demand", "ON_DEMAND"])
def test_standard_has_many_names(name: str) -> None:
    assert rates("gpt-4o", tier=name) == rates("gpt-4o")


def test_batch_is_half_price_where_catalogued() -> None:
    standard, batch = (rates("claude-opus-4-7", provider="anthropic", tier=t) for t in ("standard", "batch"))
    assert [2 * (rate or 0) for rate in per_token(batch)] == list(per_token(standard))


def test_batch_is_unpriced_where_the_catalogue_has_no_price_for_it() -> None:
    row = rates("deepseek-v3.2", provider="deepseek", tier="batch")
    assert per_token(row) == (None,) * 5
    assert "no `batch` price for `deepseek-v3.2` (provider deepseek)" in str(row.reason)


def test_batch_is_unpriced_before_the_catalogue_knows_its_price() -> None:
    row = rates("claude-opus-4-7", provider="anthropic", tier="batch", day=date(2026, 10, 13))
    assert row.input_rate is None
    assert "before 2026-10-14" in str(row.reason)


def test_a_borrowed_price_list_has_standard_prices_only() -> None:
    assert rates("gpt-5.5", provider="azure").input_rate
    assert rates("gpt-5.5", provider="azure", tier="priority").input_rate is None


def test_an_unknown_tier_is_unpriced() -> None:
    row = rates("gpt-4o", tier="turbo")
    assert row.input_rate is None
    assert str(row.reason).startswith("unknown service tier `turbo` of `gpt-4o` (provider openai)")


def test_an_unknown_model_is_unpriced_and_says_what_to_add() -> None:
    row = rates("gpt-x", provider="acme")
    assert per_token(row) == (None,) * 5
    assert (row.priced_as, row.price_version) == (None, None)
    assert row.reason == "no price for `gpt-x` (provider acme); add a [[model_alias]] or [[price_override]]"


def test_a_model_listed_without_a_price_is_not_free() -> None:
    row = rates("gpt-4o", provider="github-copilot")
    assert row.input_rate is None
    assert "without a price per token" in str(row.reason)


def test_a_class_without_any_price_is_named() -> None:
    row = rates("text-embedding-3-small")
    assert (row.input_rate, row.output_rate) == (20_000, None)
    assert "no price for output tokens" in str(row.reason)


def test_a_long_context_price_gives_its_base_rate_and_says_so() -> None:
    row = rates("gpt-5.6-sol")
    assert (row.input_rate, row.output_rate, row.tiered) == (4_000_000, 20_000_000, True)
    assert not rates("gpt-4o").tiered


def test_peak_hours_have_rates_of_their_own() -> None:
    rows = PriceBook().rates("deepseek", "deepseek-v4-flash", "", NOVEMBER)
    assert [row.hour_of_day for row in rows] == list(range(24))
    peak = {row.hour_of_day for row in rows if row.input_rate == 300_000}
    assert peak == {1, 2, 3, 6, 7, 8, 9}
    assert len({row.price_version for row in rows}) == 1


def test_a_model_without_a_provider_is_priced_as_its_maker_sells_it() -> None:
    assert rates("claude-opus-4-7", provider=UNALLOCATED) == rates("claude-opus-4-7", provider="anthropic")
    assert rates("gpt-oss-120b", provider=UNALLOCATED).input_rate is None


@pytest.mark.parametrize("provider", ["openai", UNALLOCATED, "litellm"])
def test_a_route_that_repeats_the_maker_is_dropped(provider: str) -> None:
    assert rates("openai/gpt-4o", provider=provider).priced_as == "gpt-4o"


@pytest.mark.parametrize(
    ("provider", "model"),
    [("azure_openai", "o1"), ("bedrock", "amazon.nova-pro-v1:0"), ("vertex_ai", "gemini-2.5-pro")],
)
def test_a_provider_is_known_by_the_names_of_gateways(provider: str, model: str) -> None:
    assert rates(model, provider=provider).input_rate


def test_an_unlisted_model_in_a_tier_asks_for_a_price_of_that_tier() -> None:
    reason = str(rates("gpt-x", provider="acme", tier="batch").reason)
    assert reason.startswith("no `batch` price for `gpt-x` (provider acme); add a [[model_alias]]")
    assert reason.endswith('with service_tier = "batch"')


def test_an_alias_prices_a_deployment() -> None:
    book = PriceBook(aliases=[ModelAlias(deployment="prod-*", provider="azure", model="gpt-4o")])
    (row,) = book.rates("azure", "prod-chat", "", NOVEMBER)
    assert (row.priced_as, row.input_rate) == ("gpt-4o", 2_500_000)
    assert book.rates("openai", "prod-chat", "", NOVEMBER)[0].input_rate is None


@pytest.mark.parametrize("price_provider", [None, "openai"])
def test_an_alias_at_an_unlisted_provider_is_priced_by_the_named_list_or_the_maker(
    price_provider: str | None,
) -> None:
    alias = ModelAlias(deployment="chat", model="gpt-4o", price_provider=price_provider)
    assert PriceBook(aliases=[alias]).rates("acme", "chat", "", NOVEMBER)[0].priced_as == "gpt-4o"


def test_an_alias_for_an_unknown_model_says_both_names() -> None:
    book = PriceBook(aliases=[ModelAlias(deployment="chat", model="gpt-x")])
    reason = book.rates("openai", "chat", "", NOVEMBER)[0].reason
    assert (
        reason == "no price for `gpt-x` (provider openai, by the alias of `chat`); add a [[price_override]]"
    )


def test_a_discount_holds_on_its_days_and_its_class() -> None:
    book = PriceBook([override("percent_off", 20, "output", valid_to="2026-06-01")])
    april, may, june = (book.rates("openai", "gpt-4o", "", date(2026, m, 30))[0] for m in (4, 5, 6))
    assert (april.output_rate, may.output_rate, june.output_rate) == (10_000_000, 8_000_000, 10_000_000)
    assert may.input_rate == april.input_rate


def test_the_source_of_an_override_is_part_of_the_price_version() -> None:
    (row,) = PriceBook([override("percent_off", 20)]).rates("openai", "gpt-4o", "", NOVEMBER)
    assert str(row.price_version).endswith(" contract-7")
    assert not same_price(row.price_version, rates("gpt-4o").price_version)


def test_a_unit_price_replaces_the_catalogue_and_its_tiers() -> None:
    (row,) = PriceBook([override("usd_per_mtok", "1.25")]).rates("openai", "gpt-5.6-sol", "", NOVEMBER)
    assert (per_token(row), row.tiered) == ((1_250_000,) * 5, False)


def test_unit_prices_price_an_unknown_model_class_by_class() -> None:
    book = PriceBook([override("usd_per_mtok", 2, "input", model="in-house-*")])
    (row,) = book.rates("acme", "in-house-1", "", NOVEMBER)
    assert (row.input_rate, row.output_rate, row.priced_as) == (2_000_000, None, "in-house-1")
    assert str(row.price_version).startswith("settings ")


def test_a_unit_price_of_zero_is_a_price() -> None:
    (row,) = PriceBook([override("usd_per_mtok", 0)]).rates("acme", "in-house-1", "", NOVEMBER)
    assert (per_token(row), row.reason) == ((0,) * 5, None)


def test_a_discount_on_an_unknown_model_prices_nothing() -> None:
    (row,) = PriceBook([override("percent_off", 20)]).rates("acme", "gpt-x", "", NOVEMBER)
    assert (row.input_rate, row.price_version) == (None, None)


def test_a_unit_price_for_a_tier_prices_that_tier() -> None:
    book = PriceBook([override("usd_per_mtok", 1, service_tier="reserved")])
    assert book.rates("openai", "gpt-4o", "reserved", NOVEMBER)[0].input_rate == 1_000_000
    assert book.rates("openai", "gpt-4o", "standard", NOVEMBER)[0].input_rate == 2_500_000


def test_an_override_finds_a_deployment_by_the_model_behind_it() -> None:
    book = PriceBook(
        [override("percent_off", 50, model="gpt-4o")], [ModelAlias(deployment="chat", model="gpt-4o")]
    )
    assert book.rates("openai", "chat", "", NOVEMBER)[0].input_rate == 1_250_000


def test_equal_rates_of_another_release_are_the_same_price() -> None:
    assert same_price("genai-prices-0.2.3 abc contract", "genai-prices-0.2.4 abc contract")
    assert not same_price("genai-prices-0.2.3 abc", None)


@pytest.mark.parametrize(
    ("model", "maker"),
    [
        ("gpt-4o", "openai"),
        ("GPT-5.6-sol", "openai"),
        ("o3", "openai"),
        ("text-embedding-3-small", "openai"),
        ("ft:gpt-4o-mini:acme::1", "openai"),
        ("claude-opus-4-7", "anthropic"),
        ("anthropic/claude-opus-4-7", "anthropic"),
        ("gemini/gemini-2.5-pro", "google"),
        ("grok-4.5", "x-ai"),
        ("deepseek-reasoner", "deepseek"),
        ("mistral-large-latest", "mistral"),
        ("codestral-2508", "mistral"),
        ("kimi-k2.5", "moonshotai"),
        ("command-r-plus", "cohere"),
    ],
)
def test_the_maker_is_found_in_the_name(model: str, maker: str) -> None:
    assert provider_of(model) == maker


@pytest.mark.parametrize(
    "model",
    [
        "gpt-oss-120b",
        "gpt-35-turbo",
        "us.anthropic.claude-opus-4-7-v1:0",
        "claude-sonnet-4-5@20250929",
        "azure/gpt-4o",
        "databricks-claude-opus-4-7",
        "deepseek-r1-distill-llama-70b",
        "moonshotai/Kimi-K3",
        "llama-3.3-70b",
        "glm-5",
        "prod-chat",
        "opus",
        "",
    ],
)
def test_a_name_that_others_sell_too_has_no_maker(model: str) -> None:
    assert provider_of(model) == UNALLOCATED


def test_the_catalogue_is_not_imported_before_something_is_priced() -> None:
    code = (
        "import sys, ledger.prices.costing, ledger.prices.repricing, ledger.prices.coverage\n"
        "sys.exit('genai_prices' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_rate_row_has_the_token_classes_in_their_order() -> None:
    names = [name for name in RateRow.__slots__ if name.endswith("_rate")]
    assert names == [f"{token_class}_rate" for token_class in TOKEN_CLASSES]
