"""Weeks by their names, which one is told, and when it goes out, whatever clocks do."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from pydantic import ValidationError

from ledger.errors import RefusedError
from ledger.window import HOUR, Window
from tokensleuth.digest.due import goes_out_at, week_due
from tokensleuth.digest.settings import DigestSettings
from tokensleuth.digest.week import Week, week_to_tell

BERLIN = DigestSettings(timezone="Europe/Berlin")


def test_a_week_runs_from_monday_to_monday_in_utc() -> None:
    window = Week.parse("2026-W46").window
    assert window == Window(datetime(2026, 11, 9, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC))


def test_the_year_of_a_week_is_that_of_iso_8601() -> None:
    assert Week.of(datetime(2027, 1, 1, tzinfo=UTC)).name == "2026-W53"
    assert Week.parse("2027-W01").before == Week(2026, 53)


@pytest.mark.parametrize("text", ["2026-W54", "2027-W53", "2026-46", "2026-W00", "W46", ""])
def test_what_is_no_week_is_refused_with_its_value(text: str) -> None:
    with pytest.raises(RefusedError, match=f"`{text}`"):
        Week.parse(text)


def test_the_week_told_is_the_last_that_is_over() -> None:
    extent = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 18, 5, tzinfo=UTC))
    assert week_to_tell(extent, datetime(2026, 11, 18, 6, tzinfo=UTC)) == Week(2026, 46)


def test_of_an_old_ledger_it_is_the_last_with_usage() -> None:
    extent = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, 5, tzinfo=UTC))
    assert week_to_tell(extent, datetime(2026, 11, 18, 6, tzinfo=UTC)) == Week(2026, 14)


def test_it_goes_out_at_the_local_hour_in_summer_and_winter() -> None:
    assert goes_out_at(BERLIN, Week(2026, 30)) == datetime(2026, 7, 27, 5, tzinfo=UTC)
    assert goes_out_at(BERLIN, Week(2026, 46)) == datetime(2026, 11, 16, 6, tzinfo=UTC)


def test_an_hour_before_the_week_is_over_is_that_of_the_week_after() -> None:
    early = DigestSettings(timezone="Asia/Tokyo", hour=7)
    assert goes_out_at(early, Week(2026, 46)) == datetime(2026, 11, 22, 22, tzinfo=UTC)


def test_an_hour_that_clocks_jump_over_is_taken_as_the_next() -> None:
    spring = DigestSettings(timezone="Europe/Berlin", weekday="sunday", hour=2)
    assert goes_out_at(spring, Week(2026, 12)) == datetime(2026, 3, 29, 1, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland"])
@pytest.mark.parametrize("start", [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 10, 12, tzinfo=UTC)])
def test_every_week_is_due_once_and_in_order_over_changes_of_clocks(zone: str, start: datetime) -> None:
    settings = DigestSettings(timezone=zone, weekday="monday", hour=2)
    due = [week_due(settings, start + i * HOUR) for i in range(24 * 7 * 8)]
    weeks = list(dict.fromkeys(due))
    assert due == sorted(due)
    assert all(later.before == earlier for earlier, later in pairwise(weeks))
    assert all(week.window.end_at <= start + i * HOUR for i, week in enumerate(due))
    assert len(weeks) in (8, 9)


def test_a_week_is_never_due_before_it_is_over() -> None:
    settings = DigestSettings(timezone="Pacific/Auckland", hour=0)
    out = goes_out_at(settings, Week(2026, 46))
    assert out - Week(2026, 46).window.end_at < timedelta(days=7)
    assert out >= Week(2026, 46).window.end_at


@pytest.mark.parametrize(
    "wrong",
    [{"timezone": "Mars/Olympus"}, {"hour": 24}, {"weekday": "Mon"}, {"channel": "general"}, {"x": 1}],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DigestSettings.model_validate(wrong)
