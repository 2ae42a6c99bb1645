"""A level that somebody accepted as normal, and which ranges are judged by it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.scope import Scope
from ledger.window import Window

_LEAST_LEVEL = timedelta(days=1)
"""A level is known once every hour of the day was seen at it."""
_LONGEST_LEVEL = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The level of a scope in `[from_at, until_at)`, accepted as normal from its start on."""

    scope: Scope
    from_at: datetime
    until_at: datetime

    @classmethod
    def known_until(cls, scope: Scope, from_at: datetime, end_at: datetime) -> "Baseline":
        """The level from then until the end of what is known of it, or for its first day."""
        return cls(scope, from_at, max(end_at, from_at + _LEAST_LEVEL))

    @property
    def acts_from(self) -> datetime:
        """The earliest start of a range that is judged by it."""
        return self.from_at + _LEAST_LEVEL

    def acts_on(self, history: Window, start_at: datetime) -> bool:
        """Whether a range from `start_at` on, judged by `history`, is judged by it."""
        return history.start_at < self.from_at and self.acts_from <= min(start_at, self.until_at)

    def level(self, known_until: datetime) -> Window:
        """Its last 7 days at most, as far as known then."""
        end_at = min(self.until_at, known_until)
        return Window(max(self.from_at, end_at - _LONGEST_LEVEL), end_at)
