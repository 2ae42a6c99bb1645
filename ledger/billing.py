"""All billing of a window in one place: tokens, credits, seats, commitments, promotions, each dollar once.

Billed is what invoices say, effective what use cost after what was paid before is spread over it. A purchase
that pays for later use is billed and not effective; what draws on it is effective and not billed.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

from ledger.billing_doubts import billing_rows, billing_warnings
from ledger.bills import (
    BILLING_KINDS,
    BillingKind,
    BillingLine,
    BillingSum,
    BillingSummary,
    Commitment,
    CreditPool,
    summed,
)
from ledger.engine import Row
from ledger.grants import CreditGrant, granted
from ledger.reader import Reader
from ledger.window import Window

__all__ = [
    "BILLING_KINDS", "BillingKind", "BillingLine", "BillingSum", "BillingSummary", "Commitment", "CreditPool",
    "billing_summary", "summed",
]  # fmt: skip


def billing_summary(reader: Reader, window: Window, *, grants: Sequence[CreditGrant] = ()) -> BillingSummary:
    """What was billed and used in the window. A charge counts in the window that it begins in.

    Pools are those of the months that the window touches, from the first of the month to the window's end;
    `grants` fill them where no bill says what was granted.
    """
    lines = [_line(row) for row in billing_rows(reader, "billing_lines", window)]
    months = Window(_month(window.start_at), window.end_at)
    return BillingSummary(
        window=window,
        lines=sorted([*_plain_usage(reader, window, lines), *lines], key=_place),
        pools=[_pool(row, grants) for row in billing_rows(reader, "billing_pools", months)],
        commitments=[_commitment(row) for row in billing_rows(reader, "billing_commitments", window)],
        warnings=billing_warnings(reader, window, lines),
    )


def _plain_usage(reader: Reader, window: Window, lines: Sequence[BillingLine]) -> list[BillingLine]:
    """Usage less what credits and commitments pay for: that part stands in `lines`."""
    found = []
    for scope, measures in reader.totals([window], by=("provider", "team")).items():
        provider, team = (value for _, value in scope.items)
        paid = sum(x.in_usage_pico for x in lines if (x.provider, x.team) == (provider, team))
        cost = measures.cost_pico - paid
        found.append(BillingLine("tokens", provider, team, cost, cost, cost, measures.tokens.total))
    return found


def _line(row: Row) -> BillingLine:
    kind, provider, team, *amounts = row
    billed, effective, in_usage, tokens = (_int(amount) for amount in amounts)
    return BillingLine(cast(BillingKind, kind), str(provider), str(team), billed, effective, in_usage, tokens)


def _pool(row: Row, grants: Sequence[CreditGrant]) -> CreditPool:
    provider, currency, month, by_bills, drawn, overage, billed, effective = row
    first = cast(datetime, month).replace(tzinfo=UTC)
    by_terms = granted(grants, str(provider), str(currency), first.date())
    return CreditPool(
        str(provider),
        str(currency),
        first,
        by_terms if by_bills is None else _decimal(by_bills),
        _decimal(drawn),
        _decimal(overage),
        _int(billed),
        _int(effective),
    )


def _commitment(row: Row) -> Commitment:
    provider, commitment_id, name, unit, billed, _, purchased, used, unused, used_usd, unused_usd = row
    return Commitment(
        str(provider),
        str(commitment_id),
        str(name),
        str(unit),
        _int(billed),
        None if purchased is None else _decimal(purchased),
        _decimal(used),
        _decimal(unused),
        _int(used_usd),
        _int(unused_usd),
    )


def _place(line: BillingLine) -> tuple[int, str, str]:
    return BILLING_KINDS.index(line.kind), line.provider, line.team


def _month(instant: datetime) -> datetime:
    return instant.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _int(value: object) -> int:
    return int(cast("int | Decimal | None", value) or 0)


def _decimal(value: object) -> Decimal:
    return Decimal(cast("Decimal | None", value) or 0)
