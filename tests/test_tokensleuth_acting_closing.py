"""The end of an execution is one transaction: all of it is there, or nothing."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from tests.acting_cases import Office, Provider, office_in
from tests.decision_builders import asked_for, rows_by_table, stored, told_in_slack
from tests.incident_documents import NOW
from tokensleuth.acting.action import Action, action_in
from tokensleuth.acting.closing import Closing, Ended
from tokensleuth.casebook.executed import Execution, begin
from tokensleuth.casebook.queues import waiting_letters
from tokensleuth.casebook.schema_acts import executions
from tokensleuth.casebook.watches import read_watch
from tokensleuth.settings_acts import Actions

DONE = Ended("done", "as asked", {"tpm_limit": 40_000})


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path, Provider()) as made:
        yield made


def begun(office: Office, action: str = "set_rate_limit") -> tuple[Execution, Action]:
    """An execution that worker-1 holds."""
    proposal = office.approved(asked_for(action))
    told_in_slack(office.casebook)
    asked = stored(office.casebook, proposal)
    with office.casebook.writing() as connection:
        execution = begin(
            connection,
            asked,
            "apply",
            gateway="litellm",
            dry_run=False,
            requested_by="alice",
            owner="worker-1",
            now=NOW,
        )
    return execution, action_in(asked.document)


def close(
    office: Office, begun: tuple[Execution, Action], ended: Ended = DONE, owner: str = "worker-1"
) -> bool:
    execution, action = begun
    closing = Closing(office.casebook, owner, Actions(dry_run=False, limit_hours=6))
    asked = stored(office.casebook, execution.proposal_id)
    return closing.close(execution, asked, action, ended, NOW + timedelta(minutes=1))


def kinds(office: Office) -> list[str]:
    with office.casebook.reading() as connection:
        return [str(row["kind"]) for row in waiting_letters(connection)]


def test_a_limit_that_was_set_ends_by_itself_and_is_watched(office: Office) -> None:
    held = begun(office)
    assert close(office, held)
    execution = office.done(held[0].proposal_id)
    assert execution.undo_at == NOW + timedelta(hours=6, minutes=1)
    with office.casebook.reading() as connection:
        watch = read_watch(connection, execution.id)
    assert watch is not None
    assert watch.state == "watching"


def test_a_block_has_no_end(office: Office) -> None:
    held = begun(office, "block_key")
    close(office, held)
    assert office.done(held[0].proposal_id).undo_at is None


@pytest.mark.parametrize("state", ["failed", "unknown", "blocked"])
def test_what_did_not_come_to_be_is_told_and_not_watched(office: Office, state: str) -> None:
    held = begun(office)
    close(office, held, Ended(state, "no"))  # type: ignore[arg-type]
    execution = office.done(held[0].proposal_id)
    assert (execution.state, execution.undo_at is None) == (state, state != "unknown")
    assert "refused" in kinds(office)
    with office.casebook.reading() as connection:
        assert read_watch(connection, execution.id) is None


def test_what_was_only_rehearsed_has_no_end_and_no_watch(office: Office) -> None:
    held = begun(office)
    close(office, held, Ended("done", "rehearsed", dry_run=True))
    execution = office.done(held[0].proposal_id)
    assert (execution.dry_run, execution.undo_at) == (True, None)
    with office.casebook.reading() as connection:
        assert read_watch(connection, execution.id) is None


def test_who_does_not_hold_it_any_more_writes_nothing(office: Office) -> None:
    held = begun(office)
    with office.casebook.reading() as connection:
        before = rows_by_table(connection)
    assert not close(office, held, owner="worker-2")
    with office.casebook.reading() as connection:
        assert rows_by_table(connection) == before
    assert office.done(held[0].proposal_id).state == "executing"


def test_it_is_ended_once(office: Office) -> None:
    held = begun(office)
    assert close(office, held)
    assert not close(office, held, Ended("failed", "later"))
    assert office.done(held[0].proposal_id).state == "done"


def test_when_a_part_of_the_end_fails_nothing_of_it_is_written(office: Office) -> None:
    execution, action = begun(office)

    def fail(connection: Connection) -> None:
        connection.execute(update(executions).values(reason="half"))
        raise ZeroDivisionError

    closing = Closing(office.casebook, "worker-1", office.actions)
    asked = stored(office.casebook, execution.proposal_id)
    with pytest.raises(ZeroDivisionError):
        closing.close(execution, asked, action, DONE, NOW, fail)
    after = office.done(execution.proposal_id)
    assert (after.state, after.reason) == ("executing", None)
    assert office.trail(execution.proposal_id) == []
