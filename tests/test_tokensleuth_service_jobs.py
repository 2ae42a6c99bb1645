"""Investigations that somebody asked for: queued once, run in a process of their own, and answered."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Timer

import pytest
from sqlalchemy import RowMapping, select, update

from tests.incident_documents import NOW
from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.queues import release_all, take_from_inbox, waiting_letters
from tokensleuth.casebook.schema_acts import inbox
from tokensleuth.people import Identity
from tokensleuth.service.jobs import MOST_TRIES, JobWorker, ask_investigation
from tokensleuth.settings import Settings, Store

ALICE = Identity("slack", "T1/U1")


@dataclass(slots=True)
class Desk:
    """A casebook with jobs and a worker for them."""

    casebook: Casebook
    app: App
    stopping: Event = field(default_factory=Event)

    @property
    def worker(self) -> JobWorker:
        return JobWorker(self.app, self.casebook, "jobs", lambda: NOW, self.stopping)

    def ask(self, request_id: str = "slack_1") -> None:
        ask_investigation(self.casebook, "last-24h", ALICE, "C1", request_id, NOW)

    def rows(self) -> list[RowMapping]:
        with self.casebook.reading() as connection:
            return list(connection.execute(select(inbox).order_by(inbox.c.number)).mappings())

    def told(self) -> list[Mapping[str, object]]:
        with self.casebook.reading() as connection:
            return [row["letter"] for row in waiting_letters(connection)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Without a ledger: every investigation fails, and says so."""
    url = f"sqlite:///{tmp_path}/casebook.sqlite"
    store = Store(ledger=tmp_path / "missing.duckdb", casebook=url)
    with Casebook.open(url) as casebook:
        yield Desk(casebook, App(Settings(store=store)))


def test_a_request_is_queued_once(desk: Desk) -> None:
    desk.ask()
    desk.ask()
    desk.ask("slack_2")
    assert len(desk.rows()) == 2


def test_without_a_question_there_is_nothing_to_do(desk: Desk) -> None:
    assert not desk.worker.step()


def test_clicks_are_not_taken_for_jobs_nor_jobs_for_clicks(desk: Desk) -> None:
    desk.ask()
    with desk.casebook.writing() as connection:
        assert take_from_inbox(connection, "clicks", NOW) is None


def test_a_job_that_fails_is_answered_once(desk: Desk) -> None:
    desk.ask()
    assert desk.worker.step()
    assert [row["state"] for row in desk.rows()] in (["done"], ["refused"])
    [letter] = desk.told()
    assert (letter["channel"], letter["range"], letter["incidents"]) == ("C1", "last-24h", [])
    assert letter["error"]
    assert not desk.worker.step()


def test_a_job_that_died_too_often_is_given_up_and_told(desk: Desk) -> None:
    desk.ask()
    with desk.casebook.writing() as connection:
        connection.execute(update(inbox).values(tries=MOST_TRIES))
    assert desk.worker.step()
    assert [row["note"] for row in desk.rows()] == [f"given up after {MOST_TRIES} tries"]
    assert "did not come to an end" in str(desk.told()[0]["error"])


def test_when_the_service_stops_the_job_is_ended_and_stays_to_be_done(desk: Desk) -> None:
    desk.ask()
    Timer(0.3, desk.stopping.set).start()
    assert desk.worker.step()
    [row] = desk.rows()
    assert (row["state"], row["tries"], desk.told()) == ("new", 1, [])
    with desk.casebook.writing() as connection:
        release_all(connection)
        assert take_from_inbox(connection, "next", NOW, jobs=True) is not None
