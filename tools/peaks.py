"""The tool that says how busy a scope usually is at its busiest hour and day."""

from datetime import timedelta

import numpy as np

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.usage import METRICS, Metric
from ledger.window import Window
from tools.answer import ToolAnswer, answer, asked, requests_unknown
from tools.comparison import Comparison
from tools.shapley import Floats

USUAL_DAYS = 7


def peaks(reader: Reader, window: Window, *, where: Scope = EVERYTHING) -> ToolAnswer:
    """Give the busiest hour and day of a scope in the 7 days before a window, and the window's own busiest
    hour.

    Use it to choose a rate limit or budget: a limit just above the usual peak refuses nothing on an ordinary
    day. No rows. Facts: `usual_peak_tokens_per_hour`, `usual_peak_requests_per_hour`, `usual_busiest_day_usd`
    in those 7 days (a day is 24 hours from the window's hour of day); `peak_tokens_per_hour`,
    `peak_requests_per_hour` in the window; of requests only where the source counts them. Divide by 60 for a
    limit per minute. `no_data`: no usage in either. It does not see bursts within an hour, nor weekly or
    monthly peaks further back.
    """
    earlier = Window(window.start_at - timedelta(days=USUAL_DAYS), window.start_at)
    usual: dict[Metric, Floats] = {m: _hours(reader, earlier, where, m) for m in METRICS}
    known = requests_unknown(*reader.totals([earlier, window], where=where).values()) is None
    tokens, requests = _hours(reader, window, where, "tokens"), _hours(reader, window, where, "requests")
    return answer(
        "peaks",
        asked(window, where),
        Comparison(window, (earlier,)),
        where,
        facts={
            "usual_peak_tokens_per_hour": round(float(usual["tokens"].max())),
            "usual_peak_requests_per_hour": round(float(usual["requests"].max())) if known else None,
            "usual_busiest_day_usd": round(float(usual["cost_usd"].reshape(-1, 24).sum(axis=1).max()), 4),
            "peak_tokens_per_hour": round(float(tokens.max())),
            "peak_requests_per_hour": round(float(requests.max())) if known else None,
        },
        found=bool(usual["requests"].any() or tokens.any() or requests.any()),
    )


def _hours(reader: Reader, window: Window, where: Scope, metric: Metric) -> Floats:
    return np.asarray(reader.hourly(window, where=where, metric=metric).values.sum(axis=0))
