"""How each budget stands: spent, forecast, and the day it will be crossed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase

import numpy as np

from ledger.money import usd_from_pico
from ledger.reader import Reader
from ledger.scope import EVERYTHING
from ledger.window import HOUR
from tokensleuth.budgets.outlook import (
    Known,
    Outlook,
    Spending,
    crossing_day,
    episode_of,
    forecast_month,
    spendings,
)
from tokensleuth.budgets.settings import Budget


@dataclass(frozen=True, slots=True)
class Crossing:
    """The day a budget will be crossed; None: not this month."""

    earliest: date | None
    """One in ten crosses before."""
    likely: date | None
    latest: date | None
    """One in ten crosses after."""


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """One budget at one moment of its month."""

    budget: Budget
    outlook: Outlook
    crossed_at: tuple[datetime | None, ...]
    """For each share in `budget.alerts`: the end of the hour in which it was spent; None: not yet."""
    crossing: Crossing | None
    """None where the budget is already spent."""

    @property
    def spent_usd(self) -> Decimal:
        return usd_from_pico(self.outlook.spent_pico)

    @property
    def share(self) -> float:
        """Of the budget that is spent."""
        return float(self.spent_usd / self.budget.usd)


def evaluate(
    reader: Reader, budgets: Sequence[Budget], at: datetime, known: Sequence[Known] = ()
) -> list[BudgetStatus]:
    """Each budget at the moment `at`, a whole hour up to which usage is known; in their order.

    A budget whose scope has no usage has spent nothing and is forecast to spend nothing.
    """
    groupings = sorted({budget.dimensions for budget in budgets})
    if not groupings:
        return []
    found = dict(zip(groupings, spendings(reader, at, groupings), strict=True))
    spent = _of_budgets(budgets, [found[budget.dimensions] for budget in budgets])
    episodes = [
        episode_of(one, row, spent.start_at)
        for one in known
        for row, budget in enumerate(budgets)
        if _concerns(one, budget)
    ]
    months = forecast_month(spent, episodes)
    return [
        BudgetStatus(
            budget,
            outlook,
            tuple(_crossed_at(spent, row, budget.usd * Decimal(str(share))) for share in budget.alerts),
            _crossing(outlook, budget.usd),
        )
        for row, (budget, outlook) in enumerate(zip(budgets, months, strict=True))
    ]


def _of_budgets(budgets: Sequence[Budget], spendings: Sequence[Spending]) -> Spending:
    """A row for each budget: all that is paid from it."""
    rows = [
        [row for row, scope in enumerate(spent.scopes) if budget.covers(scope)]
        for budget, spent in zip(budgets, spendings, strict=True)
    ]
    paid = list(zip(spendings, rows, strict=True))
    return replace(
        spendings[0],
        scopes=(EVERYTHING,) * len(budgets),
        hours=np.stack([spent.hours[mine].sum(axis=0) for spent, mine in paid]),
        spent_pico=tuple(sum(spent.spent_pico[row] for row in mine) for spent, mine in paid),
        unpriced_tokens=tuple(sum(spent.unpriced_tokens[row] for row in mine) for spent, mine in paid),
    )


def _concerns(known: Known, budget: Budget) -> bool:
    """Whether the known scope holds a part of the budget's scopes, or is a part of them."""
    theirs, ours = set(known.scope.dimensions), set(budget.where)
    return (theirs <= ours or ours <= theirs) and all(
        fnmatchcase(value, budget.where[dimension])
        for dimension, value in known.scope.items
        if dimension in ours
    )


def _crossing(outlook: Outlook, usd: Decimal) -> Crossing | None:
    if usd_from_pico(outlook.spent_pico) >= usd:
        return None
    paths = (outlook.high, outlook.mid, outlook.low)
    return Crossing(*(crossing_day(outlook, path, float(usd)) for path in paths))


def _crossed_at(spent: Spending, row: int, usd: Decimal) -> datetime | None:
    """The exact sum says whether, the sums of floats in which hour."""
    month = spent.month
    if usd_from_pico(spent.spent_pico[row]) < usd or month.so_far is None:
        return None
    first = max((month.window.start_at - spent.start_at) // HOUR, 0)
    reached = np.cumsum(spent.hours[row, first:]) >= float(usd) * (1 - 1e-12)
    hour = int(reached.argmax()) if reached.any() else len(reached) - 1
    return spent.start_at + (first + hour + 1) * HOUR
