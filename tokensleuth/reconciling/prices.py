"""Rates that hypotheses are worked out with: those in force, those of another tier, and the bare list."""

from dataclasses import dataclass
from decimal import Decimal

from ledger.billed import TierDay, Tokens
from ledger.prices.book import PriceBook
from ledger.usage import TOKEN_CLASSES
from tokensleuth.reconciling.items import Item, summed

Rates = tuple[int | None, ...]
"""1e-12 USD per token, in the order of TOKEN_CLASSES."""
_STANDARD = "standard"
_PICO_PER_TOKEN = 10**6
INPUT, CACHE_READ, CACHE_WRITE_5M, CACHE_WRITE_1H, OUTPUT = range(len(TOKEN_CLASSES))


@dataclass(frozen=True, slots=True)
class Prices:
    """Two price books: with the operator's overrides, and without."""

    book: PriceBook
    listed: PriceBook

    def rates(self, item: Item, tier: str) -> Rates:
        return _rates(self.book, item, tier)

    def listed_rated(self, item: Item) -> Tokens | None:
        """What the item's tokens cost by the list alone; None where the list lacks a price of them."""
        parts = [repriced(t, _rates(self.listed, item, t.service_tier)) for t in item.tiers]
        known = [part for part in parts if part is not None]
        return summed(known) if known and len(known) == len(parts) else None

    def rate_of(self, item: Item, token_class: int) -> Decimal | None:
        """What a token of the class cost on average; where the item has none, what it costs in the tier."""
        tokens = item.tokens[token_class]
        if tokens and item.rated[token_class]:
            return Decimal(item.rated[token_class]) / tokens
        rate = self.rates(item, item.tiers[0].service_tier if item.tiers else _STANDARD)[token_class]
        return None if rate is None else Decimal(rate)


def _rates(book: PriceBook, item: Item, tier: str) -> Rates:
    row = book.rates(item.provider, item.model, tier, item.day)[0]
    reads, writes = row.cache_read_rate, (row.cache_write_5m_rate, row.cache_write_1h_rate)
    return (row.input_rate, reads, *writes, row.output_rate)


def repriced(tier: TierDay, rates: Rates) -> Tokens | None:
    """The tokens by other rates; None where a class that was used has none."""
    pairs = list(zip(tier.tokens, rates, strict=True))
    if any(tokens and rate is None for tokens, rate in pairs):
        return None
    one, two, three, four, five = (tokens * (rate or 0) for tokens, rate in pairs)
    return one, two, three, four, five


def usd_per_mtok(pico_per_token: Decimal | float) -> Decimal:
    """As a price override has it, to 6 decimals."""
    return (Decimal(str(pico_per_token)) / _PICO_PER_TOKEN).quantize(Decimal("0.000001")).normalize()


def scaled(amounts: Tokens, by: Decimal) -> Tokens:
    one, two, three, four, five = (int((amount * by).to_integral_value()) for amount in amounts)
    return one, two, three, four, five


def moved(amounts: Tokens, by: dict[int, int]) -> Tokens:
    one, two, three, four, five = (amount + by.get(i, 0) for i, amount in enumerate(amounts))
    return one, two, three, four, five
