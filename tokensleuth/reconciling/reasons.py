"""Why a bill and the ledger differ: the closed list, and what each is told as."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from ledger.usage import TokenClass
from tools.split import EffectName

Reason = Literal[
    "late_data", "unpriced_model", "missing_usage", "usage_counted_twice", "not_billed", "gateway_price",
    "contract_discount", "cache_counted_twice", "cache_left_out", "cache_not_discounted", "tier_price",
    "regional_price", "list_price", "unexplained",
]  # fmt: skip


EXACT, BY_COUNT, IN_PART = 0.95, 0.97, 0.8
"""How sure: an amount fits to the tolerance; counts of tokens differ; they differ and leave a rest."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What there is to say of a reason whatever its numbers are."""

    effect: EffectName
    """Where the difference stands in the closed list of effects."""
    what: str
    """Completes "a difference between the bill and the ledger, not a change in use: ..."."""
    next_step: str


KINDS: Mapping[Reason, Kind] = {
    "late_data": Kind(
        "volume",
        "usage was loaded after the bill of its day was pulled",
        "Run `tokensleuth sync --since` that day: the bill is pulled again.",
    ),
    "unpriced_model": Kind(
        "unpriced",
        "the price book has no price for tokens that the provider bills",
        "Give the model a price or an alias, then run `tokensleuth reprice`.",
    ),
    "missing_usage": Kind(
        "volume",
        "the provider bills usage that never came into the ledger",
        "Run `tokensleuth sync --since` that day; look for keys that `except_keys` leaves out.",
    ),
    "usage_counted_twice": Kind(
        "volume",
        "the ledger holds more tokens than the provider bills",
        "Look for usage told both by a gateway and by the provider: `except_keys` keeps one of them out.",
    ),
    "not_billed": Kind(
        "volume",
        "no line of the bill names this model",
        "Look at the bill: free use, credits, another organisation, or a name that cannot be mapped.",
    ),
    "gateway_price": Kind(
        "price",
        "a gateway told costs that the provider does not bill; our own price book agrees with the bill",
        "Bring the gateway's price list up to date.",
    ),
    "contract_discount": Kind(
        "price",
        "the bill is a constant part of the list price, as under a contract",
        "Add the report's price overrides with the name of the contract, then run `tokensleuth reprice`.",
    ),
    "cache_counted_twice": Kind(
        "cache",
        "cached tokens were also counted as input",
        "Look at how the source counts input: the classes of the ledger are disjoint.",
    ),
    "cache_left_out": Kind(
        "cache",
        "the provider bills cached tokens as input as well, or they were taken off the input twice",
        "Look at how the source counts input: the classes of the ledger are disjoint.",
    ),
    "cache_not_discounted": Kind(
        "cache",
        "the provider bills reads from the cache at the price of input",
        "Ask the provider why; until then add a price override for `cache_read`.",
    ),
    "tier_price": Kind(
        "tier_mix",
        "tokens are billed by another service tier than the ledger has them in",
        "Look at whether the source tells the tier (batch, flex, priority).",
    ),
    "regional_price": Kind(
        "tier_mix",
        "the bill is a tenth above the list price, as for processing in a region",
        "Add a price override for what runs in the region.",
    ),
    "list_price": Kind(
        "price",
        "the bill implies another price per token than the price book has",
        "Check the provider's prices; add the report's price overrides, then run `tokensleuth reprice`.",
    ),
    "unexplained": Kind(
        "price",
        "no mechanism that we know of explains it",
        "Compare the lines of the bill in the evidence with the provider's console.",
    ),
}


@dataclass(frozen=True, slots=True)
class Override:
    """A `[[price_override]]` that would make the ledger agree with the bill."""

    provider: str
    model: str
    token_class: TokenClass | Literal["*"]
    kind: Literal["percent_off", "usd_per_mtok"]
    value: Decimal
    valid_from: date
    service_tier: str | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """What one difference comes from."""

    reason: Reason
    confidence: float
    predicted_pico: int
    """What the bill would be if the reason were all of it."""
    told: str = ""
    """What makes it this reason: the arithmetic in words."""
    overrides: tuple[Override, ...] = ()
    shared: str = ""
    """Names what several models share, which makes one difference of them; empty: it is the model's own."""
    facts: Mapping[str, Decimal | int | float | str] = field(default_factory=dict)


NOTHING = Explained("unexplained", 0.0, 0)
"""Of days that agree."""
