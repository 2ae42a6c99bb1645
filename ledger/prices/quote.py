"""Prices per token class at one instant, and what an override makes of them."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from ledger.prices.overrides import PriceOverride, override_for
from ledger.usage import TOKEN_CLASSES, TokenClass

_PICO_PER_TOKEN = 10**6
"""1 USD per million tokens is 1e-6 USD, or 1e6 pico-dollars, per token."""


class TokenPrice(NamedTuple):
    """What a million tokens of one class cost."""

    usd_per_mtok: Decimal
    tiered: bool = False
    """Long prompts cost more; this is the price below the first threshold."""

    @property
    def rate(self) -> int:
        """1e-12 USD per token; a price finer than that is rounded, halves to even."""
        return int((self.usd_per_mtok * _PICO_PER_TOKEN).to_integral_value(ROUND_HALF_EVEN))


Quote = Mapping[TokenClass, TokenPrice]
"""A class that is not in it has no price."""


class AgreedQuote(NamedTuple):
    """Prices after the operator's word."""

    prices: Quote
    sources: tuple[str, ...]
    """Of the overrides that had a say, each once."""


def apply_overrides(quote: Quote, overrides: Sequence[PriceOverride], day: date) -> AgreedQuote:
    """One override at most has a say per class; a discount on a class without a price says nothing."""
    prices: dict[TokenClass, TokenPrice] = {}
    sources: dict[str, None] = {}
    for token_class in TOKEN_CLASSES:
        override = override_for(overrides, token_class, day)
        price = _overridden(quote.get(token_class), override)
        if price is not None:
            prices[token_class] = price
        if price is not None and override is not None:
            sources[override.source] = None
    return AgreedQuote(prices, tuple(sources))


def _overridden(price: TokenPrice | None, override: PriceOverride | None) -> TokenPrice | None:
    if override is None:
        return price
    if override.kind == "usd_per_mtok":
        return TokenPrice(override.value)
    return price and price._replace(usd_per_mtok=price.usd_per_mtok * (100 - override.value) / 100)
