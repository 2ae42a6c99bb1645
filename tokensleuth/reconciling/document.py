"""A reconciliation as the JSON of its command."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from ledger.money import exact_usd_text
from ledger.window import Window
from tokensleuth.casebook.records import InvestigationRecord, JsonObject
from tokensleuth.reconciling.items import Aside
from tokensleuth.reconciling.judging import Judged
from tokensleuth.reconciling.override_toml import toml_lines
from tokensleuth.reconciling.readiness import Waiting
from tokensleuth.reconciling.reconciled import Reconciliation
from tokensleuth.reconciling.runs import Run


def reconciliation_document(
    found: Reconciliation, window: Window, saved: Sequence[InvestigationRecord], now: datetime
) -> JsonObject:
    """`tokensleuth reconcile --json`: differences, all days, and what was left out with why."""
    return {
        "range": window.as_json(),
        "findings": [_finding(run, now.date()) for run in found.runs],
        "days": [_day(judged) for judged in found.judged],
        "totals": _totals(found.judged),
        "not_token_usage": [_aside(each) for each in found.sides.not_token_usage],
        "unmapped": [_aside(each) for each in found.sides.unmapped],
        "waiting": [_waiting(each) for each in found.waiting],
        "saved": [record.incident_id for record in saved],
    }


def _finding(run: Run, today: date) -> JsonObject:
    explained = run.explained
    return {
        "id": run.id,
        **run.window.as_json(),
        "scope": {str(name): value for name, value in run.scope.items},
        "models": list(run.models),
        "days": len({judged.item.day for judged in run.days}),
        "reason": explained.reason,
        "confidence": explained.confidence,
        "billed_usd": exact_usd_text(run.billed_pico),
        "ledger_usd": exact_usd_text(run.counted_pico),
        "difference_usd": exact_usd_text(run.counted_pico - run.billed_pico),
        "why": explained.told,
        "price_overrides": "\n".join(toml_lines(run.overrides, today)) or None,
    }


def _day(judged: Judged) -> JsonObject:
    item, explained = judged.item, judged.explained
    return {
        "provider": item.provider,
        "model": item.model,
        "day": item.day.isoformat(),
        "billed_usd": exact_usd_text(item.billed.pico),
        "ledger_usd": exact_usd_text(item.counted_pico),
        "difference_usd": exact_usd_text(item.gap_pico),
        "share": round(item.share, 6),
        "status": judged.status,
        "reason": explained.reason if explained else None,
    }


def _totals(judged: Sequence[Judged]) -> list[JsonObject]:
    """By provider, over the days that could be judged."""
    billed: defaultdict[str, int] = defaultdict(int)
    counted: defaultdict[str, int] = defaultdict(int)
    for each in judged:
        billed[each.item.provider] += each.item.billed.pico
        counted[each.item.provider] += each.item.counted_pico
    return [
        {
            "provider": provider,
            "billed_usd": exact_usd_text(billed[provider]),
            "ledger_usd": exact_usd_text(counted[provider]),
            "difference_usd": exact_usd_text(counted[provider] - billed[provider]),
        }
        for provider in sorted(billed)
    ]


def _aside(aside: Aside) -> JsonObject:
    return {
        "provider": aside.provider,
        "day": aside.day.isoformat(),
        "line_item": aside.line_item,
        "why": aside.why,
        "billed_usd": exact_usd_text(aside.pico),
    }


def _waiting(waiting: Waiting) -> JsonObject:
    return {"provider": waiting.provider, "day": waiting.day.isoformat(), "why": waiting.why}
