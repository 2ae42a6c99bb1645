"""`focus-conformance.json`: what a FOCUS file claims, what it was checked with, what it does not keep."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files

from ledger.money import exact_usd_text, usd_from_pico
from ledger.usage import TOKEN_CLASSES, Measures
from ledger.window import instant_text
from tokensleuth.focus_export.checker import Checked
from tokensleuth.focus_export.columns import OWN_COLUMNS, attribution, columns_of
from tokensleuth.focus_export.rows import ExportRequest

CONFORMANCE_FILE = "focus-conformance.json"

_CLASS_COLUMNS = (
    "x_InputTokens",
    "x_CacheReadTokens",
    "x_CacheWrite5mTokens",
    "x_CacheWrite1hTokens",
    "x_OutputTokens",
)


@dataclass(frozen=True, slots=True)
class LedgerSide:
    """What the ledger says that the file must hold."""

    usage: Measures
    charges: int
    charges_billed_pico: int
    charges_effective_pico: int
    paid_before_pico: int
    """Of the cost of usage, what credits and commitments paid: no invoice asks for it again."""


def differences(checked: Checked, side: LedgerSide) -> tuple[str, ...]:
    """Totals of the file that are not those of the ledger, as sentences."""
    if checked.header:
        return ()
    effective = usd_from_pico(side.usage.cost_pico + side.charges_effective_pico)
    billed = usd_from_pico(side.usage.cost_pico - side.paid_before_pico + side.charges_billed_pico)
    pairs: list[tuple[str, object, object]] = [
        ("EffectiveCost", checked.costs["EffectiveCost"], effective),
        ("BilledCost", checked.costs["BilledCost"], billed),
        ("requests", checked.counts["x_Requests"], side.usage.requests),
        ("failed requests", checked.counts["x_FailedRequests"], side.usage.failed_requests),
        ("retried requests", checked.counts["x_RetriedRequests"], side.usage.retried_requests),
        ("reasoning tokens", checked.counts["x_ReasoningTokens"], side.usage.reasoning_tokens),
        ("charges", checked.kinds["charges"], side.charges),
    ]
    for name, column in zip(TOKEN_CLASSES, _CLASS_COLUMNS, strict=True):
        pairs.append((f"{name} tokens", checked.counts[column], getattr(side.usage.tokens, name)))
    return tuple(f"{what}: the file has {a}, the ledger {b}" for what, a, b in pairs if a != b)


def conformance(
    request: ExportRequest, file: str, checked: Checked, side: LedgerSide, *, written_at: datetime
) -> dict[str, object]:
    """The document; `result` is passed, passed_with_waivers or failed."""
    failures = (*checked.failures, *differences(checked, side))
    return {
        "file": file,
        "focus_version": request.version,
        "dataset": "Cost and Usage",
        "range": request.window.as_json(),
        "written_at": instant_text(written_at),
        "written_by": f"tokensleuth {version('tokensleuth')}",
        "result": _result(checked, failures),
        "validator": {
            "name": "tokensleuth focus checker",
            "version": version("tokensleuth"),
            "rules": checked.rules,
            "covers": "columns, nulls, allowed values, formats, conditions, totals against the ledger",
        },
        "external_validators": "none run by this command; docs/focus-export.md says how to run two",
        "failures": list(failures),
        "waivers": [
            {"rule": b.rule, "rows": b.waived, "reason": b.reason} for b in checked.broken if b.waived
        ],
        "known_limits": _known_limits(),
        "columns": _columns(request),
        "rows": {"total": checked.rows, **checked.kinds},
        "totals": {
            **{name: format(value.normalize(), "f") for name, value in checked.costs.items()},
            **checked.counts,
            "unpriced_tokens": side.usage.unpriced_tokens,
        },
        "ledger_totals": {
            "cost_usd": exact_usd_text(side.usage.cost_pico),
            "paid_before_usd": exact_usd_text(side.paid_before_pico),
            "charges_billed_usd": exact_usd_text(side.charges_billed_pico),
            "charges_effective_usd": exact_usd_text(side.charges_effective_pico),
        },
        "attribution": attribution(),
    }


def _known_limits() -> list[str]:
    """True of every export; rows that need a waiver are counted beside them."""
    text = files("tokensleuth.focus_export").joinpath("known_limits.json").read_text("utf-8")
    return [str(limit) for limit in json.loads(text)]


def _result(checked: Checked, failures: Sequence[str]) -> str:
    if failures:
        return "failed"
    return "passed_with_waivers" if any(b.waived for b in checked.broken) else "passed"


def _columns(request: ExportRequest) -> Mapping[str, object]:
    return {
        "focus": [column.column for column in columns_of(request.version)],
        "custom": {column.name: column.meaning for column in OWN_COLUMNS},
    }
