"""Who pays what, what no team or price accounts for, and what is billed beside tokens."""

from ledger.billing import BillingSummary
from ledger.bills import summed
from ledger.scope import EVERYTHING, UNALLOCATED, Dimension, Scope
from tokensleuth.digest.amounts import cents_of, shared_cents
from tokensleuth.digest.facts import BilledKind, Billing, Coverage, ModelTokens, ShowbackRow, Used
from tokensleuth.digest.using import WeekUsage


def showback_of(
    usage: WeekUsage, last: WeekUsage | None, where: Scope, by: Dimension
) -> tuple[ShowbackRow, ...]:
    """Dearest first; who only had usage last week stands there too. The cents add up to the total's."""
    now = usage.by((by,), where)
    before = last.by((by,), where) if last else None
    order = sorted(now.keys() | (before or {}).keys(), key=lambda s: (-now.get(s, Used()).cost_pico, s))
    costs = [now.get(scope, Used()).cost_pico for scope in order]
    earlier = [(before or {}).get(scope, Used()).cost_pico for scope in order]
    cents = shared_cents(costs, cents_of(sum(costs)))
    change = [a - b for a, b in zip(costs, earlier, strict=True)]
    changes = (
        shared_cents(change, cents_of(sum(costs)) - cents_of(sum(earlier)))
        if before is not None
        else [0] * len(order)
    )
    return tuple(
        ShowbackRow(
            name=scope.as_dict()[by],
            now=now.get(scope, Used()),
            last=None if before is None else before.get(scope, Used()),
            cents=cents[i],
            change_cents=changes[i],
        )
        for i, scope in enumerate(order)
    )


def coverage_of(usage: WeekUsage, where: Scope) -> Coverage:
    """What no team owns, and what has no price."""
    unpriced = [
        ModelTokens(scope.as_dict()["model"], used.unpriced_tokens)
        for scope, used in usage.by(("model",), where).items()
        if used.unpriced_tokens
    ]
    nobody = Scope((("team", UNALLOCATED),))
    return Coverage(
        usage.used(nobody).cost_pico if where == EVERYTHING else None,
        tuple(sorted(unpriced, key=lambda m: (-m.tokens, m.model))),
    )


def billing_of(summary: BillingSummary, team: str | None) -> Billing:
    """Of all, or the lines of a team; pools and commitments belong to no team."""
    lines = [line for line in summary.lines if team in (None, line.team)]
    kinds = []
    for kind in dict.fromkeys(line.kind for line in lines):
        total = summed(line for line in lines if line.kind == kind)
        kinds.append(BilledKind(kind, total.billed_pico, total.effective_pico, total.beside_usage_pico))
    if team is not None:
        return Billing(tuple(kinds))
    return Billing(tuple(kinds), tuple(summary.pools), tuple(summary.commitments), tuple(summary.warnings))
