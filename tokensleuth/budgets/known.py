"""Hours that a forecast does not learn from: planned ones, and incidents that are over."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from ledger.scope import Dimension, Scope
from ledger.window import Window
from tokensleuth.budgets.outlook import Known
from tokensleuth.casebook.records import JsonObject, is_whole_range
from tools.calendar import CalendarEntry

_OVER = timedelta(days=1)
"""An incident whose last hour is less old may go on."""
_LONGEST = timedelta(days=7)
"""What lasted longer is a new level rather than an incident."""


def known_hours(
    calendar: Sequence[CalendarEntry], incidents: Sequence[JsonObject], at: datetime
) -> list[Known]:
    """As of the moment `at`.

    An incident that may go on is left in: its spend is a part of what is to be expected, until somebody
    ends it or puts its end into the calendar.
    """
    planned = [Known(entry.scope, entry.window) for entry in calendar if entry.window.start_at < at]
    return [*planned, *_over(incidents, at)]


def _over(incidents: Sequence[JsonObject], at: datetime) -> Iterator[Known]:
    for incident in incidents:
        start_at, end_at = (datetime.fromisoformat(str(incident[name])) for name in ("start_at", "end_at"))
        if end_at + _OVER <= at and end_at - start_at <= _LONGEST and not is_whole_range(incident):
            yield Known(Scope.of(cast(Mapping[Dimension, str], incident["scope"])), Window(start_at, end_at))
