"""What the price book does not cover in a ledger, for the warnings of `ingest` and `doctor`."""

from dataclasses import dataclass
from datetime import date

import duckdb

from ledger.prices.book import PriceBook


@dataclass(frozen=True, slots=True)
class UnpricedUsage:
    """Tokens that count for nothing in cost."""

    provider: str
    model: str
    service_tier: str
    tokens: int
    first_day: date
    last_day: date
    reason: str


@dataclass(frozen=True, slots=True)
class TieredUsage:
    """Tokens priced at the base rate of a model that charges more for long prompts."""

    provider: str
    model: str
    service_tier: str
    tokens: int


@dataclass(frozen=True, slots=True)
class PricingSummary:
    """Usage without a billed cost: how much there is, what of it has no price, what may cost more."""

    tokens: int
    unpriced: tuple[UnpricedUsage, ...]
    tiered: tuple[TieredUsage, ...]

    @property
    def unpriced_tokens(self) -> int:
        return sum(usage.tokens for usage in self.unpriced)

    def warnings(self) -> tuple[str, ...]:
        """One line for each model with unpriced tokens, and one for all with long-context prices."""
        lines = [f"{usage.tokens:,} tokens are unpriced: {usage.reason}" for usage in self.unpriced]
        if self.tiered:
            models = ", ".join(f"`{model}`" for model in sorted({usage.model for usage in self.tiered}))
            lines.append(
                f"{models}: long prompts cost more than computed here, because hours hold sums of requests; "
                "give cost_usd to count what was billed"
            )
        return tuple(lines)


_COMPUTED_USAGE = """
select provider, model, service_tier, sum(tokens), sum(unpriced_tokens),
    cast(min(hour) filter (where unpriced_tokens <> 0) as date),
    cast(max(hour) filter (where unpriced_tokens <> 0) as date)
from spend
where billed_cost is null
group by provider, model, service_tier
order by sum(unpriced_tokens) desc, provider, model, service_tier
"""

_TIERED_MODELS = "select distinct provider, model, service_tier from rates where tiered"


def unpriced_usage(connection: duckdb.DuckDBPyConnection, book: PriceBook) -> PricingSummary:
    """Summarise the whole ledger; the most unpriced tokens first."""
    rows = connection.execute(_COMPUTED_USAGE).fetchall()
    tiered = set(connection.execute(_TIERED_MODELS).fetchall())
    return PricingSummary(
        tokens=sum(row[3] for row in rows),
        unpriced=tuple(
            UnpricedUsage(
                provider, model, tier, unpriced, first, last, _reason(book, provider, model, tier, first)
            )
            for provider, model, tier, _, unpriced, first, last in rows
            if unpriced
        ),
        tiered=tuple(TieredUsage(*row[:4]) for row in rows if row[:3] in tiered),
    )


def _reason(book: PriceBook, provider: str, model: str, service_tier: str, day: date) -> str:
    reason = book.rates(provider, model, service_tier, day)[0].reason
    return reason or f"`{model}` (provider {provider}) has a price by now; run `tokensleuth reprice`"
