"""Each reason is told from data by arithmetic, and only where it is the reason."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.reconciling_cases import (
    BIG,
    CLAUDE,
    NOW,
    SMALL,
    TOKENS,
    Books,
    Five,
    books_in,
    day,
    days,
    of_day,
    usd_by_class,
    varied,
)
from tokensleuth.reconciling.judging import Judged
from tokensleuth.reconciling.reasons import Explained, Override

DAY = of_day(TOKENS)
CACHING: Five = (700_000, 900_000, 120_000, 40_000, 90_000)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with books_in(tmp_path) as found:
        yield found


def why(judged: Judged) -> Explained:
    assert judged.status == "gap"
    assert judged.explained is not None
    return judged.explained


def told(overrides: Sequence[Override]) -> list[str]:
    return [f"{override.token_class} {override.kind} {override.value:f}" for override in overrides]


def test_a_bill_at_list_prices_agrees_to_the_cent(books: Books) -> None:
    books.use(BIG, day(0))
    books.bill_tokens(BIG, day(0), DAY)
    books.pull()
    judged = books.only()
    assert (judged.status, judged.item.gap_pico) == ("agrees", 0)


def test_lines_rounded_to_cents_agree(books: Books) -> None:
    books.use(CLAUDE, day(0), CACHING)
    for usd, line in zip(usd_by_class(CLAUDE, of_day(CACHING)), "abcde", strict=True):
        name = {"a": "Input Tokens", "b": "Input Tokens, Cache Read", "e": "Output Tokens"}
        text = name.get(line, f"Input Tokens, Cache Write ({'5m' if line == 'c' else '1h'})")
        books.bill("anthropic", day(0), f"Claude Sonnet 4.5 Usage - {text}", round(usd, 2))
    books.pull()
    assert books.only().status == "agrees"


def test_a_gap_must_exceed_both_the_share_and_the_dollars(books: Books) -> None:
    books.use(BIG, day(0))
    books.use(SMALL, day(0), (40_000, 0, 0, 0, 1_000))
    books.bill("openai", day(0), f"{BIG}, all", sum(usd_by_class(BIG, DAY)) - Decimal(1))
    books.bill("openai", day(0), f"{SMALL}, all", 0.01)
    books.pull()
    found = {judged.item.model: judged for judged in books.reconciled().judged}
    assert found[BIG].status == "agrees"
    assert found[SMALL].status == "small"


def test_tokens_without_a_price_are_told_with_what_the_bill_has_them_at(books: Books) -> None:
    books.use("gpt-unheard-of", day(0), (1_000_000, 0, 0, 0, 0), provider="openai")
    books.bill("openai", day(0), "gpt-unheard-of, input", 48)
    books.pull()
    explained = why(books.only())
    assert explained.reason == "unpriced_model"
    assert told(explained.overrides) == ["input usd_per_mtok 2"]


@pytest.mark.parametrize("by_class", [True, False])
def test_cached_tokens_counted_as_input_too_are_found(books: Books, by_class: bool) -> None:
    books.use(BIG, day(0))
    less = of_day((TOKENS[0] - TOKENS[1], *TOKENS[1:]))
    if by_class:
        books.bill_tokens(BIG, day(0), less)
    else:
        books.bill("openai", day(0), f"{BIG}, all tokens", sum(usd_by_class(BIG, less)))
    books.pull()
    assert why(books.only()).reason == "cache_counted_twice"


def test_cached_tokens_that_were_taken_off_the_input_twice_are_found(books: Books) -> None:
    books.use(CLAUDE, day(0), CACHING)
    more = of_day((CACHING[0] + CACHING[1], *CACHING[1:]))
    books.bill_tokens(CLAUDE, day(0), more)
    books.pull()
    assert why(books.only()).reason == "cache_left_out"


def test_cache_reads_billed_as_input_are_found(books: Books) -> None:
    books.use(CLAUDE, day(0), CACHING)
    books.bill_tokens(CLAUDE, day(0), of_day(CACHING), prices=(3, 3, 3.75, 6, 15))
    books.pull()
    assert why(books.only()).reason == "cache_not_discounted"


@pytest.mark.parametrize(
    ("tier", "factor", "words"),
    [("standard", 0.5, "standard at the"), ("batch", 1, "batch at the standard")],
)
def test_another_tiers_price_is_found(books: Books, tier: str, factor: float, words: str) -> None:
    books.use(BIG, day(0), service_tier=tier)
    books.bill_tokens(BIG, day(0), DAY, factor=factor)
    books.pull()
    explained = why(books.only())
    assert explained.reason == "tier_price"
    assert words in explained.told


def test_a_part_of_the_tokens_at_another_tiers_price_is_found(books: Books) -> None:
    books.use(BIG, day(0), (800_000, 0, 0, 0, 90_000))
    books.use(BIG, day(0), (500_000, 0, 0, 0, 20_000), service_tier="priority")
    usd = sum(usd_by_class(BIG, of_day((1_300_000, 0, 0, 0, 110_000))))
    books.bill("openai", day(0), BIG, usd)
    books.pull()
    assert why(books.only()).reason == "tier_price"


def test_a_region_costs_a_tenth_more(books: Books) -> None:
    books.use(CLAUDE, day(0), CACHING)
    books.bill_tokens(CLAUDE, day(0), of_day(CACHING), factor=1.1)
    books.pull()
    assert why(books.only()).reason == "regional_price"


def test_one_class_at_another_price_is_told_with_the_price(books: Books) -> None:
    books.use(BIG, day(0))
    books.bill_tokens(BIG, day(0), DAY, prices=(2.5, 1.25, 0, 0, 12))
    books.pull()
    explained = why(books.only())
    assert explained.reason == "list_price"
    assert told(explained.overrides) == ["output usd_per_mtok 12"]


def test_without_classes_a_changed_price_shows_in_days_of_other_mixes(books: Books) -> None:
    for number in range(5):
        tokens = varied(TOKENS, number)
        books.use(BIG, day(number), tokens)
        counts = of_day(tokens)
        usd = sum(usd_by_class(BIG, counts)) + Decimal(counts[4]) * 3 / 10**6
        books.bill("openai", day(number), BIG, usd)
    books.pull()
    found = [why(judged) for judged in books.reconciled().judged]
    assert {explained.reason for explained in found} == {"list_price"}
    assert {text for e in found for text in told(e.overrides)} == {"output usd_per_mtok 13"}


def test_a_discount_shared_by_models_is_a_contract(books: Books) -> None:
    for number in range(3):
        for model in (BIG, SMALL):
            tokens = varied(TOKENS, number) if model == BIG else of_day(varied(TOKENS, number), 9)
            books.use(model, day(number), tokens)
            books.bill_tokens(model, day(number), of_day(tokens), factor=0.82)
    books.pull()
    found = books.reconciled()
    assert {why(judged).reason for judged in found.judged} == {"contract_discount"}
    (run,) = found.runs
    assert run.models == (BIG, SMALL)
    assert told(run.overrides) == ["* percent_off 18"]
    assert [override.model for override in run.overrides] == ["*"]


@pytest.mark.parametrize(("counted", "before"), [(False, "unexplained"), (True, "list_price")])
def test_a_discount_on_one_model_needs_three_days(books: Books, counted: bool, before: str) -> None:
    for number in range(3):
        books.use(BIG, day(number), varied(TOKENS, number))
        books.bill_tokens(BIG, day(number), of_day(varied(TOKENS, number)), factor=0.9, counted=counted)
    books.pull()
    assert {why(j).reason for j in books.reconciled(days(0, 3)).judged} == {"contract_discount"}
    assert {why(j).reason for j in books.reconciled(days(0, 2)).judged} == {before}


def test_more_tokens_on_the_bill_than_in_the_ledger_are_missing_usage(books: Books) -> None:
    books.use(BIG, day(0), hours=20)
    books.bill_tokens(BIG, day(0), DAY, counted=True)
    books.pull()
    explained = why(books.only())
    assert explained.reason == "missing_usage"
    assert explained.facts["billed_tokens"] == sum(DAY)


def test_a_model_that_the_ledger_never_saw_is_missing_usage(books: Books) -> None:
    books.use(SMALL, day(0))
    books.bill_tokens(SMALL, day(0), DAY)
    books.bill_tokens(BIG, day(0), DAY)
    books.pull()
    found = {judged.item.model: judged for judged in books.reconciled().judged}
    assert why(found[BIG]).reason == "missing_usage"
    assert found[SMALL].status == "agrees"


@pytest.mark.parametrize("counted", [True, False])
def test_usage_told_by_a_gateway_and_the_provider_is_counted_twice(books: Books, counted: bool) -> None:
    """Also where the bill has no counts, and half of ours is what a batch would cost."""
    books.use(BIG, day(0))
    books.use(BIG, day(0), client="proxy", source="litellm.spend-logs")
    books.bill_tokens(BIG, day(0), DAY, counted=counted)
    books.pull()
    assert why(books.only()).reason == "usage_counted_twice"


def test_hours_without_data_are_missing_usage(books: Books) -> None:
    for number in range(4):
        books.use(BIG, day(number), hours=18 if number == 3 else 24)
        books.bill_tokens(BIG, day(number), DAY)
    books.pull()
    last = books.reconciled().judged[-1]
    assert why(last).reason == "missing_usage"
    assert "18 of the usual 24" in why(last).told


def test_a_model_that_no_line_names_is_not_billed(books: Books) -> None:
    books.use(SMALL, day(0))
    books.use(BIG, day(0))
    books.bill_tokens(SMALL, day(0), DAY)
    books.pull()
    found = {judged.item.model: judged for judged in books.reconciled().judged}
    assert why(found[BIG]).reason == "not_billed"


def test_costs_that_a_gateway_told_are_held_against_our_own_prices(books: Books) -> None:
    books.use(BIG, day(0), cost_usd=9.5)
    books.bill_tokens(BIG, day(0), DAY)
    books.pull()
    assert why(books.only()).reason == "gateway_price"


def test_usage_that_came_after_the_bill_is_late_data(books: Books) -> None:
    then = NOW - timedelta(days=1)
    books.use(BIG, day(0), hours=20, loaded_at=then - timedelta(hours=2))
    books.bill_tokens(BIG, day(0), of_day(TOKENS, 20))
    books.pull(now=then)
    books.use(BIG, day(0), hours=24, loaded_at=NOW)
    books.ledger.pulled.connection.execute("update pulled_streams set pulled_at = $1", [NOW])
    assert why(books.only()).reason == "late_data"


def test_restated_usage_counts_as_it_was_when_the_bill_came(books: Books) -> None:
    then = NOW - timedelta(days=1)
    books.use(BIG, day(0), loaded_at=then - timedelta(hours=2))
    books.bill_tokens(BIG, day(0), DAY)
    books.pull(now=then)
    books.use(BIG, day(0), (TOKENS[0] * 2, *TOKENS[1:]), loaded_at=NOW)
    assert why(books.only()).reason == "late_data"


def test_what_nothing_explains_is_said_to_be_so(books: Books) -> None:
    books.use(BIG, day(0))
    books.bill("openai", day(0), BIG, sum(usd_by_class(BIG, DAY)) * Decimal("0.871"))
    books.pull()
    explained = why(books.only())
    assert (explained.reason, explained.confidence) == ("unexplained", 0.3)
