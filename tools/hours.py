"""What the hours of a scope say: the shape of its rise, and whether it was as busy on other days."""

from datetime import datetime, timedelta

import numpy as np

from ledger.reader import Reader
from ledger.scope import Scope
from ledger.usage import Metric
from ledger.window import HOUR, Window
from tools.answer import Scalar, ratio
from tools.comparison import Comparison
from tools.shapley import Floats

SHAPE_HOURS = 4
"""Shorter windows say nothing about the shape of a day."""
EVEN = 0.75
"""Where the usual hours are this even, an even rise says nothing."""
LOOK_BACK_DAYS = 28
LEAST_DAYS_AGO = 7
"""Nearer days may be part of what is going on."""
AS_BUSY, AS_QUIET = 0.8, 1.25
PAUSE_HOURS = 4
LEAST_SESSIONS = 8
"""Fewer say too little of how much sessions differ."""
LEAST_SPREAD = 0.3
"""Sessions that are alike by chance still differ by a third."""
STOOD_OUT = 2.0
"""A month ago is told where it was this many times the usual of the same hours: else it was any day."""


def hour_facts(reader: Reader, compared: Comparison, where: Scope) -> dict[str, Scalar]:
    """Activity, evenness and shape of the hours, and how many earlier days were alike."""
    work = _work(reader, compared, where)
    now = _hourly(reader, compared.window, where, work)
    weeks = [_hourly(reader, w, where, work) for w in compared.baseline]
    usual = np.mean(weeks, axis=0) if weeks else np.zeros_like(now)
    facts: dict[str, Scalar] = {
        "active_hours_share": round(float((now > 0).mean()), 4),
        "usual_active_hours_share": round(float((usual > 0).mean()), 4),
        "peak_ratio": ratio(float(now.max()), float(usual.max())),
    }
    if len(now) >= SHAPE_HOURS:
        told = (_evenness(usual) or 0.0) < EVEN
        facts |= {"evenness": _evenness(now - usual) if told else None, "shape": _correlation(now, usual)}
        facts["ramp"] = _ramp(now - usual)
    return facts | _alike_days(reader, compared.window, where) | _month_ago(reader, compared, where)


def _work(reader: Reader, compared: Comparison, where: Scope) -> Metric:
    """Requests; tokens where those are not known in the window or the weeks before it."""
    sides = [(compared.window,), compared.baseline]
    sums = [m for side in sides if side for m in reader.totals(side, where=where).values()]
    return "requests" if all(m.requests_known for m in sums) else "tokens"


def _alike_days(reader: Reader, window: Window, where: Scope) -> dict[str, Scalar]:
    """Counts among the same clock hours on earlier days of the same kind, working day or weekend."""
    extent = reader.extent()
    shifts = [
        timedelta(days=d)
        for d in range(max(LEAST_DAYS_AGO, -(-window.hours // 24)), LOOK_BACK_DAYS + 1)
        if _same_kind(window, timedelta(days=d))
    ]
    known = [s for s in shifts if extent and window.start_at - s >= extent.start_at]
    if not known:
        return {}
    history = Window(window.start_at - known[-1], window.end_at)
    values = _hourly(reader, history, where, "cost_usd")
    past = values[: len(values) - window.hours - LEAST_DAYS_AGO * 24]
    now = float(values[-window.hours :].sum())
    starts = [int((window.start_at - s - history.start_at) / HOUR) for s in known]
    earlier = [float(values[i : i + window.hours].sum()) for i in starts]
    return {
        "past_active_share": round(float((past > 0).mean()), 4) if len(past) else None,
        "record_ratio": ratio(now, _busiest_stretch(past, window.hours)),
        "session_spreads": _session_spreads(past, now),
        "days_looked_at": len(earlier),
        "as_busy_days": sum(e >= AS_BUSY * now for e in earlier),
        "as_quiet_days": sum(e <= AS_QUIET * now for e in earlier),
    }


def _session_spreads(past: Floats, now: float) -> float | None:
    """By how many of their own spreads the logarithm of `now` lies above earlier sessions.

    A session is what was spent between pauses of over PAUSE_HOURS; None with too few of them.
    """
    active = np.flatnonzero(past > 0)
    if not active.size or now <= 0:
        return None
    begins = np.concatenate([[True], np.diff(active) > PAUSE_HOURS])
    sizes = np.log(np.bincount(np.cumsum(begins) - 1, past[active]))
    if len(sizes) < LEAST_SESSIONS:
        return None
    spread = max(float(sizes.std(ddof=1)), LEAST_SPREAD)
    return round((float(np.log(now)) - float(sizes.mean())) / spread, 2)


def _month_ago(reader: Reader, compared: Comparison, where: Scope) -> dict[str, Scalar]:
    """Against now, what as many hours in a row cost a month ago, a day more or less, where that stood out.

    Reports and closings come with the day of the month, which no weekly comparison sees. It stood out where
    it was STOOD_OUT times the same of the weeks compared.
    """
    extent, window = reader.extent(), compared.window
    then = _a_day_around(_month_before(window))
    if extent is None or then.start_at < extent.start_at or then.end_at > window.start_at:
        return {}
    around = [_a_day_around(w) for w in compared.baseline]
    read = Window(min(w.start_at for w in (then, *around)), window.end_at)
    values = _hourly(reader, read, where, "cost_usd")
    now = float(values[-window.hours :].sum())
    weeks = [_busiest_stretch(_part(values, read, w), window.hours) for w in around]
    busiest = _busiest_stretch(_part(values, read, then), window.hours)
    stood_out = busiest >= STOOD_OUT * float(np.mean(weeks)) if weeks else False
    return {"month_ago_ratio": ratio(busiest, now)} if stood_out and now else {}


def _a_day_around(window: Window) -> Window:
    return Window(window.start_at - timedelta(days=1), window.end_at + timedelta(days=1))


def _part(values: Floats, read: Window, part: Window) -> Floats:
    """The hours of a window that lies in the one that was read."""
    first = int((part.start_at - read.start_at) / HOUR)
    return values[first : first + part.hours]


def _month_before(window: Window) -> Window:
    """The window on the same day of the month before; the last day where that month is shorter."""
    last_day = window.start_at.replace(day=1) - timedelta(days=1)
    day = min(window.start_at.day, last_day.day)
    start_at = window.start_at.replace(year=last_day.year, month=last_day.month, day=day)
    return Window(start_at, start_at + window.hours * HOUR)


def _busiest_stretch(past: Floats, hours: int) -> float:
    """The most that was spent in so many hours in a row, at any time of day."""
    sums = np.cumsum(np.concatenate([[0.0], past]))
    return float((sums[hours:] - sums[:-hours]).max()) if len(past) >= hours else 0.0


def _same_kind(window: Window, shift: timedelta) -> bool:
    last_hour = window.end_at - HOUR
    return all(_is_weekend(at) == _is_weekend(at - shift) for at in (window.start_at, last_hour))


def _is_weekend(at: datetime) -> bool:
    return at.weekday() >= 5


def _hourly(reader: Reader, window: Window, where: Scope, metric: Metric) -> Floats:
    return np.asarray(reader.hourly(window, where=where, metric=metric).values.sum(axis=0))


def _evenness(rise: Floats) -> float | None:
    """1 less the coefficient of variation of the rise; None where there is no rise."""
    mean = float(rise.mean())
    return round(max(0.0, 1.0 - float(rise.std()) / mean), 4) if mean > 0 else None


def _ramp(rise: Floats) -> float | None:
    """By what part the first quarter's rise is below the last one's: 0 at once, near 1 little by little."""
    quarter = len(rise) // 4
    first, last = float(rise[:quarter].mean()), float(rise[-quarter:].mean())
    return round(min(max(1.0 - first / last, 0.0), 1.0), 4) if last > 0 else None


def _correlation(now: Floats, usual: Floats) -> float | None:
    if now.std() == 0 or usual.std() == 0:
        return None
    return round(float(np.corrcoef(now, usual)[0, 1]), 4)
