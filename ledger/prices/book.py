"""The dated price book: what a token of each class costs for a provider, model, service tier and day."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from ledger.prices.overrides import ModelAlias, ModelName, PriceOverride, alias_for
from ledger.prices.plan import PricePlan
from ledger.prices.rates import RateRow
from ledger.prices.reasons import Subject
from ledger.prices.tiers import canonical_tier
from ledger.scope import UNALLOCATED

if TYPE_CHECKING:
    from ledger.prices.catalogue import ListedModel


class PriceBook:
    """Bundled catalogue prices under the operator's aliases and overrides; answers are kept in memory.

    A day has the price in force at 00:00 UTC. The catalogue's undated first price holds for all days before
    the first dated one; a list, or a service tier, that begins with a date has no price before it.
    """

    def __init__(self, overrides: Sequence[PriceOverride] = (), aliases: Sequence[ModelAlias] = ()) -> None:
        self._overrides = tuple(overrides)
        self._aliases = tuple(aliases)
        self._plans: dict[tuple[str, str, str], PricePlan] = {}

    def rates(self, provider: str, model: str, service_tier: str, day: date) -> tuple[RateRow, ...]:
        """One row, or 24 for a model whose price depends on the hour of day."""
        key = (provider, model, service_tier)
        if key not in self._plans:
            self._plans[key] = self._plan(*key)
        return self._plans[key].rows_on(day)

    def _plan(self, provider: str, model: str, service_tier: str) -> PricePlan:
        alias = alias_for(self._aliases, provider, model)
        names = [ModelName(provider, model)]
        if alias is not None:
            names.append(ModelName(alias.price_provider or provider, alias.model))
        tier = canonical_tier(service_tier)
        return PricePlan(
            Subject(names[-1].provider, names[-1].model, tier, deployment=model if alias else None),
            _find(provider, model, alias),
            tuple(override for override in self._overrides if override.concerns(names, tier)),
        )


def _find(provider: str, model: str, alias: ModelAlias | None) -> "ListedModel | None":
    # Imported here: genai-prices takes a third of a second, and commands that price nothing must not pay it.
    from ledger.prices.catalogue import find_listed, lists_provider

    if alias is None:
        return find_listed(provider, model)
    seller = alias.price_provider or (provider if lists_provider(provider) else UNALLOCATED)
    return find_listed(seller, alias.model)
