"""A digest as the JSON contract shows it: amounts with every digit, and what people read as Markdown."""

from collections.abc import Sequence
from decimal import Decimal

from ledger.money import exact_usd_text
from ledger.window import instant_text
from tokensleuth.budgets.document import budgets_document, outlook_json
from tokensleuth.digest.amounts import cents_of
from tokensleuth.digest.case_document import case_json
from tokensleuth.digest.facts import Coming, Digest, Mover, OutcomeCost, ShowbackRow, Spend, Used

JsonObject = dict[str, object]


def digest_document(digest: Digest) -> JsonObject:
    """`tokensleuth digest --json`, without the Markdown."""
    week = digest.week
    return {
        "week": week.week.name,
        "audience": digest.audience_name,
        "range": week.week.window.as_json(),
        "known": week.known.as_json() if week.known else None,
        "compared_with": week.last.as_json() if week.last else None,
        "made_at": instant_text(digest.made_at),
        "spend": _spend(digest.spend),
        "movers": [_mover(mover) for mover in digest.movers.shown],
        "other_movers": {"count": digest.movers.others, "change_usd": _cents(digest.movers.others_cents)},
        "showback": [_showback(row) for row in digest.showback],
        "coverage": _coverage(digest),
        "month": _month(digest),
        "coming": [_coming(coming) for coming in digest.coming],
        "outcomes": [_outcome(cost) for cost in digest.outcomes],
        "billing": _billing(digest),
        "completeness": _completeness(digest),
        **case_json(digest.case),
    }


def used_json(used: Used) -> JsonObject:
    """What a scope did; money with every digit."""
    tokens = used.tokens
    return {
        "usd": exact_usd_text(used.cost_pico),
        "requests": used.requests,
        "failed_requests": used.failed,
        "retried_requests": used.retried,
        "tokens": tokens.total,
        "input_tokens": tokens.input,
        "cache_read_tokens": tokens.cache_read,
        "cache_write_5m_tokens": tokens.cache_write_5m,
        "cache_write_1h_tokens": tokens.cache_write_1h,
        "output_tokens": tokens.output,
        "unpriced_tokens": used.unpriced_tokens,
        "wasted_usd": exact_usd_text(used.wasted_pico),
        "batch_usd": exact_usd_text(used.batch_pico),
    }


def _spend(spend: Spend) -> JsonObject:
    return {
        "now": used_json(spend.now),
        "last": used_json(spend.last) if spend.last else None,
        "now_shown_usd": _cents(cents_of(spend.now.cost_pico)),
        "change_usd": _cents(spend.change_cents) if spend.last else None,
        "effects": [{"name": effect.name, "usd": _cents(effect.cents)} for effect in spend.effects],
    }


def _mover(mover: Mover) -> JsonObject:
    return {
        "scope": mover.scope.as_dict(),
        "was": mover.was,
        "usd": _cents(mover.now_cents),
        "last_usd": _cents(mover.last_cents),
        "change_usd": _cents(mover.change_cents),
        "effects": [{"name": effect.name, "usd": _cents(effect.cents)} for effect in mover.effects],
        "most_at": mover.carrier.as_dict() if mover.carrier else None,
        "most_at_usd": exact_usd_text(mover.carrier_pico) if mover.carrier else None,
    }


def _showback(row: ShowbackRow) -> JsonObject:
    return {
        "name": row.name,
        "shown_usd": _cents(row.cents),
        "shown_change_usd": _cents(row.change_cents) if row.last else None,
        "last_usd": exact_usd_text(row.last.cost_pico) if row.last else None,
        **used_json(row.now),
    }


def _coverage(digest: Digest) -> JsonObject:
    nobody = digest.coverage.unallocated_pico
    return {
        "unallocated_usd": None if nobody is None else exact_usd_text(nobody),
        "unpriced": [{"model": m.model, "tokens": m.tokens} for m in digest.coverage.unpriced],
    }


def _month(digest: Digest) -> JsonObject:
    month = digest.month
    budgets = budgets_document(month.budgets, [], digest.week.at)["items"]
    closed = month.closed and {"month": month.closed[0], "usd": exact_usd_text(month.closed[1])}
    return {
        "forecast": outlook_json(month.outlook, days=False) if month.outlook else None,
        "budgets": budgets,
        "closed": closed,
    }


def _coming(coming: Coming) -> JsonObject:
    return {
        "id": coming.id,
        "day": coming.day.isoformat(),
        "summary": coming.summary,
        "source": coming.source,
        "confidence": coming.confidence,
        "models": list(coming.models),
        "usd": exact_usd_text(coming.now_pico),
        "factor": list(coming.factor) if coming.factor else None,
    }


def _outcome(cost: OutcomeCost) -> JsonObject:
    each = Decimal(cost.cost_pico).scaleb(-12) / cost.count if cost.count else None
    return {
        "outcome": cost.outcome,
        "count": str(cost.count),
        "days": cost.days,
        "usd": exact_usd_text(cost.cost_pico),
        "usd_each": None if each is None else f"{each:.6f}",
    }


def _billing(digest: Digest) -> Sequence[JsonObject]:
    return [
        {
            "kind": kind.kind,
            "billed_usd": exact_usd_text(kind.billed_pico),
            "effective_usd": exact_usd_text(kind.effective_pico),
            "beside_usage_usd": exact_usd_text(kind.beside_pico),
        }
        for kind in digest.billing.kinds
    ]


def _completeness(digest: Digest) -> JsonObject:
    found, known = digest.completeness, digest.week.known
    return {
        "hours": found.hours,
        "hours_known": known.hours if known else 0,
        "hours_with_usage": found.hours_with_usage,
        "late": [{"provider": s.provider, "ends_at": instant_text(s.ends_at)} for s in found.late],
    }


def _cents(cents: int) -> str:
    return f"{Decimal(cents).scaleb(-2):.2f}"
