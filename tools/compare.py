"""The tool that compares every driver of cost with the same hours before."""

from collections.abc import Sequence
from statistics import stdev

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.usage import TOKEN_CLASSES, Measures
from ledger.window import Window
from tools.answer import Row, Scalar, ToolAnswer, answer, asked, ratio, requests_unknown, usd
from tools.comparison import Comparison, compare_with

LEAST_SPREAD = 0.05
"""Week-to-week spread is taken as at least this share of the mean: four weeks measure it badly."""


def compare(reader: Reader, window: Window, *, where: Scope = EVERYTHING) -> ToolAnswer:
    """Compare every driver of a scope's cost with the mean of the same hours in up to 4 earlier weeks (else
    days).

    Use it to see what moved: requests, errors, tokens per request, cached share, price, characters per token.
    Rows: `driver`, `now`, `before`, `ratio`. Facts: each driver as `<driver>`, `<driver>_before` and
    `<driver>_ratio`; a share has `<driver>_rise` instead, in points (0.05: 5 %). Also `actual_usd`,
    `mean_usd`, `change_usd`, `cost_ratio`, `requests`, `mean_requests`, `requests_ratio`, `tokens`,
    `tokens_ratio`, `tokens_per_hour`, `unpriced_tokens`; `spreads`: cost moved by so many of its ordinary
    week-to-week spreads; `windows_compared`, also told as `weeks`. What has no value, such as characters not
    logged, is left out; `requests_unknown` 1: a source counts none, so requests and all per request are.
    `no_data`: no usage now or before. It does not say who: use breakdown.
    """
    compared = compare_with(reader, window)
    now = _total(reader, [window], where)
    before = _total(reader, compared.baseline, where) if compared.baseline else Measures()
    weeks = [_total(reader, [w], where).cost_pico for w in compared.baseline]
    drivers_now, drivers_before = _drivers(now), _drivers(before)
    return answer(
        "compare",
        asked(window, where),
        compared,
        where,
        rows=[_row(name, drivers_now[name], drivers_before[name]) for name in drivers_now],
        facts={
            **_amounts(now, before, compared),
            **_driver_facts(drivers_now, drivers_before),
            "spreads": _spreads(now.cost_pico, weeks),
            "weeks": compared.weeks,
            "requests_unknown": requests_unknown(now, before),
        },
        found=bool(now.cells or before.cells),
    )


def _total(reader: Reader, windows: Sequence[Window], where: Scope) -> Measures:
    return next(iter(reader.totals(windows, where=where).values()), Measures())


def _amounts(now: Measures, before: Measures, compared: Comparison) -> dict[str, Scalar]:
    mean_pico = compared.mean_pico(before.cost_pico)
    counted = now.requests_known and before.requests_known
    mean_requests = compared.mean(before.requests)
    tokens, mean_tokens = now.tokens.total, compared.mean(before.tokens.total)
    return {
        "windows_compared": compared.weeks,
        "actual_usd": usd(now.cost_pico),
        "mean_usd": usd(mean_pico),
        "change_usd": usd(now.cost_pico - mean_pico),
        "cost_ratio": ratio(now.cost_pico, mean_pico),
        "requests": now.known_requests,
        "mean_requests": round(mean_requests, 1) if before.requests_known else None,
        "requests_ratio": ratio(now.requests, mean_requests) if counted else None,
        "tokens": tokens,
        "tokens_ratio": ratio(tokens, mean_tokens),
        "tokens_per_hour": round(tokens / compared.window.hours),
        "unpriced_tokens": now.unpriced_tokens,
    }


def _drivers(m: Measures) -> dict[str, float | None]:
    """Every ratio that a cause may move; None where it has no value."""
    requests, prompt, output = m.known_requests or 0, m.tokens.prompt, m.tokens.output
    priced = m.tokens.total - m.unpriced_tokens
    return {
        "failed_share": _per(m.failed_requests, requests),
        "retried_share": _per(m.retried_requests, requests),
        "input_tokens_per_request": _per(prompt, requests),
        "output_tokens_per_request": _per(output, requests),
        **{f"{c}_tokens_per_request": _per(getattr(m.tokens, c), requests) for c in TOKEN_CLASSES[1:4]},
        "cache_read_share": _per(m.tokens.cache_read, prompt),
        "cache_write_share": _per(m.tokens.cache_write_5m + m.tokens.cache_write_1h, prompt),
        "usd_per_mtok": _per(m.cost_pico * 1e-6, priced),
        "input_characters_per_token": _per(m.input_characters, prompt),
        "output_characters_per_token": _per(m.output_characters, output),
        "unpriced_share": _per(m.unpriced_tokens, m.tokens.total),
    }


def _per(part: float | None, whole: float) -> float | None:
    return None if part is None or not whole else round(part / whole, 6)


def _row(name: str, now: float | None, before: float | None) -> Row:
    both = ratio(now, before) if now is not None and before is not None else None
    return {"driver": name, "now": now, "before": before, "ratio": both}


def _driver_facts(now: dict[str, float | None], before: dict[str, float | None]) -> dict[str, Scalar]:
    """Shares as `_rise` in points, everything else as `_ratio`; the values themselves too."""
    facts: dict[str, Scalar] = {}
    for name, value in now.items():
        earlier = before[name]
        facts[name] = value
        facts[f"{name}_before"] = earlier
        if value is not None and earlier is not None:
            if name.endswith("_share"):
                facts[f"{name}_rise"] = round(value - earlier, 6)
            else:
                facts[f"{name}_ratio"] = ratio(value, earlier)
    return facts


def _spreads(now: int, weeks: Sequence[int]) -> float | None:
    if len(weeks) < 2:
        return None
    mean = sum(weeks) / len(weeks)
    spread = max(stdev(weeks), LEAST_SPREAD * mean)
    return round((now - mean) / spread, 2) if spread else None
