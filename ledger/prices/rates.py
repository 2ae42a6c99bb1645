"""Rates per token as the ledger stores them, and the version that says where they come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from ledger.prices.quote import Quote
from ledger.usage import TOKEN_CLASSES


@dataclass(frozen=True, slots=True)
class RateRow:
    """Rates in 1e-12 USD per token; None where a class has no price."""

    hour_of_day: int | None
    """Set when the price depends on the hour: it is the one in force when the hour begins."""
    input_rate: int | None
    cache_read_rate: int | None
    cache_write_5m_rate: int | None
    cache_write_1h_rate: int | None
    output_rate: int | None
    priced_as: str | None
    """The catalogue's model id; without a listing, the model an override prices."""
    tiered: bool
    """Long prompts cost more than this rate, which is the one below the first threshold."""
    price_version: str | None
    """Origin, hash over the day's rates, sources of the overrides used; None when nothing is priced."""
    reason: str | None
    """Why classes have no rate."""


Rates = tuple[int | None, int | None, int | None, int | None, int | None]
"""In the order of TOKEN_CLASSES."""


def rates_of(quote: Quote) -> Rates:
    one, two, three, four, five = (quote[c].rate if c in quote else None for c in TOKEN_CLASSES)
    return one, two, three, four, five


def price_version(origin: str, priced_as: str, quotes: Sequence[Quote], sources: Sequence[str]) -> str:
    """One version for all hours of a day, so that peak hours do not look like a change of price."""
    facts = [priced_as, *((rates_of(q), any(p.tiered for p in q.values())) for q in quotes)]
    digest = sha256(repr(facts).encode()).hexdigest()[:12]
    return " ".join([origin, digest, *sources])


def same_price(version: str | None, other: str | None) -> bool:
    """Whether both stand for equal rates on equal terms, whichever release of the catalogue said so."""
    if version is None or other is None:
        return version is other
    return version.partition(" ")[2] == other.partition(" ")[2]
