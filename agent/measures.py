"""The closed list of measures that can be proposed, each with its parameters."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Usd = Annotated[Decimal, AfterValidator(lambda amount: amount.quantize(Decimal("0.01")))]
"""Dollars and cents."""

Gateway = Literal["litellm", "openai", "anthropic", "webhook", "none"]


class Frozen(BaseModel):
    """Values of a finding: frozen, and nothing in them that the contract does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SetRateLimit(Frozen):
    """Refuse what exceeds a limit; undone by the former limit."""

    action: Literal["set_rate_limit"] = "set_rate_limit"
    tokens_per_minute: int | None = Field(default=None, gt=0)
    requests_per_minute: int | None = Field(default=None, gt=0)
    model: str | None = None


class SetBudget(Frozen):
    """Refuse all spend above an amount per period."""

    action: Literal["set_budget"] = "set_budget"
    max_usd: Usd = Field(gt=0)
    period: Literal["day", "week", "month"]


class DowngradeModel(Frozen):
    """Answer requests for one model with another."""

    action: Literal["downgrade_model"] = "downgrade_model"
    from_model: str
    to_model: str


class BlockKey(Frozen):
    """Refuse all requests of a key until it is unblocked."""

    action: Literal["block_key"] = "block_key"


class RevokeKey(Frozen):
    """Delete a key for good."""

    action: Literal["revoke_key"] = "revoke_key"


class FixPrice(Frozen):
    """Correct the price book."""

    action: Literal["fix_price"] = "fix_price"
    model: str
    reason: str


class NotifyOwner(Frozen):
    """Tell the owner and ask."""

    action: Literal["notify_owner"] = "notify_owner"
    owner: str
    message: str


class MarkExpected(Frozen):
    """Stop reporting this until an instant."""

    action: Literal["mark_expected"] = "mark_expected"
    until: datetime


Measure = Annotated[
    SetRateLimit | SetBudget | DowngradeModel | BlockKey | RevokeKey | FixPrice | NotifyOwner | MarkExpected,
    Field(discriminator="action"),
]
"""An action with its parameters: the closed list."""
