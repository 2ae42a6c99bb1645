"""The range a command was asked about, and the part of it the ledger has usage for."""

from datetime import datetime, timedelta

from ledger.errors import RefusedError
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window, parse_range


def asked_range(reader: Reader, time_range: str | None, *, now: datetime) -> Window:
    """The RANGE a user wrote, else the last 7 days of usage."""
    if time_range is not None:
        return parse_range(time_range, now=now)
    end_at = usage_extent(reader).end_at
    return Window(end_at - timedelta(days=7), end_at)


def covered_range(reader: Reader, window: Window, where: Scope = EVERYTHING) -> Window:
    """The part of the range the ledger has usage for; raises RefusedError where there is none."""
    extent = usage_extent(reader)
    covered = window.overlap(extent)
    if covered is None:
        raise RefusedError(f"no usage in {window}; the ledger has {extent}")
    if where.items and not reader.totals([extent], where=where):
        raise RefusedError(f"the ledger has no usage of {where}")
    return covered


def usage_extent(reader: Reader) -> Window:
    """From the first hour of usage to the end of the last; raises RefusedError for an empty ledger."""
    extent = reader.extent()
    if extent is None:
        raise RefusedError("the ledger is empty; load usage first: tokensleuth ingest FILE")
    return extent
