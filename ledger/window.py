"""Half-open UTC windows `[start_at, end_at)` and the RANGE texts that name them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ledger.errors import RefusedError

HOUR = timedelta(hours=1)
WEEK_HOURS = 168


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Aware UTC instants; `end_at` is not part of the window."""

    start_at: datetime
    end_at: datetime

    def __post_init__(self) -> None:
        for instant in (self.start_at, self.end_at):
            if instant.utcoffset() != timedelta(0):
                raise ValueError(f"{instant.isoformat()} is not an aware UTC instant")
        if self.start_at >= self.end_at:
            raise RefusedError(f"the range ends at {instant_text(self.end_at)}, not after its start")

    @property
    def hours(self) -> int:
        """Number of whole hours; windows made by `parse_range` have nothing else."""
        return int((self.end_at - self.start_at) / HOUR)

    @property
    def days(self) -> float:
        return (self.end_at - self.start_at) / timedelta(days=1)

    def shifted(self, by: timedelta) -> "Window":
        return Window(self.start_at + by, self.end_at + by)

    def overlap(self, other: "Window") -> "Window | None":
        start_at, end_at = max(self.start_at, other.start_at), min(self.end_at, other.end_at)
        return Window(start_at, end_at) if start_at < end_at else None

    def each_hour(self) -> Iterator[datetime]:
        return (self.start_at + i * HOUR for i in range(self.hours))

    def as_json(self) -> dict[str, str]:
        return {"start_at": instant_text(self.start_at), "end_at": instant_text(self.end_at)}

    def __str__(self) -> str:
        return f"{short_text(self.start_at)} to {short_text(self.end_at)} UTC"


def instant_text(instant: datetime) -> str:
    """RFC 3339 in UTC with `Z`, to the second (microseconds only when there are any)."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def short_text(instant: datetime) -> str:
    """An instant for people, to the minute."""
    return instant.strftime("%Y-%m-%d %H:%M")


def floor_hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def baseline_windows(window: Window, extent: Window, *, weeks: int = 4) -> tuple[Window, ...]:
    """The same hours of the week in the `weeks` weeks before, latest first, those that lie in `extent`.

    A window longer than a week steps back by its own length in whole weeks, so that no hour is its own
    baseline. A week before the ledger starts does not exist and is left out.
    """
    step = timedelta(weeks=-(-window.hours // WEEK_HOURS))
    candidates = (window.shifted(-step * i) for i in range(1, weeks + 1))
    return tuple(w for w in candidates if w.start_at >= extent.start_at)


_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.\.(\d{4}-\d{2}-\d{2}))?")
_LAST = re.compile(r"last-(\d+)([hd])")


def parse_range(text: str, *, now: datetime) -> Window:
    """Parse a RANGE: days (both included), instants (half-open) or `last-24h` / `last-7d`.

    `last-...` ends at the last complete hour before `now`. Raises RefusedError with what would be right.
    """
    try:
        return _parsed(text, now)
    except OverflowError:
        raise RefusedError(f"`{text}` reaches beyond the calendar of years 1 to 9999") from None


def _parsed(text: str, now: datetime) -> Window:
    if match := _LAST.fullmatch(text.strip()):
        hours = int(match[1]) * (24 if match[2] == "d" else 1)
        end_at = floor_hour(now)
        return Window(end_at - hours * HOUR, end_at)
    if match := _DAYS.fullmatch(text.strip()):
        first, last = _day(match[1]), _day(match[2] or match[1])
        return Window(first, last + timedelta(days=1))
    start, separator, end = text.strip().partition("..")
    if separator:
        return Window(parse_instant(start), parse_instant(end))
    raise RefusedError(
        f"`{text}` is not a range; write 2026-11-01..2026-11-07, "
        "2026-11-01T00:00Z..2026-11-02T06:00Z, last-24h or last-7d"
    )


def _day(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise RefusedError(f"`{text}` is not a day: {error}") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def parse_instant(text: str) -> datetime:
    """Parse a whole hour such as 2026-11-01T00:00Z; raises RefusedError with what would be right."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(f"`{text}` is not an instant; write it as 2026-11-01T00:00Z") from None
    if instant.tzinfo is None:
        right = f"{text}Z" if "T" in text else f"{text}T00:00Z"
        raise RefusedError(f"`{text}` has no time zone; write it as {right}")
    instant = instant.astimezone(UTC)
    if instant != floor_hour(instant):
        raise RefusedError(f"`{text}` is not a whole hour; the ledger counts by the hour")
    return instant
