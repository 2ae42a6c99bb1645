"""Ratios of a quantity after a moment over before it, hour for hour of the same kind: hour of day, working
day or weekend. Arrays in, arrays out."""

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SPAN_HOURS = 72
"""How long before and after a moment is looked at (reference)."""
WEEK_HOURS = 168
LEAD_HOURS = WEEK_HOURS
"""What must be known before a moment, so that every kind of hour has been seen once."""
KINDS = 48


def kinds_of(start_at: datetime, hours: int) -> Floats:
    """Shape (hours, KINDS): 1 where the hour is of that kind."""
    at = [start_at + timedelta(hours=h) for h in range(hours)]
    kinds = np.array([t.hour + 24 * (t.weekday() >= 5) for t in at], dtype=np.int64)
    return np.asarray(np.eye(KINDS)[kinds])


def log_ratios(top: Floats, bottom: Floats, moment: int, kinds: Floats) -> Floats:
    """Log of `top` per `bottom` in the SPAN_HOURS from `moment` on, over the same before it.

    `top` and `bottom` have shape (rows, hours). What `bottom` did after the moment is taken at the rate of
    hours of the same kind before it: in the SPAN_HOURS before, else in the week before. Hours of a kind not
    seen before are left out. NaN where nothing can be compared.
    """
    after = slice(moment, min(moment + SPAN_HOURS, top.shape[1]))
    done, base = top[:, after] @ kinds[after], bottom[:, after] @ kinds[after]
    rate = _rates(top, bottom, slice(max(moment - SPAN_HOURS, 0), moment), kinds)
    week = _rates(top, bottom, slice(max(moment - WEEK_HOURS, 0), moment), kinds)
    rate = np.where(np.isfinite(rate), rate, week)
    known = np.isfinite(rate)
    expected = (base * np.where(known, rate, 0.0)).sum(axis=1)
    actual = np.where(known, done, 0.0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(actual) - np.log(expected)
    return np.asarray(np.where(np.isfinite(ratio), ratio, np.nan))


def _rates(top: Floats, bottom: Floats, hours: slice, kinds: Floats) -> Floats:
    """Shape (rows, KINDS): `top` per `bottom` in hours of each kind, NaN without any `bottom`."""
    above, below = top[:, hours] @ kinds[hours], bottom[:, hours] @ kinds[hours]
    return np.asarray(np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0))
