"""Quiet hours end at the same hour of the wall clock, also in nights in which the clock changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokensleuth.announcing.quiet_hours import quiet_until

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = "22:00-07:00"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_without_quiet_hours_it_is_never_quiet() -> None:
    assert quiet_until(at("2026-11-03T03:00"), None, BERLIN) is None
    assert quiet_until(at("2026-11-03T03:00"), "04:00-04:00", BERLIN) is None


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-11-03T20:59:59", None),
        ("2026-11-03T21:00", "2026-11-04T06:00"),
        ("2026-11-03T23:30", "2026-11-04T06:00"),
        ("2026-11-04T05:59:59", "2026-11-04T06:00"),
        ("2026-11-04T06:00", None),
    ],
)
def test_hours_over_midnight_belong_to_the_evening_before(now: str, end: str | None) -> None:
    assert quiet_until(at(now), NIGHT, BERLIN) == (end and at(end))


def test_hours_within_a_day() -> None:
    assert quiet_until(at("2026-11-03T12:30"), "13:00-14:00", BERLIN) == at("2026-11-03T13:00")
    assert quiet_until(at("2026-11-03T13:00"), "13:00-14:00", BERLIN) is None


def test_the_night_that_loses_an_hour_ends_at_seven_by_the_clock_on_the_wall() -> None:
    assert quiet_until(at("2026-03-28T21:00"), NIGHT, BERLIN) == at("2026-03-29T05:00")
    assert quiet_until(at("2026-03-29T05:00"), NIGHT, BERLIN) is None


def test_the_night_that_gains_an_hour_ends_at_seven_by_the_clock_on_the_wall() -> None:
    assert quiet_until(at("2026-10-24T20:00"), NIGHT, BERLIN) == at("2026-10-25T06:00")
    assert quiet_until(at("2026-10-25T05:30"), NIGHT, BERLIN) == at("2026-10-25T06:00")


def test_an_end_that_the_clock_skips_comes_as_long_after_the_beginning_as_ever() -> None:
    end = at("2026-03-29T01:30")
    assert quiet_until(at("2026-03-28T21:00"), "22:00-02:30", BERLIN) == end
    assert quiet_until(end - timedelta(seconds=1), "22:00-02:30", BERLIN) == end
    assert quiet_until(end, "22:00-02:30", BERLIN) is None


def test_an_end_that_comes_twice_is_the_first_and_it_does_not_get_quiet_again() -> None:
    first, second = at("2026-10-25T00:30"), at("2026-10-25T01:30")
    assert quiet_until(first - timedelta(minutes=1), "22:00-02:30", BERLIN) == first
    for later in (first, second - timedelta(minutes=15), second):
        assert quiet_until(later, "22:00-02:30", BERLIN) is None


MINUTES = st.integers(0, 23 * 60 + 59).map(lambda m: f"{m // 60:02}:{m % 60:02}")


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    MINUTES,
    MINUTES,
    st.sampled_from([BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]),
)
def test_it_is_quiet_until_the_end_and_not_from_then_on(
    now: datetime, begin: str, end: str, zone: ZoneInfo
) -> None:
    until = quiet_until(now, f"{begin}-{end}", zone)
    if until is not None:
        assert timedelta(0) < until - now <= timedelta(hours=25)
        assert quiet_until(until - timedelta(microseconds=1), f"{begin}-{end}", zone) == until
        again = quiet_until(until, f"{begin}-{end}", zone)
        assert again is None or again > until
