"""Calendar months in UTC, and where in one a moment lies."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ledger.window import Window

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Month:
    """The month of a moment: what is over of it, and the days still ahead. No day is longer than another."""

    at: datetime
    """A whole hour; what is before it is known."""

    @property
    def window(self) -> Window:
        start_at = self.at.replace(day=1, hour=0)
        return Window(start_at, (start_at + timedelta(days=32)).replace(day=1))

    @property
    def name(self) -> str:
        """Such as 2026-11."""
        return f"{self.at:%Y-%m}"

    @property
    def so_far(self) -> Window | None:
        """None in its first hour."""
        start_at = self.window.start_at
        return Window(start_at, self.at) if start_at < self.at else None

    @property
    def midnight(self) -> datetime:
        """The start of today."""
        return self.at.replace(hour=0)

    @property
    def days_ahead(self) -> int:
        """Today, which may have begun, and the days after it."""
        return (self.window.end_at - self.midnight) // _DAY

    def day(self, ahead: int) -> date:
        """Today is 0."""
        return (self.midnight + ahead * _DAY).date()
