"""Planned events in the casebook: known to investigations until they end, and undoable."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ledger.errors import RefusedError
from ledger.scope import Scope
from ledger.window import Window
from tests.decision_builders import audited
from tests.incident_documents import NOW
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.tunings import Tuning
from tokensleuth.tuning.changing import undo_tuning
from tokensleuth.tuning.planning import Plan, add_plan, calendar_in_force
from tools.calendar import CalendarEntry, covered_share

DAY = timedelta(days=1)
HOLIDAY = CalendarEntry(start=date(2026, 11, 26), end=date(2026, 11, 27), what="holiday")
LAUNCH = CalendarEntry(
    start=datetime(2026, 11, 4, 9, tzinfo=UTC),
    end=datetime(2026, 11, 5, 9, tzinfo=UTC),
    what="launch",
    where={"team": "search"},
)


def planned(
    casebook: Casebook,
    entry: CalendarEntry = LAUNCH,
    until_at: datetime | None = None,
    *,
    now: datetime = NOW,
) -> Tuning:
    return add_plan(casebook, Plan(entry, until_at, "announced", "alice"), now)


def test_a_plan_joins_the_calendar_of_the_settings(casebook: Casebook) -> None:
    planned(casebook)
    assert calendar_in_force(casebook, [HOLIDAY], NOW) == (HOLIDAY, LAUNCH)


def test_days_and_instants_come_back_as_they_were_said(casebook: Casebook) -> None:
    planned(casebook, HOLIDAY)
    (entry,) = calendar_in_force(casebook, [], NOW)
    assert entry.window == Window(datetime(2026, 11, 26, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC))


def test_it_explains_the_hours_of_its_scope_as_an_entry_of_the_settings_does(casebook: Casebook) -> None:
    planned(casebook)
    calendar = calendar_in_force(casebook, [], NOW)
    key, other = (Scope.parse(s.split()) for s in ("team=search key_id=k1", "team=ads"))
    hours = Window(LAUNCH.window.start_at, LAUNCH.window.start_at + 6 * timedelta(hours=1))
    assert [covered_share(calendar, hours, scope) for scope in (key, other)] == [1.0, 0.0]


def test_it_is_forgotten_a_week_after_its_end(casebook: Casebook) -> None:
    tuning = planned(casebook)
    assert tuning.until_at == LAUNCH.window.end_at + 7 * DAY
    assert calendar_in_force(casebook, [], tuning.until_at - timedelta(seconds=1)) == (LAUNCH,)
    assert calendar_in_force(casebook, [], tuning.until_at) == ()


def test_or_when_the_plan_says(casebook: Casebook) -> None:
    planned(casebook, until_at=LAUNCH.window.end_at)
    assert calendar_in_force(casebook, [], LAUNCH.window.end_at) == ()


def test_undone_it_is_no_longer_known(casebook: Casebook) -> None:
    tuning = planned(casebook)
    undo_tuning(casebook, tuning.id, "bob", NOW, kind="planned", reason=None)
    assert calendar_in_force(casebook, [], NOW) == ()
    assert audited(casebook, tuning.id) == ["planned", "undid a tuning"]


def test_the_same_plan_again_changes_nothing_and_another_end_does(casebook: Casebook) -> None:
    first = planned(casebook)
    assert planned(casebook, now=NOW + DAY).given_at == first.given_at
    assert planned(casebook, until_at=LAUNCH.window.end_at).id == first.id
    assert audited(casebook, first.id) == ["planned", "planned"]


@pytest.mark.parametrize("tuning_id", ["tune_none", "\x00\udcff"])
def test_there_must_be_something_to_undo(casebook: Casebook, tuning_id: str) -> None:
    with pytest.raises(RefusedError, match=r"no planned event .* see: tokensleuth plan list"):
        undo_tuning(casebook, tuning_id, "bob", NOW, kind="planned", reason=None)


def test_undoing_twice_is_refused_with_who_did_it(casebook: Casebook) -> None:
    tuning = planned(casebook)
    undo_tuning(casebook, tuning.id, "bob", NOW, kind=None, reason=None)
    with pytest.raises(RefusedError, match="was undone by bob at 2026-11-03T20:05:00Z already"):
        undo_tuning(casebook, tuning.id, "alice", NOW, kind=None, reason=None)


def test_what_lapsed_cannot_be_undone(casebook: Casebook) -> None:
    tuning = planned(casebook)
    with pytest.raises(RefusedError, match="lapsed at 2026-11-12T09:00:00Z"):
        undo_tuning(casebook, tuning.id, "alice", tuning.until_at, kind=None, reason=None)


@pytest.mark.parametrize(
    ("entry", "until_at", "told"),
    [
        (CalendarEntry(start=date(2026, 11, 1), end=date(2027, 3, 1), what="x"), None, "`x` lasts 121 days"),
        (LAUNCH, LAUNCH.window.end_at - DAY, "is before the end of `launch`, 2026-11-05T09:00:00Z"),
        (LAUNCH, LAUNCH.window.end_at + 93 * DAY, "more than 92 days after the end of `launch`"),
        (CalendarEntry(start=date(2026, 10, 1), end=date(2026, 10, 2), what="old"), None, "`old` is over"),
    ],
)
def test_a_plan_that_would_not_end_or_has_ended_is_refused(
    casebook: Casebook, entry: CalendarEntry, until_at: datetime | None, told: str
) -> None:
    with pytest.raises(RefusedError, match=told):
        planned(casebook, entry, until_at)
    assert audited(casebook) == []
