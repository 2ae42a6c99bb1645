"""Old raw usage goes and its hourly sums stay; what comes again after that is refused, not counted twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import duckdb
import pytest

from ledger import compacting
from ledger.compacting import compact, is_worth_compacting
from ledger.errors import UnreachableError
from ledger.ingest.load import LoadOptions
from ledger.retention import Edges, Retention
from ledger.store import open_ledger, read_ledger
from tests.usage_builder import NOW, TestLedger, memory_ledger, usage, write

AT = NOW.replace(tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def ledger() -> Iterator[TestLedger]:
    with memory_ledger() as made:
        yield made


def midnight(day: int, month: int = 11) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


def month_of_usage(folder: Path, *, records: bool = True) -> Path:
    """Some rows on each of the first twenty days of November."""
    rows = [
        usage(f"2026-11-{day:02}T{hour:02}:30:00Z", input_tokens=day * 100 + hour, key_id=f"k{hour % 3}")
        | ({"record_id": f"r{day}-{hour}"} if records else {})
        for day in range(1, 21)
        for hour in (0, 9, 23)
    ]
    return write(folder / "month.jsonl", rows)


@pytest.mark.parametrize("records", [True, False])
def test_the_hourly_sums_stay_when_raw_usage_goes(ledger: TestLedger, tmp_path: Path, records: bool) -> None:
    ledger.load(month_of_usage(tmp_path, records=records))
    before, cells = ledger.totals(), ledger.rows("select * from usage_hourly order by all")
    gone = ledger.ledger.retention.forget(Edges(midnight(11)), AT)

    assert gone == 30
    assert ledger.rows("select min(started_at), count(*) from usage") == [(datetime(2026, 11, 11, 0, 30), 30)]  # noqa: DTZ001 - as DuckDB gives it
    assert (ledger.totals(), ledger.rows("select * from usage_hourly order by all")) == (before, cells)


@pytest.mark.parametrize("records", [True, False])
def test_what_comes_again_after_it_is_gone_is_refused_and_changes_no_sum(
    ledger: TestLedger, tmp_path: Path, records: bool
) -> None:
    path = month_of_usage(tmp_path, records=records)
    ledger.load(path)
    before = ledger.totals()
    ledger.ledger.retention.forget(Edges(midnight(11)), AT)
    again = ledger.load(path)

    assert (again.new, again.duplicate, again.rejected) == (0, 30, 30)
    assert again.errors[0].column == "started_at"
    assert "is before 2026-11-11: so old usage is deleted by retention.usage_days" in again.errors[0].reason
    assert ledger.totals() == before


def test_new_usage_in_an_hour_that_is_kept_counts_and_in_one_that_is_not_does_not(
    ledger: TestLedger, tmp_path: Path
) -> None:
    ledger.load(month_of_usage(tmp_path))
    ledger.ledger.retention.forget(Edges(midnight(11)), AT)
    late = [usage(f"2026-11-{day}T23:59:59Z", record_id=f"late{day}", input_tokens=7) for day in (10, 11)]
    result = ledger.load(write(tmp_path / "late.jsonl", late))

    assert (result.new, result.rejected) == (1, 1)
    assert ledger.rows("select sum(records) from usage_hourly where hour >= '2026-11-11'") == [(31,)]
    assert ledger.rows("select sum(records) from usage_hourly where hour < '2026-11-11'") == [(30,)]


def test_a_restatement_of_kept_usage_still_replaces_it(ledger: TestLedger, tmp_path: Path) -> None:
    ledger.load(month_of_usage(tmp_path))
    ledger.ledger.retention.forget(Edges(midnight(11)), AT)
    changed = [usage("2026-11-12T09:30:00Z", record_id="r12-9", input_tokens=1, key_id="k0")]

    assert ledger.load(write(tmp_path / "changed.jsonl", changed)).restated == 1
    ledger.ledger.retention.forget(Edges(midnight(13)), AT)
    assert ledger.rows("select count(*) from usage_restated") == [(0,)]


def test_the_edge_never_goes_back(ledger: TestLedger, tmp_path: Path) -> None:
    ledger.load(month_of_usage(tmp_path))
    retention = ledger.ledger.retention
    retention.forget(Edges(midnight(11)), AT)
    retention.forget(Edges(midnight(5)), AT)

    assert retention.edges() == Edges(midnight(11))
    assert ledger.rows("select count(*) from kept_from") == [(1,)]


def test_running_twice_is_running_once(ledger: TestLedger, tmp_path: Path) -> None:
    ledger.load(month_of_usage(tmp_path))
    edges = Edges(midnight(11), midnight(5))
    first = ledger.ledger.retention.forget(edges, AT)
    cells = ledger.rows("select * from usage_hourly order by all")

    assert first == 42
    assert ledger.ledger.retention.forget(edges, AT) == 0
    assert ledger.ledger.retention.due(edges) == dict.fromkeys(
        ("usage", "usage_restated", "usage_hourly", "cost_history", "usage_funding"), 0
    )
    assert ledger.rows("select * from usage_hourly order by all") == cells


def test_scopes_go_with_their_last_hour(ledger: TestLedger, tmp_path: Path) -> None:
    rows = [usage("2026-11-01T09:00:00Z", user="old"), usage("2026-11-12T09:00:00Z", user="new")]
    ledger.load(write(tmp_path / "a.jsonl", rows))
    ledger.ledger.retention.forget(Edges(midnight(11)), AT)
    assert ledger.rows("select count(*) from scopes") == [(2,)]
    ledger.ledger.retention.forget(Edges(midnight(11), midnight(11)), AT)

    assert ledger.rows('select "user" from scopes') == [("new",)]


class KilledError(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


@pytest.mark.parametrize("days", [0, 1, 4])
def test_a_kill_between_two_days_leaves_edge_and_rows_in_step(
    ledger: TestLedger, tmp_path: Path, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = month_of_usage(tmp_path)
    ledger.load(path)
    before, left, real = ledger.totals(), days, Retention._move_edge

    def dies(self: Retention, which: str, until: datetime, now: datetime) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KilledError
        real(self, which, until, now)  # type: ignore[arg-type]

    with monkeypatch.context() as dying:
        dying.setattr(Retention, "_move_edge", dies)
        with pytest.raises(KilledError):
            ledger.ledger.retention.forget(Edges(midnight(11)), AT)
    again = ledger.load(path)

    assert (again.rejected, again.duplicate) == (3 * days, 60 - 3 * days)
    ledger.ledger.retention.forget(Edges(midnight(11)), AT)
    assert ledger.totals() == before


@pytest.mark.parametrize("seed", range(5))
def test_sums_are_right_whatever_comes_in_between_runs(ledger: TestLedger, tmp_path: Path, seed: int) -> None:
    """What is before the edge is frozen, what is after it is the sum of the raw rows, at any time."""
    random = Random(seed)  # noqa: S311 - made-up data
    edge = midnight(1)
    for step in range(12):
        rows = [
            usage(
                f"2026-11-{random.randint(1, 21):02}T{random.randint(0, 23):02}:00:00Z",
                record_id=f"r{random.randint(0, 60)}",
                input_tokens=random.randint(1, 9),
            )
            for _ in range(20)
        ]
        unique = list({row["record_id"]: row for row in rows}.values())
        frozen = ledger.rows(f"select * from usage_hourly where hour < '{edge:%F}' order by all")
        ledger.load(write(tmp_path / f"{step}.jsonl", unique))
        assert ledger.rows(f"select * from usage_hourly where hour < '{edge:%F}' order by all") == frozen
        if random.random() < 0.4:
            edge = max(edge, midnight(random.randint(1, 20)))
            ledger.ledger.retention.forget(Edges(edge), AT)
        kept = f"where hour >= '{edge:%F}'"
        assert ledger.rows(f"select coalesce(sum(input_tokens), 0) from usage_hourly {kept}") == ledger.rows(
            "select coalesce(sum(input_tokens), 0) from usage"
        )


@pytest.mark.parametrize(
    "edges", [(None, midnight(1)), (midnight(1), midnight(2)), (midnight(1) + timedelta(hours=1), None)]
)
def test_edges_that_would_lose_sums_are_refused(edges: tuple[datetime | None, datetime | None]) -> None:
    with pytest.raises(ValueError, match=r"cannot be kept for longer|is no midnight"):
        Edges(*edges)


def full_ledger(path: Path, days: int = 60) -> None:
    """A fifth of a million rows, most of them old."""
    with open_ledger(path) as ledger:
        for day in range(days):
            ledger.pulled.connection.execute(
                f"""insert into usage select md5_number(concat({day}, '-', i)), timestamp '2026-09-01'
                    + interval {day} day + interval (i) second, 1, 1, 0, 0, hash(i) % 9999, 0, 0, 0, 5, null,
                    null, null, null, 1 from range(4000) t(i)"""
            )


def test_compacting_gives_the_disk_back_and_keeps_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.duckdb"
    full_ledger(path)
    monkeypatch.setattr(compacting, "LEAST_BYTES", 1)
    with open_ledger(path) as ledger:
        ledger.retention.forget(Edges(midnight(20, month=10)), AT)
        rows = ledger.pulled.connection.execute("select * from usage order by all").fetchall()
    before = path.stat().st_size

    assert is_worth_compacting(path)
    assert compact(path) == before - path.stat().st_size > before / 3
    with open_ledger(path, create=False) as ledger:
        assert ledger.pulled.connection.execute("select * from usage order by all").fetchall() == rows
        assert ledger.retention.edges() == Edges(midnight(20, month=10))
    assert not is_worth_compacting(path)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["ledger.duckdb"]


def test_compacting_waits_for_nobody_and_disturbs_no_reader(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    full_ledger(path, days=2)
    with open_ledger(path), pytest.raises(UnreachableError, match="cannot be compacted now"):
        compact(path)
    with read_ledger(path) as ledger, duckdb.connect():
        assert ledger.pulled.connection.execute("select count(*) from usage").fetchall() == [(8000,)]


def test_a_ledger_can_still_be_written_to_after_it_was_compacted(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    full_ledger(path, days=2)
    compact(path)
    with open_ledger(path) as ledger:
        made = TestLedger(ledger, ledger.pulled.connection)
        assert made.load(month_of_usage(tmp_path), LoadOptions(now=NOW)).new == 60
        assert ledger.reader.extent() is not None
