"""The tool that lists what the same hours cost in each earlier week, and where the present ranks."""

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.usage import Measures
from ledger.window import Window, baseline_windows, instant_text
from tools.answer import Row, Scalar, ToolAnswer, answer, asked, ratio, usd
from tools.comparison import Comparison, compare_with

MOST_WEEKS = 8


def earlier_weeks(reader: Reader, window: Window, *, where: Scope = EVERYTHING) -> ToolAnswer:
    """List what the same hours of the week cost a scope in each of up to 8 earlier weeks, one by one.

    Use it to tell a record from another ordinary week: a mean hides earlier peaks and climbs. A ledger too
    young for weeks gives earlier days. Rows, latest first: `start_at`, `days_ago`, `actual_usd`, `requests`,
    `tokens`, `tokens_per_request`; a week without usage is 0. Facts: `actual_usd` of the window; `mean_usd`,
    `most_usd`, `least_usd` of the rows (other tools take 4 weeks at most: their mean differs); `rank`: 1 if
    no row cost more; `ratio_to_most`: its cost over the dearest row's; `windows`: number of rows. `no_data`:
    no earlier window is known, or no usage at all. It does not say why.
    """
    compared = _earlier(reader, window)
    now = _total(reader, window, where)
    before = [_total(reader, earlier, where) for earlier in compared.baseline]
    return answer(
        "earlier_weeks",
        asked(window, where),
        compared,
        where,
        rows=[_row(earlier, window, m) for earlier, m in zip(compared.baseline, before, strict=True)],
        facts=_facts(now.cost_pico, [m.cost_pico for m in before], compared),
        found=bool(before) and any(m.cells for m in (now, *before)),
    )


def _earlier(reader: Reader, window: Window) -> Comparison:
    """All earlier weeks that the ledger reaches, else what other tools compare with: days."""
    extent = reader.extent()
    weeks = baseline_windows(window, extent, weeks=MOST_WEEKS) if extent else ()
    return Comparison(window, weeks) if weeks else compare_with(reader, window)


def _total(reader: Reader, window: Window, where: Scope) -> Measures:
    return next(iter(reader.totals([window], where=where).values()), Measures())


def _row(earlier: Window, window: Window, measures: Measures) -> Row:
    requests, tokens = measures.known_requests, measures.tokens.total
    return {
        "start_at": instant_text(earlier.start_at),
        "days_ago": (window.start_at - earlier.start_at).days,
        "actual_usd": usd(measures.cost_pico),
        "requests": requests,
        "tokens": tokens,
        "tokens_per_request": round(tokens / requests, 1) if requests else None,
    }


def _facts(now: int, before: list[int], compared: Comparison) -> dict[str, Scalar]:
    """Amounts in 1e-12 USD to named numbers; nothing to compare with leaves only the present."""
    facts: dict[str, Scalar] = {"actual_usd": usd(now), "windows": len(before)}
    if not before:
        return facts
    return facts | {
        "mean_usd": usd(compared.mean_pico(sum(before))),
        "most_usd": usd(max(before)),
        "least_usd": usd(min(before)),
        "rank": 1 + sum(cost > now for cost in before),
        "ratio_to_most": ratio(now, max(before)),
    }
