"""When quiet hours end, in the zone where people sleep, whatever the clocks there do."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def quiet_until(now: datetime, hours: str | None, zone: ZoneInfo) -> datetime | None:
    """The UTC instant at which the quiet hours end that `now` lies in; None outside of them.

    `hours` is as `SlackSettings.quiet_hours` has it; those that end when they begin are none.
    """
    if hours is None:
        return None
    begin, end = (time.fromisoformat(part) for part in hours.split("-"))
    today = now.astimezone(zone).date()
    nights = [_night(day, begin, end, zone) for day in (today - timedelta(days=1), today)]
    return next((end_at for start_at, end_at in nights if start_at <= now < end_at), None)


def _night(day: date, begin: time, end: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The quiet hours that begin on a day; over midnight where they end earlier than they begin."""
    last = day + timedelta(days=1) if end < begin else day
    return _instant(day, begin, zone), _instant(last, end, zone)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """An hour that comes twice is the first; one that is skipped is told by the offset before (RFC 5545)."""
    return datetime.combine(day, at, zone).astimezone(UTC)
