"""Cached tokens counted or priced otherwise, and prices of other tiers and regions: what each would bill."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from ledger.billed import TierDay, Tokens
from ledger.prices.tiers import TIER_CONTEXTS, canonical_tier
from tokensleuth.reconciling.items import Item, summed
from tokensleuth.reconciling.prices import (
    CACHE_READ,
    CACHE_WRITE_1H,
    CACHE_WRITE_5M,
    INPUT,
    Prices,
    moved,
    repriced,
    scaled,
)
from tokensleuth.reconciling.reasons import EXACT, Explained, Reason

_REGION = Decimal("1.1")
"""OpenAI's and Anthropic's surcharge for processing in a region."""
_USUAL_FACTOR = {"batch": Decimal("0.5"), "flex": Decimal("0.5"), "priority": Decimal(2)}
"""Of the standard price, where the book has no price of a tier."""


class _Try(NamedTuple):
    """A bill as it would be, and what would have made it so."""

    predicted: Tokens
    told: str
    of_tiers: str = ""
    """The tiers whose tokens are priced otherwise."""


def cache_mistake(item: Item, prices: Prices) -> Explained | None:
    """The bill is ours less, or more, the cached tokens at the price of input."""
    rate = prices.rate_of(item, INPUT)
    if rate is None or not sum(item.tokens[CACHE_READ : CACHE_WRITE_1H + 1]):
        return None
    for reason, tried in _cache_tries(item, rate):
        if item.fits(tried.predicted):
            return Explained(reason, EXACT, sum(tried.predicted), tried.told)
    return None


def _cache_tries(item: Item, rate: Decimal) -> Iterator[tuple[Reason, _Try]]:
    reads, writes = item.tokens[CACHE_READ], sum(item.tokens[CACHE_WRITE_5M : CACHE_WRITE_1H + 1])
    for told, tokens in (("reads", reads), ("reads and writes", reads + writes)):
        amount = int(tokens * rate)
        less, more = moved(item.rated, {INPUT: -amount}), moved(item.rated, {INPUT: amount})
        which = f"{tokens:,} tokens of cache {told} at the price of input"
        yield "cache_counted_twice", _Try(less, f"the bill is ours less {which}")
        yield "cache_left_out", _Try(more, f"the bill is ours and {which}")
    cached = item.rated[CACHE_READ]
    without = moved(item.rated, {CACHE_READ: -cached})
    yield "cache_counted_twice", _Try(without, "the bill is ours without the cache reads")
    dear = int(reads * rate)
    told = f"the bill has {reads:,} cache reads at the price of input"
    yield "cache_not_discounted", _Try(moved(item.rated, {CACHE_READ: dear - cached}), told)
    yield "cache_not_discounted", _Try(moved(item.rated, {CACHE_READ: -cached, INPUT: dear}), told)


def tier_price(item: Item, prices: Prices) -> Explained | None:
    """All tokens, or those of one tier, at the prices of another; several tiers may cost the same."""
    fitting = [tried for tried in _tier_tries(item, prices) if item.fits(tried.predicted)]
    if not fitting:
        return None
    targets = " or ".join(tried.told for tried in fitting if tried.of_tiers == fitting[0].of_tiers)
    told = f"the bill has what the ledger has as {fitting[0].of_tiers} at the {targets} price"
    return Explained("tier_price", EXACT, sum(fitting[0].predicted), told)


def _tier_tries(item: Item, prices: Prices) -> Iterator[_Try]:
    single = [[tier] for tier in item.tiers] if len(item.tiers) > 1 else []
    for part in (list(item.tiers), *single):
        kept = summed([tier.rated for tier in item.tiers if tier not in part])
        source = " and ".join(sorted({canonical_tier(tier.service_tier) for tier in part}))
        for target in ("standard", *TIER_CONTEXTS):
            parts = [_in_tier(item, tier, target, prices) for tier in part]
            known = [amounts for amounts in parts if amounts is not None]
            if source != target and len(known) == len(parts):
                yield _Try(summed([kept, *known]), target, source)


def _in_tier(item: Item, tier: TierDay, target: str, prices: Prices) -> Tokens | None:
    found = repriced(tier, prices.rates(item, target))
    if found is not None or target not in _USUAL_FACTOR:
        return found
    standard = repriced(tier, prices.rates(item, "standard"))
    return standard and scaled(standard, _USUAL_FACTOR[target])


def regional_price(item: Item, _: Prices) -> Explained | None:
    """A tenth more, in every class."""
    predicted = scaled(item.rated, _REGION)
    if not item.fits(predicted):
        return None
    return Explained("regional_price", EXACT, sum(predicted), f"the bill is ours times {_REGION}")
