"""`tokensleuth billing`: everything that bills say of a range, each dollar once."""

from datetime import datetime
from decimal import Decimal

from ledger.billing import billing_summary
from ledger.bills import BillingLine, BillingSum, BillingSummary, Commitment, CreditPool
from ledger.money import exact_usd_text
from ledger.window import HOUR, Window, floor_hour, instant_text, parse_range
from tokensleuth.app import App
from tokensleuth.clock import utc_now
from tokensleuth.output import Outcome
from tokensleuth.terminal.billing import billing_tables


def run(app: App, time_range: str | None) -> Outcome:
    """Of the range, or of this month so far; saves nothing."""
    now = utc_now()
    window = parse_range(time_range, now=now) if time_range else _month_so_far(now)
    grants = app.settings.credit_grant
    with app.reading_ledger() as ledger:
        document = billing_document(billing_summary(ledger.reader, window, grants=grants))
    return Outcome(document, billing_tables(document))


def billing_document(summary: BillingSummary) -> dict[str, object]:
    return {
        "range": summary.window.as_json(),
        "billed_usd": exact_usd_text(summary.billed_pico),
        "effective_usd": exact_usd_text(summary.effective_pico),
        "beside_usage_usd": exact_usd_text(summary.beside_usage_pico),
        "kinds": [{"kind": kind, **_amounts(of)} for kind, of in summary.by_kind.items()],
        "lines": [
            {"kind": line.kind, "provider": line.provider, "team": line.team, **_amounts(line)}
            for line in summary.lines
        ],
        "pools": [_pool(pool) for pool in summary.pools],
        "commitments": [_commitment(commitment) for commitment in summary.commitments],
        "warnings": list(summary.warnings),
    }


def _month_so_far(now: datetime) -> Window:
    hour = floor_hour(now)
    return Window(hour.replace(day=1, hour=0), hour + HOUR)


def _amounts(of: BillingLine | BillingSum) -> dict[str, object]:
    return {
        "billed_usd": exact_usd_text(of.billed_pico),
        "effective_usd": exact_usd_text(of.effective_pico),
        "beside_usage_usd": exact_usd_text(of.beside_usage_pico),
        "tokens": of.tokens,
    }


def _pool(pool: CreditPool) -> dict[str, object]:
    return {
        "provider": pool.provider,
        "currency": pool.currency,
        "month": instant_text(pool.month),
        "granted": _number(pool.granted),
        "drawn": _number(pool.drawn),
        "from_pool": _number(pool.from_pool),
        "remaining": _number(pool.remaining),
        "used_share": pool.used_share,
        "overage": _number(pool.overage),
        "overage_billed_usd": exact_usd_text(pool.overage_billed_pico),
        "effective_usd": exact_usd_text(pool.effective_pico),
    }


def _commitment(of: Commitment) -> dict[str, object]:
    return {
        "provider": of.provider,
        "commitment_id": of.commitment_id,
        "name": of.name or None,
        "unit": of.unit or None,
        "purchased": _number(of.purchased),
        "purchased_billed_usd": exact_usd_text(of.purchased_billed_pico),
        "used": _number(of.used),
        "unused": _number(of.unused),
        "utilisation": of.utilisation,
        "used_usd": exact_usd_text(of.used_pico),
        "unused_usd": exact_usd_text(of.unused_pico),
    }


def _number(quantity: Decimal | None) -> str | None:
    """Without zeros that say nothing."""
    return None if quantity is None else format(quantity.normalize(), "f")
