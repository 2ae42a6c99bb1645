"""Where and when in an organisation things happen: windows of the last week, and who spends most."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from ledger.scope import Scope
from ledger.synthetic.cost import priced_usd
from ledger.synthetic.inject import rows_in
from ledger.window import HOUR, Window

END_AT = datetime(2026, 11, 16, tzinfo=UTC)
LAST_WEEK = Window(END_AT - timedelta(weeks=1), END_AT)
MONTH_START = Window(datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 11, 4, tzinfo=UTC))


def hours(day: int, hour: int, length: int) -> Window:
    """`length` hours from a weekday (0 is Monday) and hour of the last week."""
    start_at = LAST_WEEK.start_at + (24 * day + hour) * HOUR
    return Window(start_at, start_at + length * HOUR)


def largest(rows: pd.DataFrame, dimension: str, *filters: str, rank: int = 0) -> Scope:
    """The value of the dimension that costs most (or second, third ...) among the rows, as a scope."""
    inside = rows[rows_in(rows, Scope.parse(filters))]
    spend = priced_usd(inside).groupby(inside[dimension]).sum().sort_values(ascending=False)
    return Scope.parse([f"{dimension}={spend.index[rank]}"])


def to_the_end(day: int, hour: int) -> Window:
    """From a weekday and hour of the last week to its end."""
    return hours(day, hour, 168 - 24 * day - hour)


def days(first: int, last: int) -> Window:
    """Whole days of the last week, both included; 0 is Monday."""
    return hours(first, 0, 24 * (last - first + 1))
