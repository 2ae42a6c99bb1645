"""The tool that replays the last days of a scope under a limit, a cheaper model or a block."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from ledger.reader import Reader
from ledger.scope import Scope
from ledger.usage import Metric
from ledger.window import Window
from tools.answer import Scalar, ToolAnswer, answer, asked, requests_unknown
from tools.comparison import Comparison
from tools.shapley import Floats

REPLAY_DAYS = 7


@dataclass(frozen=True, slots=True)
class Measure:
    """What is tried out; exactly one field is set."""

    tokens_per_minute: int | None = None
    requests_per_minute: int | None = None
    max_usd_per_day: Decimal | None = None
    price_ratio: float | None = None
    """Cost on another model against the present one; refuses nothing."""
    block: bool = False


def simulate(reader: Reader, until: datetime, *, where: Scope, measure: Measure) -> ToolAnswer:
    """Replay the 7 days before `until` for a scope under one measure: what would it have saved and refused
    per day?

    Use it before proposing an action. Give exactly one measure: `tokens_per_minute`, `requests_per_minute`,
    `max_usd_per_day` (UTC day), `price_ratio` (cost on another model over the present one) or `block`. No
    rows. Facts: `days` replayed (fewer in a young ledger); `cost_usd_per_day` and `requests_per_day` as they
    were; `saving_usd_per_day`, `requests_refused_per_day`; `hours_limited`: hours in which anything was
    refused. `no_data`: no usage in those days. It replays whole hours: bursts within an hour are not seen, so
    a limit may refuse more than told. It does not know which requests matter. Where a source counts no
    requests, they are left out, and `requests_per_minute` tells no saving: limit tokens.
    """
    window = _replay_window(reader, until)
    cost = _hours(reader, window, where, "cost_usd")
    requests = _hours(reader, window, where, "requests")
    unknown = requests_unknown(*reader.totals([window], where=where).values())
    kept = _kept(reader, window, where, measure, cost, requests)
    saved = cost * (1 - kept)
    if measure.price_ratio is not None:
        saved = cost * (1 - min(measure.price_ratio, 1.0))
    return answer(
        "simulate",
        asked(window, where, **{f.name: _told(getattr(measure, f.name)) for f in fields(Measure)}),
        Comparison(window, ()),
        where,
        facts=_facts(window, cost, requests, saved, kept)
        | (_without_requests(measure, cost, kept) if unknown else {}),
        found=bool(requests.any() or cost.any()),
    )


def _told(value: Decimal | float | bool | None) -> str | float | None:
    """A field as an argument: dollars as text, what is not set as None."""
    return f"{value:.2f}" if isinstance(value, Decimal) else value or None


def _replay_window(reader: Reader, until: datetime) -> Window:
    """The 7 days before `until`, less where the ledger is younger."""
    wanted = Window(until - timedelta(days=REPLAY_DAYS), until)
    extent = reader.extent()
    return (wanted.overlap(extent) if extent else None) or wanted


def _hours(reader: Reader, window: Window, where: Scope, metric: Metric) -> Floats:
    return np.asarray(reader.hourly(window, where=where, metric=metric).values.sum(axis=0))


def _kept(
    reader: Reader, window: Window, where: Scope, measure: Measure, cost: Floats, requests: Floats
) -> Floats:
    """The share of each hour that would have passed."""
    if measure.block:
        return np.zeros_like(requests)
    if measure.tokens_per_minute is not None:
        return _under(_hours(reader, window, where, "tokens"), 60.0 * measure.tokens_per_minute)
    if measure.requests_per_minute is not None:
        return _under(requests, 60.0 * measure.requests_per_minute)
    if measure.max_usd_per_day is not None:
        return _within_budget(cost, window, float(measure.max_usd_per_day))
    return np.ones_like(requests)


def _within_budget(cost: Floats, window: Window, budget: float) -> Floats:
    """What passes until the day's budget is used up."""
    days = [hour.date().toordinal() for hour in window.each_hour()]
    kept = np.ones_like(cost)
    spent: dict[int, float] = {}
    for i, day in enumerate(days):
        left = max(budget - spent.get(day, 0.0), 0.0)
        kept[i] = min(1.0, left / cost[i]) if cost[i] > 0 else float(left > 0)
        spent[day] = spent.get(day, 0.0) + float(cost[i])
    return kept


def _under(amount: Floats, limit: float) -> Floats:
    return np.asarray(np.minimum(1.0, limit / np.maximum(amount, 1e-9)))


def _without_requests(measure: Measure, cost: Floats, kept: Floats) -> dict[str, Scalar]:
    """What is told otherwise where a source counts no requests; of a limit on them nothing can be."""
    limited = int(((cost > 0) & (kept < 1)).sum())
    facts: dict[str, Scalar] = {"requests_unknown": 1, "requests_per_day": None, "hours_limited": limited}
    if limited or measure.requests_per_minute is not None:
        facts["requests_refused_per_day"] = None
    if measure.requests_per_minute is not None:
        facts |= {"saving_usd_per_day": None, "hours_limited": None}
    return facts


def _facts(window: Window, cost: Floats, requests: Floats, saved: Floats, kept: Floats) -> dict[str, Scalar]:
    days, refused = window.hours / 24, requests * (1 - kept)
    return {
        "days": round(days, 2),
        "cost_usd_per_day": round(float(cost.sum()) / days, 4),
        "requests_per_day": round(float(requests.sum()) / days),
        "saving_usd_per_day": round(float(saved.sum()) / days, 4),
        "requests_refused_per_day": round(float(refused.sum()) / days),
        "hours_limited": int((refused > 0).sum()),
    }
