"""What the operator says about prices: contract terms and the models behind deployment names.

Of the tables that match, the last one in the settings wins; overrides never stack. Names are compared without
case, first as equal text, then as a glob.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ledger.prices.tiers import STANDARD, canonical_tier
from ledger.usage import TokenClass

Text = Annotated[str, Field(min_length=1)]
MAX_USD_PER_MTOK = 1_000_000


class ModelName(NamedTuple):
    """A model as somebody names it: the source, or an alias."""

    provider: str
    model: str


class PriceOverride(BaseModel):
    """A `[[price_override]]` table: a discount on the catalogue's price, or a price instead of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Text = "*"
    model: Text
    """A glob over the recorded model name and, behind an alias, over the model it stands for."""
    token_class: TokenClass | Literal["*"] = "*"  # noqa: S105
    service_tier: Text | None = None
    """A glob; left out, a discount holds for every tier and a unit price for the standard tier only."""
    kind: Literal["percent_off", "usd_per_mtok"]
    value: Annotated[Decimal, Field(ge=0, le=MAX_USD_PER_MTOK)]
    valid_from: date
    valid_to: date | None = None
    """The first day it no longer holds."""
    source: Text
    """Where the terms are written down; it becomes a part of the price version."""

    @field_validator("service_tier")
    @classmethod
    def _one_name_per_tier(cls, tier: str | None) -> str | None:
        return None if tier is None else canonical_tier(tier)

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.kind == "percent_off" and self.value > 100:
            raise ValueError(f"{self.value} percent off is more than the whole price; give 0 to 100")
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} must be after valid_from {self.valid_from}")
        return self

    def concerns(self, names: Iterable[ModelName], tier: str) -> bool:
        """Whether it is about any of these names of one model, in a tier given by its canonical name."""
        tiers = self.service_tier or ("*" if self.kind == "percent_off" else STANDARD)
        return matches(tiers, tier) and any(
            matches(self.provider, name.provider) and matches(self.model, name.model) for name in names
        )

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


class ModelAlias(BaseModel):
    """A `[[model_alias]]` table: a deployment is priced as the model it runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deployment: Text
    """The recorded model name, or a glob over it."""
    provider: Text = "*"
    model: Text
    price_provider: Text | None = None
    """Whose price list holds; left out, the recorded provider's, or the model's maker's where it has none."""


def matches(pattern: str, text: str) -> bool:
    """Equal, or a glob that fits, without case: a name such as `claude-opus-5[1m]` still equals itself."""
    pattern, text = pattern.lower(), text.lower()
    return pattern == text or fnmatchcase(text, pattern)


def alias_for(aliases: Sequence[ModelAlias], provider: str, model: str) -> ModelAlias | None:
    """The last alias that matches; aliases are not followed further."""
    for alias in reversed(aliases):
        if matches(alias.deployment, model) and matches(alias.provider, provider):
            return alias
    return None


def override_for(
    overrides: Sequence[PriceOverride], token_class: TokenClass, day: date
) -> PriceOverride | None:
    """The last override for that class and day, among those that concern the model."""
    for override in reversed(overrides):
        if override.token_class in ("*", token_class) and override.holds_on(day):
            return override
    return None
