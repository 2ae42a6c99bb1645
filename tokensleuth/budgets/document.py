"""Forecasts and budgets as the JSON contract shows them."""

import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from ledger.money import PICO_PER_USD, exact_usd_text, usd_text
from ledger.window import instant_text
from tokensleuth.budgets.evaluation import BudgetStatus, Crossing
from tokensleuth.budgets.outlook import Outlook
from tokensleuth.budgets.pace import PaceAlert

JsonObject = dict[str, object]


def forecast_document(outlooks: Sequence[Outlook], at: datetime) -> JsonObject:
    """`tokensleuth forecast --json`: largest expected month first."""
    ordered = sorted(outlooks, key=lambda o: (-_size(o), o.scope))
    return {"at": instant_text(at), "items": [outlook_json(outlook, days=True) for outlook in ordered]}


def _size(outlook: Outlook) -> float:
    return outlook.spent_usd if outlook.basis == "unknown" else outlook.mid[-1]


def outlook_json(outlook: Outlook, *, days: bool) -> JsonObject:
    """The month's end; with `days` the end of each day on the way to it."""
    document: JsonObject = {
        "scope": outlook.scope.as_dict(),
        "month": outlook.month.window.as_json(),
        "spent_usd": exact_usd_text(outlook.spent_pico),
        "forecast_usd": _usd(outlook.mid[-1]),
        "low_usd": _usd(outlook.low[-1]),
        "high_usd": _usd(outlook.high[-1]),
        "basis": outlook.basis,
        "days_known": outlook.days_known,
        "unpriced_tokens": outlook.unpriced_tokens,
    }
    if days:
        document["days"] = [
            {
                "day": outlook.month.day(ahead).isoformat(),
                "usd": _usd(mid),
                "low_usd": _usd(low),
                "high_usd": _usd(high),
            }
            for ahead, (mid, low, high) in enumerate(zip(outlook.mid, outlook.low, outlook.high, strict=True))
        ]
    return document


def budgets_document(
    statuses: Sequence[BudgetStatus], alerts: Sequence[PaceAlert], at: datetime
) -> JsonObject:
    """`tokensleuth budgets --json`: in the order of the settings."""
    return {"at": instant_text(at), "items": [_status_json(status, alerts) for status in statuses]}


def _status_json(status: BudgetStatus, alerts: Sequence[PaceAlert]) -> JsonObject:
    budget = status.budget
    outlook = outlook_json(status.outlook, days=False)
    del outlook["scope"]
    return {
        "name": budget.name,
        "where": dict(budget.where),
        "usd": _exact(budget.usd),
        "period": budget.period,
        "owner": budget.owner,
        **outlook,
        "share": round(status.share, 6),
        "crosses_on": _crossing_json(status.crossing),
        "alerts": [alert_json(alert) for alert in alerts if alert.budget == budget.name],
    }


def _crossing_json(crossing: Crossing | None) -> JsonObject | None:
    """Null where it is crossed already; a day that is null is not in this month."""
    if crossing is None:
        return None
    return {
        "earliest": _day(crossing.earliest),
        "likely": _day(crossing.likely),
        "latest": _day(crossing.latest),
    }


def alert_json(alert: PaceAlert) -> JsonObject:
    return {
        "id": alert.id,
        "kind": alert.kind,
        "at": instant_text(alert.at),
        "spent_usd": _exact(alert.spent_usd),
        "share": round(alert.share, 6),
        "crosses_on": _day(alert.crosses_on),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _exact(amount: Decimal) -> str:
    return exact_usd_text(int(amount * PICO_PER_USD))


def _usd(amount: float) -> str | None:
    return None if math.isnan(amount) else usd_text(amount)
