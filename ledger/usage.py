"""What is counted: token classes, and the measures of a scope over some hours."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

TokenClass = Literal["input", "cache_read", "cache_write_5m", "cache_write_1h", "output"]
TOKEN_CLASSES: tuple[TokenClass, ...] = get_args(TokenClass)
"""Disjoint: `input` is uncached, reasoning is a part of `output`."""

Metric = Literal["cost_usd", "tokens", "requests"]
METRICS: tuple[Metric, ...] = get_args(Metric)

UNCOUNTED_PART = 0.01
"""A sum's requests are unknown where more than this part of its tokens came without a request count.

An hourly cell with tokens and no request is one whose source counts none, as Anthropic's usage report.
"""


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
    uncounted_tokens: int = 0
    """Tokens of cells without a request: their source counts none."""
    cells: int = 0
    """Hourly cells summed, one per scope and hour that had traffic."""

    @property
    def requests_known(self) -> bool:
        """Whether requests, and what is told per request, mean anything; a mixture of sources does not."""
        return self.uncounted_tokens <= UNCOUNTED_PART * self.tokens.total

    @property
    def known_requests(self) -> int | None:
        """None where they are not known: 0 would be a claim."""
        return self.requests if self.requests_known else None
