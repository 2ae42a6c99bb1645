"""Where logs lie as files or objects, and which of them a window of hours has to be read from.

Bedrock writes `AWSLogs/ACCOUNT/BedrockModelInvocationLogs/REGION/yyyy/mm/dd/HH/NAME.json.gz`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from ledger.window import HOUR, Window
from tokensleuth.connectors.port import DAY

SERVICE = "BedrockModelInvocationLogs"
_NAME = re.compile(r"/(\d{4})/(\d\d)/(\d\d)/(\d\d)/[^/]+\.jsonl?(?:\.gz)?$")
"""Bodies that are too large for a record lie in a folder below the hour, and are not read."""


@dataclass(frozen=True, slots=True)
class LogObject:
    """One object, or file."""

    name: str
    """Below the root of the store."""
    arrived_at: datetime
    hour: datetime
    """Of the folder it lies in."""

    @property
    def told_until(self) -> datetime:
        """Later records are never looked for in it."""
        return max(self.arrived_at, self.hour + 2 * HOUR)

    def is_of(self, window: Window) -> bool:
        """Whether the window takes all that is over: that of its folder, or that in which it came late."""
        arrived = window.start_at <= self.arrived_at < window.end_at
        return window.start_at <= self.hour < window.end_at or (arrived and self.hour < window.start_at)


class LogStore(Protocol):
    """A bucket or a folder, for reading only; its methods raise GatewayError."""

    def close(self) -> None: ...

    def folders(self, under: str) -> list[str]:
        """The names right under a path that ends with a slash."""
        ...

    def objects(self, under: str) -> Iterator[LogObject]:
        """The logs under a path, at any depth; what else lies there is left out."""
        ...

    def content(self, name: str) -> bytes | None:
        """None where it is there no more."""
        ...


@dataclass(slots=True)
class Listing:
    """What there is, listed once a day of the log and kept for as long as one sync lasts."""

    store: LogStore
    late: timedelta
    """How long after its hour an object may still arrive in the folder of that hour."""
    roots: list[str] | None = None
    days: dict[date, list[LogObject]] = field(default_factory=dict)

    def of(self, window: Window) -> list[LogObject]:
        """Objects of the window's folders and of the one before, and those that arrived in it, late or early.

        One that arrives within the hour after the window may hold records of its last minutes.
        """
        first = window.start_at - max(self.late, HOUR)
        last = window.end_at + HOUR
        for day in [day for day in self.days if day < first.date()]:
            del self.days[day]
        days = [first.date() + n * DAY for n in range((last.date() - first.date()).days + 1)]
        return [
            found
            for day in days
            for found in self._listed(day)
            if window.start_at - HOUR <= found.hour < window.end_at
            or window.start_at <= found.arrived_at < last
        ]

    def _listed(self, day: date) -> list[LogObject]:
        if self.roots is None:
            self.roots = list(self._found_roots())
        if day not in self.days:
            under = [f"{root}{day:%Y/%m/%d}/" for root in self.roots]
            self.days[day] = [found for path in under for found in self.store.objects(path)]
        return self.days[day]

    def _found_roots(self) -> Iterator[str]:
        """Every account's and region's."""
        for account in self.store.folders("AWSLogs/"):
            service = f"AWSLogs/{account}/{SERVICE}/"
            for region in self.store.folders(service):
                yield f"{service}{region}/"


def log_object(name: str, arrived_at: datetime) -> LogObject | None:
    """None for what is no log by its path, and for one without an hour of the calendar."""
    found = _NAME.search(name)
    if found is None:
        return None
    year, month, day, hour = (int(part) for part in found.groups())
    try:
        return LogObject(name, arrived_at, datetime(year, month, day, hour, tzinfo=UTC))
    except ValueError:
        return None
