"""The models a synthetic organisation uses, with list prices, so that what was injected is known in dollars.

Prices are those of genai-prices 0.2.3 for November 2026, checked 2026-11-22; a test compares them with the
installed package. The price book of the ledger stays the only source of prices for real usage.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ledger.usage import TOKEN_CLASSES, TokenClass

BATCH_PRICED_FROM = datetime(2026, 10, 14, tzinfo=UTC)
"""The first day for which genai-prices 0.2.3 knows batch prices; earlier batch usage is unpriced."""

BATCH_FACTOR = 0.5
"""Batch is half price at all three providers; batch traffic here carries no cached tokens, whose
batch price differs between them."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """List price in USD per million tokens of each class, and how often the organisation picks the model."""

    provider: str
    model: str
    input: float
    cache_read: float
    cache_write_5m: float
    cache_write_1h: float
    output: float
    popularity: float
    reasoning_share: float = 0.0
    """Part of the output tokens spent on reasoning."""

    def usd_per_mtok(self, token_class: TokenClass) -> float:
        prices: Mapping[TokenClass, float] = {name: getattr(self, name) for name in TOKEN_CLASSES}
        return prices[token_class]


MODELS: tuple[ModelFacts, ...] = (
    ModelFacts("openai", "gpt-4o", 2.5, 1.25, 2.5, 2.5, 10, popularity=2),
    ModelFacts("openai", "gpt-4o-mini", 0.15, 0.075, 0.15, 0.15, 0.6, popularity=2),
    ModelFacts("openai", "gpt-4.1", 2, 0.5, 2, 2, 8, popularity=2),
    ModelFacts("openai", "gpt-4.1-mini", 0.4, 0.1, 0.4, 0.4, 1.6, popularity=3),
    ModelFacts("openai", "gpt-5.4", 2.5, 0.25, 2.5, 2.5, 15, popularity=2, reasoning_share=0.4),
    ModelFacts("openai", "gpt-5.4-mini", 0.75, 0.075, 0.75, 0.75, 4.5, popularity=3, reasoning_share=0.3),
    ModelFacts("anthropic", "claude-opus-4-6", 5, 0.5, 6.25, 10, 25, popularity=2),
    ModelFacts("anthropic", "claude-opus-4-7", 5, 0.5, 6.25, 10, 25, popularity=0),
    ModelFacts("anthropic", "claude-sonnet-4-5", 3, 0.3, 3.75, 6, 15, popularity=3),
    ModelFacts("anthropic", "claude-haiku-4-5", 1, 0.1, 1.25, 2, 5, popularity=3),
    ModelFacts("google", "gemini-2.5-flash", 0.3, 0.03, 0.3, 0.3, 2.5, popularity=2, reasoning_share=0.2),
    ModelFacts("google", "gemini-2.5-flash-lite", 0.1, 0.01, 0.1, 0.1, 0.4, popularity=1),
)
"""`claude-opus-4-7` is never picked: it is what a tokenizer change switches to, at the same price."""

BY_MODEL: Mapping[str, ModelFacts] = {facts.model: facts for facts in MODELS}


def usd_per_token(model: str, token_class: TokenClass, *, service_tier: str) -> float:
    """The list price of one token; 0 for a model outside MODELS, which no price book knows either."""
    facts = BY_MODEL.get(model)
    if facts is None:
        return 0.0
    factor = BATCH_FACTOR if service_tier == "batch" else 1.0
    return facts.usd_per_mtok(token_class) * factor / 1e6
