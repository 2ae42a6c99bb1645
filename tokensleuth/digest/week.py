"""ISO weeks in UTC: how they are named, which hours they have, and which of them are over."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ledger.errors import RefusedError
from ledger.window import Window, floor_hour, instant_text

SEVEN_DAYS = timedelta(days=7)
_NAME = re.compile(r"(\d{4})-W(\d{2})")


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """From Monday 00:00 UTC to the next: 168 hours in every week, whatever clocks do anywhere."""

    year: int
    """Of ISO 8601: 2027-01-01 is in 2026-W53."""
    number: int

    @classmethod
    def parse(cls, text: str) -> "Week":
        """From a name such as 2026-W46; raises RefusedError."""
        match = _NAME.fullmatch(text.strip())
        if match is None:
            raise RefusedError(f"`{text}` is no week; write an ISO week such as 2026-W46")
        week = cls(int(match[1]), int(match[2]))
        try:
            datetime.fromisocalendar(week.year, week.number, 1)
        except ValueError as error:
            raise RefusedError(f"`{text}` is no ISO week: {error}") from None
        return week

    @classmethod
    def of(cls, instant: datetime) -> "Week":
        """The week that the instant lies in."""
        year, number, _ = instant.astimezone(UTC).isocalendar()
        return cls(year, number)

    @property
    def name(self) -> str:
        return f"{self.year:04}-W{self.number:02}"

    @property
    def window(self) -> Window:
        start_at = datetime.fromisocalendar(self.year, self.number, 1).replace(tzinfo=UTC)
        return Window(start_at, start_at + SEVEN_DAYS)

    @property
    def before(self) -> "Week":
        return Week.of(self.window.start_at - SEVEN_DAYS)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class KnownWeek:
    """What of a week can be told, and with which hours it is compared."""

    week: Week
    known: Window | None
    """Its hours the ledger can know of; None: the ledger has no usage that is as late or as early."""
    last: Window | None
    """The same hours one week before; None where the ledger does not go back so far."""
    starts_at: datetime
    """The first hour of usage ever."""
    ends_at: datetime
    """The end of the last hour of usage that was known."""

    @property
    def is_whole(self) -> bool:
        return self.known == self.week.window

    @property
    def at(self) -> datetime:
        """The moment as of which months are forecast and things are open."""
        return self.known.end_at if self.known else min(self.ends_at, self.week.window.end_at)


def known_week(week: Week, extent: Window, now: datetime) -> KnownWeek:
    """What is known of the week now; RefusedError for a week that has not begun.

    A week of which a part is known is compared with the same hours of the week before. That week counts
    where the ledger begins on its first day at the latest.
    """
    present = floor_hour(now)
    if week.window.start_at >= present:
        start = instant_text(week.window.start_at)
        raise RefusedError(
            f"{week} begins at {start}, which is not over yet by an hour; ask for {week.before}"
        )
    ends_at = min(extent.end_at, present)
    known = None
    if extent.start_at < ends_at:
        known = week.window.overlap(Window(extent.start_at, ends_at))
    last = None
    if known is not None and known.start_at == week.window.start_at:
        shifted = known.shifted(-SEVEN_DAYS)
        last = shifted if extent.start_at < shifted.start_at + timedelta(days=1) else None
    return KnownWeek(week, known, last, extent.start_at, ends_at)


def week_to_tell(extent: Window, now: datetime) -> Week:
    """The last one that is over, or where the ledger has nothing of it, the last one with usage."""
    over = Week.of(now).before
    last_hour = min(extent.end_at, floor_hour(now)) - timedelta(hours=1)
    return min(over, Week.of(last_hour))
