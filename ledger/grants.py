"""Credits that come with a contract every month, where no bill says how many: seats that include a pool."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text = Annotated[str, Field(min_length=1)]


class CreditGrant(BaseModel):
    """A `[[credit_grant]]` table; several of one currency add up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Text
    """As the ledger names it, e.g. github-copilot."""
    currency: Text
    """As bills name the credits, e.g. AIC."""
    credits_per_month: Annotated[Decimal, Field(gt=0, le=10**15)]
    valid_from: date
    valid_to: date | None = None
    """The first day it no longer holds."""

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} must be after valid_from {self.valid_from}")
        return self

    def holds_in(self, first_of_month: date) -> bool:
        """A month is granted as a whole, by its first day."""
        return self.valid_from <= first_of_month and (self.valid_to is None or first_of_month < self.valid_to)


def granted(grants: Sequence[CreditGrant], provider: str, currency: str, month: date) -> Decimal | None:
    """What the settings grant in the month; None where they say nothing."""
    found = [g for g in grants if (g.provider, g.currency) == (provider, currency) and g.holds_in(month)]
    return sum((g.credits_per_month for g in found), Decimal(0)) if found else None
