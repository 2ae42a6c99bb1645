"""Pace alerts as notices: what people read of a budget that is spent or will be."""

from collections.abc import Collection, Sequence
from decimal import Decimal

from ledger.window import short_text
from tokensleuth.budgets.document import alert_json
from tokensleuth.budgets.evaluation import BudgetStatus
from tokensleuth.budgets.pace import WILL_CROSS, PaceAlert
from tokensleuth.casebook.notices import KeptNotice, Level, Notice
from tokensleuth.terminal.text import percent, usd

_MEDIUM_FROM = 0.8
_HIGH_FROM = 1.0


def budget_notice(alert: PaceAlert, status: BudgetStatus) -> Notice:
    """Its subject is the alert's id: the same alert is the same notice all month long."""
    return Notice(
        kind="budget",
        subject=alert.id,
        severity=_severity(alert),
        title=_title(alert),
        lines=tuple(_lines(alert, status)),
        owner=status.budget.owner,
        facts=alert_json(alert),
    )


def ids_in_force(kept: Sequence[KeptNotice]) -> Collection[str]:
    """The alerts that were told of and not taken back."""
    return {each.notice.subject for each in kept if each.notice.kind == "budget"}


def _severity(alert: PaceAlert) -> Level:
    if alert.kind == WILL_CROSS:
        return "medium"
    share = int(alert.kind.removeprefix("crossed_")) / 100
    return "high" if share >= _HIGH_FROM else "medium" if share >= _MEDIUM_FROM else "low"


def _title(alert: PaceAlert) -> str:
    if alert.kind == WILL_CROSS:
        return f"Budget {alert.budget} will be crossed on {alert.crosses_on}"
    return f"Budget {alert.budget}: {alert.kind.removeprefix('crossed_')} % is spent"


def _lines(alert: PaceAlert, status: BudgetStatus) -> list[str]:
    outlook, total = status.outlook, status.budget.usd
    lines = [f"{usd(alert.spent_usd)} of {usd(total)} is spent ({percent(alert.share)})."]
    if alert.kind != WILL_CROSS:
        lines.append(f"The mark was reached by {short_text(alert.at)} UTC.")
    if outlook.basis != "unknown":
        low, mid, high = (usd(Decimal(str(path[-1]))) for path in (outlook.low, outlook.mid, outlook.high))
        lines.append(f"The month is forecast to end at {mid} (80 % interval: {low} to {high}).")
    crossing = status.crossing
    if crossing is not None and crossing.likely is not None:
        earliest, latest = crossing.earliest or crossing.likely, crossing.latest
        until = f"and {latest}" if latest else "and the end of the month, or not at all"
        lines.append(f"It will likely be crossed on {crossing.likely}: between {earliest} {until}.")
    return lines
