from datetime import UTC, datetime, timedelta, timezone

import pytest

from ledger.errors import RefusedError
from ledger.window import HOUR, Window, baseline_windows, parse_range

NOW = datetime(2026, 11, 22, 10, 40, tzinfo=UTC)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("2026-11-01..2026-11-07", Window(at(1), at(8))),
        ("2026-11-01", Window(at(1), at(2))),
        ("2026-11-01T00:00Z..2026-11-02T06:00Z", Window(at(1), at(2, 6))),
        ("2026-11-01T02:00+02:00..2026-11-01T06:00Z", Window(at(1), at(1, 6))),
        ("last-24h", Window(at(21, 10), at(22, 10))),
        ("last-7d", Window(at(15, 10), at(22, 10))),
    ],
)
def test_a_range_is_parsed_to_a_half_open_utc_window(text: str, window: Window) -> None:
    assert parse_range(text, now=NOW) == window


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("yesterday", "is not a range"),
        ("2026-11-31..2026-12-01", "is not a day"),
        ("2026-11-07..2026-11-01", "not after its start"),
        ("2026-11-01T00:00..2026-11-02T00:00", "has no time zone; write it as 2026-11-01T00:00Z"),
        ("2026-11-01..2026-11-02T00:00Z", "has no time zone; write it as 2026-11-01T00:00Z"),
        ("2026-11-01T00:30Z..2026-11-02T00:00Z", "not a whole hour"),
        ("last-0h", "not after its start"),
        ("a..b", "is not an instant"),
        ("last-99999999d", "beyond the calendar"),
        ("0001-01-01..9999-12-31", "beyond the calendar"),
    ],
)
def test_a_wrong_range_is_refused_with_what_would_be_right(text: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        parse_range(text, now=NOW)


def test_a_window_takes_only_aware_utc_instants() -> None:
    with pytest.raises(ValueError, match="not an aware UTC instant"):
        Window(datetime(2026, 11, 1), at(2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="not an aware UTC instant"):
        Window(at(1).astimezone(timezone(HOUR)), at(2))


def test_the_baseline_is_the_same_hours_of_the_weeks_before_that_exist() -> None:
    window, extent = Window(at(20, 9), at(20, 12)), Window(at(1), at(22))
    assert baseline_windows(window, extent) == (
        window.shifted(-timedelta(weeks=1)),
        window.shifted(-timedelta(weeks=2)),
    )


def test_no_hour_of_a_long_window_is_its_own_baseline() -> None:
    window = Window(at(10), at(20))
    first = baseline_windows(window, Window(at(1) - timedelta(weeks=20), at(22)))[0]
    assert first == window.shifted(-timedelta(weeks=2))


def test_a_day_of_daylight_saving_has_24_hours() -> None:
    assert Window(datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC)).hours == 24


def test_windows_overlap_in_their_common_part() -> None:
    assert Window(at(1), at(3)).overlap(Window(at(2), at(5))) == Window(at(2), at(3))
    assert Window(at(1), at(2)).overlap(Window(at(2), at(5))) is None
