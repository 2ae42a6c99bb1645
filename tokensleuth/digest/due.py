"""When the digest of a week goes out: at a local hour after the week; a clock change moves it, no more."""

from datetime import UTC, datetime, timedelta

from tokensleuth.digest.settings import WEEKDAYS, DigestSettings
from tokensleuth.digest.week import Week


def goes_out_at(settings: DigestSettings, week: Week) -> datetime:
    """The first such local hour at or after the end of the week, in UTC.

    An hour that clocks jump over is taken as the one after; of an hour that comes twice, the first.
    """
    over = week.window.end_at.astimezone(settings.zone)
    for ahead in range(9):
        day = (over + timedelta(days=ahead)).date()
        local = datetime(day.year, day.month, day.day, settings.hour, tzinfo=settings.zone)
        out = local.astimezone(UTC)
        if WEEKDAYS[day.weekday()] == settings.weekday and out >= week.window.end_at:
            return out
    raise AssertionError(f"no {settings.weekday} in nine days")


def week_due(settings: DigestSettings, now: datetime) -> Week:
    """The last week whose digest should be out by now."""
    week = Week.of(now).before
    while goes_out_at(settings, week) > now:
        week = week.before
    return week
