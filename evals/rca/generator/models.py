"""The models generated organisations use. Prices are those of the ledger's price book on the day."""

from datetime import date
from functools import cache
from typing import NamedTuple

import numpy as np

from evals.rca.case import Floats
from ledger.prices.book import PriceBook


class Model(NamedTuple):
    provider: str
    name: str
    characters_per_token: float
    popularity: float


MODELS: tuple[Model, ...] = (
    Model("openai", "gpt-4o", 4.1, 2),
    Model("openai", "gpt-4o-mini", 4.1, 3),
    Model("openai", "gpt-4.1", 4.1, 2),
    Model("openai", "gpt-4.1-mini", 4.1, 2),
    Model("openai", "gpt-5", 4.1, 3),
    Model("openai", "gpt-5-mini", 4.1, 3),
    Model("openai", "gpt-5.2", 4.1, 1),
    Model("anthropic", "claude-opus-4-6", 3.7, 1),
    Model("anthropic", "claude-sonnet-4-5", 3.7, 3),
    Model("anthropic", "claude-haiku-4-5", 3.7, 3),
    Model("google", "gemini-2.5-pro", 4.0, 1),
    Model("google", "gemini-2.5-flash", 4.0, 2),
    Model("google", "gemini-2.5-flash-lite", 4.0, 1),
)
BY_NAME = {model.name: model for model in MODELS}

SUCCESSORS = {
    "claude-opus-4-6": "claude-opus-4-7",
    "claude-sonnet-4-5": "claude-sonnet-4-6",
    "gpt-5": "gpt-5.1",
}
"""New versions at the same price; no organisation uses them before a case says so."""

_BOOK = PriceBook()


@cache
def rates_pico(provider: str, model: str, tier: str, day: date) -> Floats | None:
    """1e-12 USD per token in the order of TOKEN_CLASSES; None where the book has no price."""
    row = _BOOK.rates(provider, model, tier, day)[0]
    rates = (row.input_rate, row.cache_read_rate, row.cache_write_5m_rate, row.cache_write_1h_rate)
    known = (*rates, row.output_rate)
    return None if None in known else np.array(known, dtype=np.float64)
