"""The prices of one model in one service tier over time, worked out once per period between changes."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property
from typing import TYPE_CHECKING

from ledger.prices.overrides import PriceOverride
from ledger.prices.quote import AgreedQuote, apply_overrides
from ledger.prices.rates import RateRow, price_version, rates_of
from ledger.prices.reasons import Subject, why_classes_unpriced, why_unpriced
from ledger.usage import TOKEN_CLASSES

if TYPE_CHECKING:
    from ledger.prices.catalogue import ListedModel

_ONCE_A_DAY: Sequence[int | None] = (None,)
_EVERY_HOUR: Sequence[int | None] = tuple(range(24))


@dataclass(frozen=True)
class PricePlan:
    """Answers for any day; prices change on days known beforehand only."""

    subject: Subject
    listing: "ListedModel | None"
    overrides: tuple[PriceOverride, ...]
    """Those that concern the model and tier, in the order of the settings."""
    _by_period: dict[int, tuple[RateRow, ...]] = field(default_factory=dict)

    def rows_on(self, day: date) -> tuple[RateRow, ...]:
        period = bisect_right(self._changes, day)
        if period not in self._by_period:
            self._by_period[period] = self._resolve(day)
        return self._by_period[period]

    @cached_property
    def _changes(self) -> list[date]:
        days = {o.valid_from for o in self.overrides} | {o.valid_to for o in self.overrides if o.valid_to}
        return sorted(days.union(self.listing.starts() if self.listing else ()))

    def _resolve(self, day: date) -> tuple[RateRow, ...]:
        hours = _EVERY_HOUR if self.listing and self.listing.depends_on_hour else _ONCE_A_DAY
        quotes = [self._quote(day, hour or 0) for hour in hours]
        version = self._version(quotes)
        return tuple(self._row(day, hour, q, version) for hour, q in zip(hours, quotes, strict=True))

    def _quote(self, day: date, hour: int) -> AgreedQuote:
        listed = self.listing and self.listing.quote(datetime.combine(day, time(hour)), self.subject.tier)
        return apply_overrides(listed or {}, self.overrides, day)

    def _row(self, day: date, hour: int | None, quote: AgreedQuote, version: str | None) -> RateRow:
        return RateRow(
            hour,
            *rates_of(quote.prices),
            self._priced_as if quote.prices else None,
            any(price.tiered for price in quote.prices.values()),
            version,
            self._reason(day, quote),
        )

    @property
    def _priced_as(self) -> str:
        return self.listing.model_id if self.listing else self.subject.model

    def _version(self, quotes: Sequence[AgreedQuote]) -> str | None:
        if not any(quote.prices for quote in quotes):
            return None
        origin = self.listing.origin if self.listing else "settings"
        sources = dict.fromkeys(source for quote in quotes for source in quote.sources)
        return price_version(origin, self._priced_as, [quote.prices for quote in quotes], list(sources))

    def _reason(self, day: date, quote: AgreedQuote) -> str | None:
        missing = [c for c in TOKEN_CLASSES if c not in quote.prices]
        if not missing:
            return None
        if quote.prices:
            return why_classes_unpriced(self.subject, missing)
        return why_unpriced(self.subject, self.listing, day)
