"""The `[[budget]]` tables of the settings."""

from collections.abc import Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from ledger.errors import RefusedError
from ledger.scope import DIMENSIONS, Dimension, Scope, parse_dimension

Text = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0, le=10)]


class Budget(BaseModel):
    """What a scope may spend in a calendar month (UTC)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Text
    """Names the budget in alerts, whose ids are made from it: no two are alike."""
    where: Mapping[Dimension, Text] = Field(default_factory=dict)
    """Globs, such as team = "search*"; all that match share the budget. Left out: all spend."""
    usd: Decimal = Field(gt=0, le=10**12, decimal_places=12, allow_inf_nan=False)
    period: Literal["month"] = "month"
    owner: str | None = None
    """Who is told."""
    alerts: tuple[Share, ...] = (0.5, 0.8, 1.0)
    """Shares of the budget that are told when they are spent."""

    @field_validator("where", mode="before")
    @classmethod
    def _names_dimensions(cls, where: object) -> object:
        if not isinstance(where, Mapping):
            return where
        try:
            return {parse_dimension(str(name)): value for name, value in where.items()}
        except RefusedError as error:
            raise ValueError(str(error)) from None

    @field_validator("usd", mode="before")
    @classmethod
    def _is_an_amount(cls, usd: object) -> object:
        if isinstance(usd, bool):
            raise ValueError("must be an amount of dollars, such as 5000")
        return usd

    @field_validator("alerts")
    @classmethod
    def _are_whole_percents(cls, alerts: tuple[float, ...]) -> tuple[float, ...]:
        wrong = [share for share in alerts if abs(share * 100 - round(share * 100)) > 1e-9]
        if wrong or len(set(alerts)) != len(alerts):
            raise ValueError("must be different shares of whole percents, such as [0.5, 0.8, 1.0]")
        return tuple(sorted(alerts))

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """Those it pins, in the order of scopes."""
        return tuple(dimension for dimension in DIMENSIONS if dimension in self.where)

    def covers(self, scope: Scope) -> bool:
        """Whether the scope, which pins the budget's dimensions, is paid from it; case counts."""
        values = scope.as_dict()
        return all(fnmatchcase(values[dimension], glob) for dimension, glob in self.where.items())


def _with_different_names(budgets: tuple[Budget, ...]) -> tuple[Budget, ...]:
    names = [budget.name for budget in budgets]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two budgets are called {twice[0]}; each needs a name of its own")
    return budgets


Budgets = Annotated[tuple[Budget, ...], AfterValidator(_with_different_names)]
"""The field of the settings: `budget: Budgets = ()`."""
