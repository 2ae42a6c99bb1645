"""The operator's calendar: what the settings accept, and which hours of which scope it covers."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.errors import RefusedError
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tokensleuth.settings_reading import read_settings
from tools.calendar import CalendarEntry, covered_share, entries_about

EXAMPLE = Path(__file__).parent.parent / "tokensleuth.example.toml"
SEARCH = Scope((("team", "search"),))


def calendar_of(folder: Path, text: str) -> tuple[CalendarEntry, ...]:
    path = folder / "tokensleuth.toml"
    path.write_text(text, "utf-8")
    return read_settings(path).calendar


def instant(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_days_are_both_included(tmp_path: Path) -> None:
    (entry,) = calendar_of(tmp_path, "[[calendar]]\nstart = 2026-11-27\nend = 2026-11-28\nwhat = 'sale'")
    assert entry.window == Window(instant(27), instant(29))
    assert (entry.what, entry.scope) == ("sale", EVERYTHING)


def test_instants_keep_their_offset_and_end_before_the_last_hour(tmp_path: Path) -> None:
    text = (
        "[[calendar]]\nstart = 2026-11-05T23:00:00+01:00\nend = 2026-11-06T04:00:00Z\nwhat = 'backfill'\n"
        "where = { key = 'k1', team = 'search' }"
    )
    (entry,) = calendar_of(tmp_path, text)
    assert entry.window == Window(instant(5, 22), instant(6, 4))
    assert entry.scope == Scope.parse(["team=search", "key_id=k1"])


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("start = 2026-11-27\nend = 2026-11-28", "calendar.0.what: field required"),
        (
            "start = 2026-11-27\nend = 2026-11-26\nwhat = 'x'",
            "end 2026-11-26 must not be before start 2026-11-27",
        ),
        ("start = 2026-11-27T08:00:00\nend = 2026-11-28\nwhat = 'x'", "calendar.0.start.*has no offset"),
        ("start = 'soon'\nend = 2026-11-28\nwhat = 'x'", "calendar.0.start.* = 'soon'"),
        ("start = 2026-11-27\nend = 2026-11-28\nwhat = ''", "calendar.0.what = ''"),
        (
            "start = 2026-11-27\nend = 2026-11-28\nwhat = 'x'\nwhere = { planet = 'Mars' }",
            "calendar.0.where.*unknown dimension `planet`",
        ),
        ("start = 2026-11-27\nend = 2026-11-28\nwhat = 'x'\nwho = 'y'", "calendar.0.who: is no setting"),
        ("start = 20261127\nend = 2026-11-28\nwhat = 'x'", "calendar.0.start = 20261127: .*must be a day"),
    ],
)
def test_a_wrong_entry_is_told_with_its_place_and_value(tmp_path: Path, lines: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        calendar_of(tmp_path, f"[[calendar]]\n{lines}")


def test_the_example_shows_a_calendar(tmp_path: Path) -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    start = lines.index("# [[calendar]]")
    text = "\n".join(line.removeprefix("#").strip() for line in lines[start:])
    assert [entry.what for entry in calendar_of(tmp_path, text)] == [
        "autumn sale",
        "embeddings of the archive are made anew",
    ]


def entry(start: datetime, end: datetime, **where: str) -> CalendarEntry:
    return CalendarEntry.model_validate({"start": start, "end": end, "what": "plan", "where": where})


def test_a_scope_is_covered_by_entries_about_all_of_it() -> None:
    day = Window(instant(1), instant(2))
    plans = [entry(instant(1), instant(1, 6)), entry(instant(1, 3), instant(1, 12), team="search")]
    assert covered_share(plans, day, SEARCH) == 0.5
    assert covered_share(plans, day, EVERYTHING) == 0.25
    assert covered_share([], day, SEARCH) == 0.0


def test_entries_about_a_part_of_the_scope_are_listed_but_others_are_not() -> None:
    day = Window(instant(1), instant(2))
    part = entry(instant(1), instant(2), team="search", key_id="k1")
    other = entry(instant(1), instant(2), team="ads")
    later = entry(instant(2), instant(3))
    assert entries_about([part, other, later], day, SEARCH) == [part]
