from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tokensleuth.digest.settings import DigestSettings
from tokensleuth.schedule.cadence import MOST_WEEKS, Cadence, Daily, Every, Weekly

NOON = datetime(2026, 11, 22, 12, 7, 31, tzinfo=UTC)
DAY = timedelta(days=1)
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
BERLIN = DigestSettings(weekday="sunday", hour=2, timezone="Europe/Berlin")


def test_every_few_minutes_the_latest_slot_is_due_and_the_missed_are_made_up_by_it() -> None:
    assert Every(5).slots(None, NOON) == [NOON.replace(minute=5, second=0)]
    assert Every(5).slots(NOON - DAY, NOON) == [NOON.replace(minute=5, second=0)]
    assert Every(5).slots(NOON.replace(minute=5, second=0), NOON) == []


def test_once_a_day_the_last_such_hour_is_due() -> None:
    assert Daily(time(6)).slots(None, NOON) == [NOON.replace(hour=6, minute=0, second=0)]
    assert Daily(time(18)).slots(None, NOON) == [(NOON - DAY).replace(hour=18, minute=0, second=0)]
    assert Daily(time(6)).slots(NOON.replace(hour=6, minute=0, second=0), NOON) == []


def test_the_week_that_ended_is_due_at_the_hour_of_the_settings() -> None:
    weekly = Weekly(DigestSettings(hour=7))
    assert weekly.slots(None, MONDAY + timedelta(hours=7)) == [MONDAY]
    assert weekly.slots(MONDAY - 7 * DAY, MONDAY + timedelta(hours=6, minutes=59)) == []
    assert weekly.slots(MONDAY, MONDAY + 6 * DAY) == []


def test_weeks_that_were_missed_are_made_up_one_by_one_but_not_forever() -> None:
    weekly = Weekly(DigestSettings(hour=7))
    assert weekly.slots(MONDAY - 14 * DAY, MONDAY + DAY) == [MONDAY - 7 * DAY, MONDAY]
    assert len(weekly.slots(MONDAY - 700 * DAY, MONDAY + DAY)) == MOST_WEEKS


@given(
    st.lists(st.integers(1, 3 * 24 * 60), min_size=1, max_size=60),
    st.sampled_from([Every(2), Every(60), Daily(time(2, 30)), Weekly(BERLIN)]),
)
def test_however_often_one_looks_no_slot_comes_twice_or_before_its_time(
    waits: list[int], cadence: Cadence
) -> None:
    now, last, seen = datetime(2026, 10, 1, tzinfo=UTC), None, []
    for minutes in waits:
        now += timedelta(minutes=minutes)
        fresh = cadence.slots(last, now)
        assert fresh == sorted(fresh)
        assert all(slot <= now for slot in fresh)
        seen += fresh
        last = fresh[-1] if fresh else last
    assert len(set(seen)) == len(seen)


def test_an_hour_that_a_zone_has_twice_or_not_at_all_gives_one_digest_each_week() -> None:
    weekly, last, seen = Weekly(BERLIN), None, []
    now = datetime(2026, 3, 1, tzinfo=UTC)
    while now < datetime(2026, 11, 29, tzinfo=UTC):
        fresh = weekly.slots(last, now)
        seen += fresh
        last = fresh[-1] if fresh else last
        now += timedelta(minutes=30)
    assert {later - earlier for earlier, later in pairwise(seen)} == {7 * DAY}
