"""The price catalogue: genai-prices' bundled data, read offline. The only module that imports genai_prices,
which takes a third of a second, so it is itself imported only when something is priced.

Long-context tiers are never applied: they depend on one request, and the ledger prices sums of requests.
Fees per request, search or picture, and separate prices for reasoning or audio tokens are not in a quote.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from genai_prices import __version__
from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot, find_provider_by_id
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from ledger.prices.makers import provider_of
from ledger.prices.quote import Quote, TokenPrice
from ledger.prices.tiers import STANDARD, TIER_CONTEXTS
from ledger.scope import UNALLOCATED
from ledger.usage import TokenClass

_SNAPSHOT = DataSnapshot(providers=providers, from_auto_update=False)

_PROVIDERS_OTHERWISE_NAMED: Mapping[str, str] = {
    "azure_ai": "azure",
    "azure_openai": "azure",
    "azure-openai": "azure",
    "fireworks_ai": "fireworks",
}
"""LiteLLM's and OpenTelemetry's names, where the catalogue would find no provider or the wrong one."""

_PRICE_KEYS: Mapping[TokenClass, tuple[str, ...]] = {
    "input": ("input_mtok",),
    "cache_read": ("cache_read_mtok", "input_mtok"),
    "cache_write_5m": ("cache_write_5m_mtok", "cache_write_mtok", "input_mtok"),
    "cache_write_1h": ("cache_write_1h_mtok", "cache_write_mtok", "input_mtok"),
    "output": ("output_mtok",),
}
"""The first key that has a price holds: genai-prices counts tokens under their closest priced ancestor."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model in the catalogue, as one provider sells it."""

    info: ModelInfo
    own: bool
    """Listed by the provider itself; where it borrows another's list, only standard prices hold."""

    @property
    def model_id(self) -> str:
        return self.info.id

    @property
    def depends_on_hour(self) -> bool:
        return any(isinstance(c, TimeOfDateConstraint) for c in self._constraints())

    @property
    def origin(self) -> str:
        return f"genai-prices-{__version__}"

    @property
    def first_start(self) -> date | None:
        """The first day with a standard price; None when a price without a date holds from the beginning."""
        return _first_day(self._conditional_prices())

    def tier_start(self, tier: str) -> date | None:
        """The first day with a price for the tier, if its prices are dated."""
        return _first_day(list(self._variants(tier)))

    def starts(self) -> list[date]:
        """The days on which any of its prices starts."""
        return sorted({c.start_date for c in self._constraints() if isinstance(c, StartDateConstraint)})

    def quote(self, at: datetime, tier: str) -> Quote | None:
        """Prices at a UTC instant; None for a tier without a price, or before the first price."""
        if not any(_active(price, at) for price in self._conditional_prices()):
            return None
        if tier == STANDARD:
            return _token_prices(self.info.get_prices(at))
        variants = [variant for variant in self._variants(tier) if _active(variant, at)]
        return _token_prices(self.info.get_prices(at, variants[0].when)) if variants else None

    def _conditional_prices(self) -> list[ConditionalPrice]:
        prices = self.info.prices
        return [ConditionalPrice(prices=prices)] if isinstance(prices, ModelPrice) else prices

    def _variants(self, tier: str) -> Iterator[PriceVariant]:
        """The variants that say what the tier's tokens cost; one without any price means the standard one."""
        for context in TIER_CONTEXTS.get(tier, ()):
            for variant in (self.info.price_variants or ()) if self.own else ():
                if variant.when == context and (not variant.prices.__dict__ or _token_prices(variant.prices)):
                    yield variant

    def _constraints(self) -> Iterator[StartDateConstraint | TimeOfDateConstraint]:
        for price in (*self._conditional_prices(), *(self.info.price_variants or ())):
            if price.constraint is not None:
                yield price.constraint


def find_listed(provider: str, model: str) -> ListedModel | None:
    """The model as that provider lists it; without a provider, as its maker does."""
    seller = provider_of(model) if provider == UNALLOCATED else _catalogue_name(provider)
    for reference in _references(provider, seller, model):
        try:
            found, info = _SNAPSHOT.find_provider_model(reference, None, seller, None)
        except LookupError:
            continue
        return ListedModel(info, own=any(info is listed for listed in found.models))
    return None


def lists_provider(provider: str) -> bool:
    return find_provider_by_id(providers, _catalogue_name(provider)) is not None


def _catalogue_name(provider: str) -> str:
    return _PROVIDERS_OTHERWISE_NAMED.get(provider.strip().lower(), provider)


def _references(provider: str, seller: str, model: str) -> Iterator[str]:
    """The name as it is, then without a route that only repeats the provider (`openai/gpt-4o`)."""
    yield model
    route, _, rest = model.partition("/")
    if rest and (route.lower() in (provider.lower(), seller.lower()) or provider_of(model) == seller):
        yield rest


def _first_day(prices: Sequence[ConditionalPrice | PriceVariant]) -> date | None:
    constraints = [price.constraint for price in prices]
    days = [c.start_date for c in constraints if isinstance(c, StartDateConstraint)]
    return min(days) if days and len(days) == len(constraints) else None


def _active(price: ConditionalPrice | PriceVariant, at: datetime) -> bool:
    return price.constraint is None or price.constraint.active(at)


def _token_prices(prices: ModelPrice) -> Quote:
    quote: dict[TokenClass, TokenPrice] = {}
    for token_class, keys in _PRICE_KEYS.items():
        price = next((p for key in keys if (p := getattr(prices, key)) is not None), None)
        if isinstance(price, TieredPrices):
            quote[token_class] = TokenPrice(price.base, tiered=True)
        elif price is not None:
            quote[token_class] = TokenPrice(price)
    return quote
