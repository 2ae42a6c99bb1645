"""The tool that breaks spend down by one or two dimensions."""

from collections.abc import Mapping, Sequence

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.usage import Measures
from ledger.window import Window
from tools.answer import OTHER, Row, Scalar, ToolAnswer, added, answer, asked, ratio, share, usd
from tools.comparison import Comparison, compare_with

NOTHING = Measures()
MOST_ROWS = 50
"""Whatever limit is asked for."""


def breakdown(
    reader: Reader,
    window: Window,
    *,
    by: Sequence[Dimension],
    where: Scope = EVERYTHING,
    limit: int = 10,
) -> ToolAnswer:
    """Break a scope's cost down by one or two dimensions, against the mean of the same hours in up to 4
    earlier weeks (else days).

    Use it to see who carries a change. Rows, largest change first: the values, `actual_usd`, `mean_usd`,
    `change_usd`, `requests`, `mean_requests`, `tokens`, `mean_tokens`; a row `(other)` sums up the rest and
    says of how many `values`; requests are null where a source counts none. Facts over all: number of
    `values`, `change_usd`, `cost_ratio` to the mean; `top_share`: the largest change's share of all changes;
    `rising_share`: share of usual spend in values that moved with the whole, at least half as fast: near 1 is
    broad, near 0 a few values. `no_data`: no usage now or before. It does not say why cost changed.
    """
    compared = compare_with(reader, window)
    now = reader.totals([window], by=by, where=where)
    before = reader.totals(compared.baseline, by=by, where=where) if compared.baseline else {}
    scopes = sorted(now.keys() | before.keys(), key=lambda s: (-abs(_change(s, now, before, compared)), s))
    listed = min(max(limit, 1), MOST_ROWS)
    rows = [_row(s, now, before, compared) for s in scopes[:listed]]
    if scopes[listed:]:
        rows.append(_other(scopes[listed:], now, before, compared))
    return answer(
        "breakdown",
        asked(window, where, by=list(by), limit=limit),
        compared,
        where,
        rows=rows,
        facts=_facts(scopes, now, before, compared),
        found=bool(scopes),
    )


def _change(
    scope: Scope, now: Mapping[Scope, Measures], before: Mapping[Scope, Measures], compared: Comparison
) -> int:
    usual = compared.mean_pico(before.get(scope, NOTHING).cost_pico)
    return now.get(scope, NOTHING).cost_pico - usual


def _row(
    scope: Scope, now: Mapping[Scope, Measures], before: Mapping[Scope, Measures], compared: Comparison
) -> Row:
    actual, usual = now.get(scope, NOTHING), before.get(scope, NOTHING)
    return {
        **dict(scope.items),
        "actual_usd": usd(actual.cost_pico),
        "mean_usd": usd(compared.mean_pico(usual.cost_pico)),
        "change_usd": usd(_change(scope, now, before, compared)),
        **_requests(actual, usual, compared),
        "tokens": actual.tokens.total,
        "mean_tokens": round(compared.mean(usual.tokens.total), 1),
    }


def _other(
    scopes: Sequence[Scope],
    now: Mapping[Scope, Measures],
    before: Mapping[Scope, Measures],
    compared: Comparison,
) -> Row:
    actual = added([now.get(s, NOTHING) for s in scopes])
    usual = added([before.get(s, NOTHING) for s in scopes])
    change = sum(_change(s, now, before, compared) for s in scopes)
    return {
        **dict.fromkeys(scopes[0].dimensions, OTHER),
        "actual_usd": usd(actual.cost_pico),
        "mean_usd": usd(actual.cost_pico - change),
        "change_usd": usd(change),
        **_requests(actual, usual, compared),
        "tokens": actual.tokens.total,
        "mean_tokens": round(compared.mean(usual.tokens.total), 1),
        "values": len(scopes),
    }


def _requests(actual: Measures, usual: Measures, compared: Comparison) -> Row:
    """None where the source counts no requests."""
    mean = round(compared.mean(usual.requests), 1) if usual.requests_known else None
    return {"requests": actual.known_requests, "mean_requests": mean}


def _facts(
    scopes: Sequence[Scope],
    now: Mapping[Scope, Measures],
    before: Mapping[Scope, Measures],
    compared: Comparison,
) -> dict[str, Scalar]:
    usual = {s: compared.mean_pico(before.get(s, NOTHING).cost_pico) for s in scopes}
    changes = {s: _change(s, now, before, compared) for s in scopes}
    change, mean = sum(changes.values()), sum(usual.values())
    half = change / mean / 2 if mean else 0.0
    along = [s for s in scopes if usual[s] and _along(changes[s] / usual[s], half)]
    top = max((abs(c) for c in changes.values()), default=0)
    return {
        "values": len(scopes),
        "change_usd": usd(change),
        "cost_ratio": ratio(mean + change, mean),
        "top_share": share(top, sum(abs(c) for c in changes.values())),
        "rising_share": share(sum(usual[s] for s in along), mean),
    }


def _along(own: float, half: float) -> bool:
    """Whether a value moved with the whole, at least half as fast."""
    return own >= half if half >= 0 else own <= half
