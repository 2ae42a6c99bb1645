"""Retention deletes what is old and closed, tells of it first, and never touches what is open."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from ledger.store import Ledger
from tests.old_casebooks import NOW, OldCasebook, contents, old_casebook
from tests.usage_builder import memory_ledger
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import count_entries, read_entries, verify_entries
from tokensleuth.casebook.schema import investigations, metadata
from tokensleuth.observing.figures import read_figures
from tokensleuth.retention import applying
from tokensleuth.retention.applying import Forgotten, apply, plan
from tokensleuth.retention.settings import RetentionSettings

DAY = timedelta(days=1)
EVERYTHING = RetentionSettings(
    inbox_days=40, outbox_days=50, runs_days=30, notices_days=60, digests_days=70, evidence_days=45,
    timelines_days=55, messages_days=80, model_calls_days=65, incidents_days=120,
)  # fmt: skip
WITHOUT_INCIDENTS = EVERYTHING.model_copy(update={"incidents_days": 0})
_AGES = {
    "inbox": "handled_at", "outbox": "sent_at", "runs": "finished_at", "notices": "closed_at",
    "digests": "made_at", "timelines": "saved_at", "messages": "asked_at",
}  # fmt: skip


class KilledError(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with memory_ledger() as made:
        yield made.ledger


@contextmanager
def another(folder: Path) -> Iterator[Casebook]:
    with Casebook.open(f"sqlite:///{folder}/another.sqlite", key=b"the key of another casebook") as opened:
        yield opened


def key_of(table: str, row: dict[str, object]) -> tuple[object, ...]:
    return tuple(row[column.name] for column in metadata.tables[table].primary_key)


def of_open_incidents(book: OldCasebook) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Rows that must stay, by the reading of the test."""
    for table in ("incidents", "timelines", "messages", "outbox"):
        for row in book.rows.get(table, ()):
            name = row["id"] if table == "incidents" else row["incident_id"]
            if name in book.open and "number" not in metadata.tables[table].primary_key:
                yield table, key_of(table, row)
    for table in ("evidence", "watches", "executions", "proposals"):
        for row in book.rows.get(table, ()):
            if any(f"_{name}_" in f"{_place(row)}_" for name in book.open):
                yield table, key_of(table, row)


def _place(row: dict[str, object]) -> str:
    return str(row.get("investigation_id") or row.get("execution_id") or row.get("id"))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("settings", [EVERYTHING, WITHOUT_INCIDENTS], ids=["all", "without incidents"])
def test_what_is_open_stays_and_what_is_told_of_is_what_goes(
    seed: int, settings: RetentionSettings, casebook: Casebook, ledger: Ledger
) -> None:
    book = old_casebook(seed)
    book.save(casebook)
    before, planned = contents(casebook), plan(ledger, casebook, settings, NOW)
    done = apply(ledger, casebook, settings, NOW)
    after = contents(casebook)

    assert done == planned
    gone = {table: len(before[table] - after[table]) for table in before}
    assert {table: count for table, count in gone.items() if count} == done.casebook
    assert not [(table, key) for table, key in of_open_incidents(book) if key not in after[table]]
    assert done.rows > 0


@pytest.mark.parametrize("seed", [11, 12])
def test_a_second_run_finds_nothing_and_writes_nothing(seed: int, casebook: Casebook, ledger: Ledger) -> None:
    old_casebook(seed).save(casebook)
    apply(ledger, casebook, EVERYTHING, NOW)
    once = contents(casebook)
    again = apply(ledger, casebook, EVERYTHING, NOW)
    with casebook.reading() as connection:
        entries = count_entries(connection)

    assert (again.rows, entries) == (0, 1)
    assert contents(casebook) == once


@pytest.mark.parametrize("seed", [21, 22])
def test_nothing_younger_than_its_edge_goes(seed: int, casebook: Casebook, ledger: Ledger) -> None:
    book = old_casebook(seed)
    book.save(casebook)
    before = contents(casebook)
    apply(ledger, casebook, WITHOUT_INCIDENTS, NOW)
    gone = {table: before[table] - rows for table, rows in contents(casebook).items()}

    for table, at in _AGES.items():
        edge = WITHOUT_INCIDENTS.edge(table, NOW)
        for number, row in enumerate(book.rows.get(table, ()), start=1):
            numbered = "number" in metadata.tables[table].primary_key
            key = (number,) if numbered else key_of(table, row)
            if row[at] is None or row[at] >= edge:  # type: ignore[operator]
                assert key not in gone[table]
    assert not gone["incidents"] | gone["decisions"] | gone["proposals"] | gone["executions"]


@pytest.mark.parametrize("kills", [0, 3, 9])
def test_a_kill_anywhere_is_made_up_for_by_the_next_run(
    kills: int, tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b").mkdir()
    with another(tmp_path) as killed, another(tmp_path / "b") as whole:
        for casebook in (killed, whole):
            old_casebook(7, incidents=120).save(casebook)
        counted = read_figures(whole, None, NOW).ended, read_figures(whole, None, NOW).failures
        monkeypatch.setattr(applying, "BATCH", 5)
        monkeypatch.setattr(applying, "INCIDENT_BATCH", 3)
        apply(ledger, whole, EVERYTHING, NOW)
        left = kills

        def dies(*_: object) -> bool:
            nonlocal left
            left -= 1
            if left < 0:
                raise KilledError
            return real(*_)  # type: ignore[arg-type]

        real = applying._delete_batch
        with monkeypatch.context() as dying:
            dying.setattr(applying, "_delete_batch", dies)
            with pytest.raises(KilledError):
                apply(ledger, killed, EVERYTHING, NOW)
        apply(ledger, killed, EVERYTHING, NOW)

        assert contents(killed) == contents(whole)
        for casebook in (killed, whole):
            figures = read_figures(casebook, None, NOW)
            assert (figures.ended, figures.failures) == counted


def test_the_audit_trail_tells_of_it_once_and_stays_whole(casebook: Casebook, ledger: Ledger) -> None:
    old_casebook(3).save(casebook)
    done = apply(ledger, casebook, EVERYTHING, NOW)
    with casebook.reading() as connection:
        (entry,) = read_entries(connection)
        verified = verify_entries(connection, casebook.key, [])

    assert (entry["what"], entry["subject"], verified.whole) == ("forgotten", "retention", True)
    assert entry["document"]["casebook"] == done.casebook  # type: ignore[index]


def test_by_default_only_handled_letters_and_ended_runs_go(casebook: Casebook, ledger: Ledger) -> None:
    old_casebook(5).save(casebook)
    done = apply(ledger, casebook, RetentionSettings(), NOW)

    assert set(done.casebook) == {"inbox", "outbox", "runs"}
    assert done.ledger == {}


def test_the_last_slot_of_a_duty_stays_however_old(casebook: Casebook, ledger: Ledger) -> None:
    book, at = OldCasebook(), NOW - 300 * DAY
    for days in range(3):
        slot = at + days * DAY
        book.add(
            "runs", duty="digest", slot=slot, state="done", tries=1, planned_at=slot, next_at=slot,
            finished_at=slot,
        )  # fmt: skip
    book.save(casebook)

    assert apply(ledger, casebook, RetentionSettings(), NOW).casebook == {"runs": 2}
    assert contents(casebook)["runs"] == {("digest", at + 2 * DAY)}


def test_calls_to_the_model_that_the_ledger_lacks_are_never_deleted(
    casebook: Casebook, ledger: Ledger
) -> None:
    old_casebook(1).save(casebook)

    assert "model_calls" not in apply(ledger, casebook, EVERYTHING, NOW).casebook


def test_incidents_go_with_everything_that_hangs_on_them(casebook: Casebook, ledger: Ledger) -> None:
    old_casebook(2, incidents=60).save(casebook)
    done = apply(ledger, casebook, EVERYTHING, NOW)
    with casebook.reading() as connection:
        left = set(connection.scalars(select(investigations.c.incident_id)))

    assert done.casebook["incidents"] > 5
    assert left == {key[0] for key in contents(casebook)["incidents"]}


def test_a_plan_changes_nothing(casebook: Casebook, ledger: Ledger) -> None:
    old_casebook(4).save(casebook)
    before = contents(casebook)

    assert plan(ledger, casebook, EVERYTHING, NOW).rows > 0
    assert contents(casebook) == before


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"usage_days": 7}, "usage_days = 7: must be 0, for ever, or at least 35"),
        ({"hourly_days": 500}, "hourly_days = 500: set usage_days too"),
        ({"hourly_days": 400, "usage_days": 500}, "hourly_days = 400: set usage_days too"),
        ({"audit_days": 90}, "Extra inputs are not permitted"),
        ({"runs_days": -1}, "greater than or equal to 0"),
    ],
)
def test_settings_that_would_lose_what_is_needed_are_refused(given: dict[str, int], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        RetentionSettings.model_validate(given)


def test_what_is_forgotten_is_told_in_figures() -> None:
    assert Forgotten(
        {"usage": 3}, {"runs": 2}, applying._edges(RetentionSettings(usage_days=35), NOW)
    ).as_json() == {
        "ledger": {"usage": 3},
        "casebook": {"runs": 2},
        "usage_from": "2026-10-18",
        "hourly_from": None,
    }
