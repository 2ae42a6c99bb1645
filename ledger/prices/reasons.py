"""Why tokens have no price, and what to do about it, in one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from ledger.prices.tiers import STANDARD, TIER_CONTEXTS
from ledger.usage import TokenClass


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be priced."""

    provider: str
    model: str
    tier: str
    """By its canonical name."""
    deployment: str | None = None
    """The recorded name, where an alias says which model it stands for."""

    def __str__(self) -> str:
        alias = f", by the alias of `{self.deployment}`" if self.deployment else ""
        return f"`{self.model}` (provider {self.provider}{alias})"


class Listing(Protocol):
    """What the catalogue knows of the days on which a model's prices start."""

    @property
    def first_start(self) -> date | None:
        """None when a price without a date holds from the beginning."""

    def tier_start(self, tier: str) -> date | None:
        """The first day with a price for the tier; None when there is never one."""


def why_unpriced(subject: Subject, listing: Listing | None, day: date) -> str:
    """For a model without any price in its tier on that day."""
    if listing is None:
        return _why_unlisted(subject)
    remedy = f'add a [[price_override]] with service_tier = "{subject.tier}"'
    if subject.tier != STANDARD and subject.tier not in TIER_CONTEXTS:
        return f"unknown service tier `{subject.tier}` of {subject}; {remedy}"
    start = listing.first_start if subject.tier == STANDARD else listing.tier_start(subject.tier)
    if start is not None and day < start:
        return f"no `{subject.tier}` price for {subject} before {start}; {remedy}"
    if subject.tier != STANDARD and start is None:
        return f"no `{subject.tier}` price for {subject}; {remedy}"
    return (
        f"the catalogue lists {subject} without a price per token; add a [[price_override]], 0 if it is free"
    )


def _why_unlisted(subject: Subject) -> str:
    remedy = "a [[price_override]]" if subject.deployment else "a [[model_alias]] or [[price_override]]"
    if subject.tier == STANDARD:
        return f"no price for {subject}; add {remedy}"
    return f'no `{subject.tier}` price for {subject}; add {remedy} with service_tier = "{subject.tier}"'


def why_classes_unpriced(subject: Subject, missing: Sequence[TokenClass]) -> str:
    """For a model that has prices, but not for these classes."""
    return f"no price for {', '.join(missing)} tokens of {subject}; add a [[price_override]]"
