"""What is counted: token classes, and the measures of a scope over some hours."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

TokenClass = Literal["input", "cache_read", "cache_write_5m", "cache_write_1h", "output"]
TOKEN_CLASSES: tuple[TokenClass, ...] = get_args(TokenClass)
"""Disjoint: `input` is uncached, reasoning is a part of `output`."""

Metric = Literal["cost_usd", "tokens", "requests"]
METRICS: tuple[Metric, ...] = get_args(Metric)


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens by disjoint class; their sum is every token, once."""

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0

    @property
    def total(self) -> int:
        return sum(getattr(self, field.name) for field in fields(self))

    @property
    def prompt(self) -> int:
        """Everything sent in, cached or not."""
        return self.total - self.output


@dataclass(frozen=True, slots=True)
class Measures:
    """Sums over the hourly cells of a scope; money in 1e-12 USD."""

    requests: int = 0
    failed_requests: int = 0
    retried_requests: int = 0
    tokens: TokenCounts = TokenCounts()
    reasoning_tokens: int = 0
    input_characters: int | None = None
    """None when any of the cells lacks the count: a partial sum would mislead."""
    output_characters: int | None = None
    cost_pico: int = 0
    """Billed cost where the source gave it, else computed; unpriced tokens add nothing here."""
    computed_pico: int = 0
    """What the price book says, for every priced cell."""
    unpriced_tokens: int = 0
    cells: int = 0
    """Hourly cells summed, one per scope and hour that had traffic."""
