"""When a duty is due: the slots between the last one known and now. A slot is the instant that it is for."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from tokensleuth.digest.due import week_due
from tokensleuth.digest.settings import DigestSettings

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
MOST_WEEKS = 4
"""Older weeks are not told of any more when the service comes back."""


class Cadence(Protocol):
    """How often."""

    def slots(self, after: datetime | None, now: datetime) -> list[datetime]:
        """Those that are due now and later than `after`, earliest first."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """Each so many minutes of the day; what was missed meanwhile is made up by the latest."""

    minutes: int

    def slots(self, after: datetime | None, now: datetime) -> list[datetime]:
        step, midnight = timedelta(minutes=self.minutes), _midnight(now)
        return _later([midnight + (now - midnight) // step * step], after)


@dataclass(frozen=True, slots=True)
class Daily:
    """Once a day (UTC); what was missed is made up by the latest."""

    at: time

    def slots(self, after: datetime | None, now: datetime) -> list[datetime]:
        today = datetime.combine(now.date(), self.at, UTC)
        return _later([today if today <= now else today - DAY], after)


@dataclass(frozen=True, slots=True)
class Weekly:
    """Once an ISO week (UTC) that is over; its slot is the Monday 00:00 UTC on which it ended.

    It is due at an hour of a weekday in somebody's zone: a clock change moves the hour, never the week.
    Several missed weeks are made up one by one.
    """

    digest: DigestSettings

    def slots(self, after: datetime | None, now: datetime) -> list[datetime]:
        due = [week_due(self.digest, now)]
        while after is not None and due[0].window.end_at > after + WEEK and len(due) < MOST_WEEKS:
            due.insert(0, due[0].before)
        return _later([week.window.end_at for week in due], after)


def _midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


def _later(slots: list[datetime], after: datetime | None) -> list[datetime]:
    return [slot for slot in slots if after is None or slot > after]
