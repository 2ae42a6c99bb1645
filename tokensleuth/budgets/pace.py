"""Pace alerts: shares of a budget that are spent, and the day on which all of it will be."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from ledger.ids import fact_id
from tokensleuth.budgets.evaluation import BudgetStatus
from tokensleuth.budgets.month import Month

WILL_CROSS = "will_cross"


@dataclass(frozen=True, slots=True)
class PaceAlert:
    """One thing to tell of a budget in a month; the same one has the same id, however often it is found."""

    budget: str
    kind: str
    """`crossed_50` and the like, or `will_cross`."""
    at: datetime
    """When the share was spent; for `will_cross`, the moment of the forecast."""
    spent_usd: Decimal
    share: float
    """Of the budget that is spent now."""
    crosses_on: date | None
    """The likely day, for `will_cross`."""
    id: str


def pace_alerts(statuses: Sequence[BudgetStatus], in_force: Collection[str] = ()) -> list[PaceAlert]:
    """All that hold now; `in_force` are the ids of those told before that were not taken back.

    `will_cross` opens when even the low end of the 80 % interval crosses the budget this month, and stays
    until what is expected no longer does, or until it has crossed: between the two it neither opens nor
    closes, so that it does not flap. A share that is spent stays spent.
    """
    return [alert for status in statuses for alert in _alerts(status, in_force)]


def alert_id(budget: str, month: Month, kind: str) -> str:
    return fact_id("pace", budget, month.name, kind)


def _alerts(status: BudgetStatus, in_force: Collection[str]) -> Iterator[PaceAlert]:
    for share, crossed_at in zip(status.budget.alerts, status.crossed_at, strict=True):
        if crossed_at is not None:
            yield _alert(status, f"crossed_{round(share * 100)}", crossed_at, None)
    crossing = status.crossing
    if crossing is None or crossing.likely is None:
        return
    told = alert_id(status.budget.name, status.outlook.month, WILL_CROSS) in in_force
    if told or crossing.latest is not None:
        yield _alert(status, WILL_CROSS, status.outlook.month.at, crossing.likely)


def _alert(status: BudgetStatus, kind: str, at: datetime, crosses_on: date | None) -> PaceAlert:
    return PaceAlert(
        budget=status.budget.name,
        kind=kind,
        at=at,
        spent_usd=status.spent_usd,
        share=status.share,
        crosses_on=crosses_on,
        id=alert_id(status.budget.name, status.outlook.month, kind),
    )
