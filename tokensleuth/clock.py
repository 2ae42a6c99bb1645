"""The only place that reads the time."""

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present to the second, aware, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)  # noqa: TID251


def utc_instant() -> datetime:
    """The present with fractions of a second, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251


def seconds_since(started: float) -> float:
    """Seconds of wall time since a reading of `stopwatch`."""
    return time.perf_counter() - started


def stopwatch() -> float:
    """A reading to hand to `seconds_since`."""
    return time.perf_counter()
