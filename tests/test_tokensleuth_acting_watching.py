"""After an action its scope is looked at: it returned, it hurts, it did not return, or nothing is known."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ledger.engine import DuckDbEngine
from ledger.errors import UnreachableError
from ledger.store import Ledger
from playbooks import load_playbooks
from tests.acting_cases import Office, Provider, office_in
from tests.decision_builders import told_in_slack
from tests.incident_documents import NOW
from tests.ledger_builder import Cell, LedgerBuilder, span
from tokensleuth.acting.watching import Watcher
from tokensleuth.casebook.queues import waiting_letters
from tokensleuth.casebook.watches import Watch, read_watch

DAY = 29
"""Of the incident, from 14:00 to 20:00; it is acted on at 20:05, so that 21:00 is the first whole hour."""
WHEN = ("before", "after")
USUAL = Cell(requests=100, failed=1, retried=2)


def stormy(_: datetime, cell: Cell) -> Cell:
    return Cell(requests=cell.requests * 8, failed=20, retried=cell.requests * 5)


def refused(_: datetime, cell: Cell) -> Cell:
    return Cell(requests=cell.requests * 8, failed=cell.requests * 7, retried=cell.requests * 5)


class Ledgers:
    """Hours of usage up to an instant, the incident among them."""

    def __init__(self, days: float) -> None:
        self.builder = LedgerBuilder().run(USUAL, days=days)
        self.builder.change(span(DAY, 14, hours=6), stormy)
        self.opened = 0

    def __call__(self) -> AbstractContextManager[Ledger]:
        self.opened += 1
        engine = self.builder.reader().engine
        assert isinstance(engine, DuckDbEngine)
        return nullcontext(Ledger(engine.connection))


def unreachable() -> AbstractContextManager[Ledger]:
    raise UnreachableError("the ledger is used by another process")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path, Provider()) as made:
        made.approved()
        told_in_slack(made.casebook)
        made.work()
        yield made


def looked(office: Office, ledger: Ledgers, *, hours: float) -> Watch:
    """What is seen so many hours after the action."""
    now = NOW + timedelta(hours=hours)
    Watcher(office.casebook, ledger, load_playbooks(), lambda: now).look()
    return watch_of(office)


def watch_of(office: Office) -> Watch:
    with office.casebook.reading() as connection:
        watch = read_watch(connection, office.done("prop_set_rate_limit").id)
    assert watch is not None
    return watch


def letters(office: Office) -> list[str]:
    with office.casebook.reading() as connection:
        return [str(row["kind"]) for row in waiting_letters(connection) if row["kind"] == "watched"]


def test_it_is_first_looked_at_after_two_hours(office: Office) -> None:
    ledger = Ledgers(31)
    assert looked(office, ledger, hours=1.9).result is None
    assert ledger.opened == 0
    assert looked(office, ledger, hours=2).result is not None


def test_usage_that_is_back_to_normal_has_returned_and_saved_money(office: Office) -> None:
    watch = looked(office, Ledgers(DAY + 2), hours=6)
    seen = watch.result or {}
    assert (watch.state, seen["returned"], seen["hurts"]) == ("watching", True, False)
    assert float(str(seen["saved_usd_per_day"])) > 0
    assert letters(office) == ["watched"]
    assert looked(office, Ledgers(DAY + 3), hours=25).state == "returned"


def test_usage_that_goes_on_has_not_returned(office: Office) -> None:
    ledger = Ledgers(DAY + 3)
    ledger.builder.change(span(DAY, 20, hours=48), stormy)
    watch = looked(office, ledger, hours=25)
    assert (watch.state, (watch.result or {})["returned"]) == ("not_returned", False)


def test_requests_that_fail_since_are_told_as_harm(office: Office) -> None:
    ledger = Ledgers(DAY + 2)
    ledger.builder.change(span(DAY, 20, hours=28), refused)
    assert (looked(office, ledger, hours=4).result or {})["hurts"] is True
    assert letters(office) == ["watched"]


def test_of_a_source_without_request_counts_no_failures_are_told(office: Office) -> None:
    ledger = Ledgers(DAY + 2)
    ledger.builder.change(span(0, hours=24 * (DAY + 2)), lambda _, cell: replace(cell, counted=False))
    seen = looked(office, ledger, hours=6).result or {}
    told = [seen[f"{name}_{when}"] for name in ("requests_per_hour", "failed_share") for when in WHEN]
    assert told == [None] * 4
    assert seen["hurts"] is False


def test_no_usage_since_is_no_answer_until_the_end(office: Office) -> None:
    ledger = Ledgers(DAY + 20 / 24)
    assert looked(office, ledger, hours=3).result == {"hours": 0}
    assert looked(office, ledger, hours=25).state == "no_data"


def test_nothing_new_is_not_told_twice(office: Office) -> None:
    ledger = Ledgers(DAY + 3)
    looked(office, ledger, hours=6)
    looked(office, ledger, hours=8)
    assert letters(office) == ["watched"]


def test_a_ledger_that_cannot_be_opened_is_looked_at_later(office: Office) -> None:
    later = NOW + timedelta(hours=6)
    assert Watcher(office.casebook, unreachable, load_playbooks(), lambda: later).look() == 0
    assert watch_of(office).result is None
    assert looked(office, Ledgers(DAY + 2), hours=6).result is not None


def test_what_was_taken_back_is_not_looked_at(office: Office) -> None:
    office.undo("prop_set_rate_limit")
    office.work()
    ledger = Ledgers(DAY + 2)
    assert (looked(office, ledger, hours=6).state, ledger.opened) == ("undone", 0)
