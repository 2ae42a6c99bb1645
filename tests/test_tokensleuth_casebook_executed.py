"""Executions: one of a kind for each round, held by one worker at a time."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from tests.decision_builders import propose, stored
from tests.incident_documents import NOW
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.executed import (
    LEASE,
    Execution,
    ExecutionKind,
    begin,
    change,
    done_since,
    ends_by,
    execution_id,
    executions_of,
    read_execution,
    take_due,
)


def begun(
    casebook: Casebook, kind: ExecutionKind = "apply", *, owner: str | None = "w1", **values: object
) -> Execution:
    asked = stored(casebook, propose(casebook))
    with casebook.writing() as connection:
        execution = begin(
            connection,
            asked,
            kind,
            gateway="litellm",
            dry_run=False,
            requested_by="alice",
            owner=owner,
            now=NOW,
        )
        if values:
            assert change(connection, execution.id, owner or "", **values)
    return execution


def test_a_second_one_of_its_kind_in_a_round_cannot_begin(casebook: Casebook) -> None:
    begun(casebook)
    with pytest.raises(IntegrityError):
        begun(casebook)
    begun(casebook, "undo")
    with casebook.reading() as connection:
        assert [e.kind for e in executions_of(connection, "prop_set_rate_limit")] == ["apply", "undo"]


def test_it_reads_back_as_it_began(casebook: Casebook) -> None:
    execution = begun(casebook)
    with casebook.reading() as connection:
        assert read_execution(connection, execution.id) == execution
        assert read_execution(connection, "exec_none") is None
    assert execution.id == execution_id("prop_set_rate_limit", 1, "apply")
    assert execution.as_json()["started_at"] == "2026-11-03T20:05:00Z"


def test_who_holds_it_changes_it_and_nobody_else(casebook: Casebook) -> None:
    execution = begun(casebook)
    with casebook.writing() as connection:
        assert not change(connection, execution.id, "w2", tries=9)
        assert change(connection, execution.id, "w1", tries=1)
        assert not change(connection, "exec_none", "w1", tries=9)


@pytest.mark.parametrize("state", ["done", "failed", "unknown", "blocked"])
def test_what_has_ended_is_neither_changed_nor_taken(casebook: Casebook, state: str) -> None:
    execution = begun(casebook, state=state)
    with casebook.writing() as connection:
        assert not change(connection, execution.id, "w1", state="executing")
        assert take_due(connection, "w2", NOW + timedelta(days=9)) is None


def test_another_worker_takes_over_when_the_lease_ends(casebook: Casebook) -> None:
    execution = begun(casebook)
    with casebook.writing() as connection:
        assert take_due(connection, "w2", NOW + LEASE - timedelta(microseconds=1)) is None
        taken = take_due(connection, "w2", NOW + LEASE)
        assert taken == execution
        assert not change(connection, execution.id, "w1", state="done")
        assert take_due(connection, "w3", NOW + LEASE) is None
        assert change(connection, execution.id, "w2", state="done")


def test_what_is_put_off_is_not_due_before(casebook: Casebook) -> None:
    begun(casebook, owner=None)
    with casebook.writing() as connection:
        taken = take_due(connection, "w1", NOW)
        assert taken is not None
        later = NOW + timedelta(seconds=20)
        change(connection, taken.id, "w1", next_at=later, owner=None, lease_until=None)
        assert take_due(connection, "w1", later - timedelta(microseconds=1)) is None
        assert take_due(connection, "w1", later) is not None


@pytest.mark.parametrize(
    ("state", "dry_run", "counts"),
    [
        ("executing", False, True),
        ("done", False, True),
        ("unknown", False, True),
        ("failed", False, False),
        ("blocked", False, False),
        ("done", True, False),
    ],
)
def test_the_day_counts_what_was_or_may_have_been_changed(
    casebook: Casebook, state: str, dry_run: bool, counts: bool
) -> None:
    begun(casebook, state=state, dry_run=dry_run)
    with casebook.reading() as connection:
        assert len(done_since(connection, NOW)) == counts
        assert done_since(connection, NOW + timedelta(microseconds=1)) == []


def test_an_undo_counts_as_no_action_of_the_day(casebook: Casebook) -> None:
    begun(casebook, "undo", state="done")
    with casebook.reading() as connection:
        assert done_since(connection, NOW) == []


def test_a_limit_whose_time_is_over_ends_unless_somebody_took_it_back(casebook: Casebook) -> None:
    over = NOW + timedelta(hours=24)
    begun(casebook, state="done", undo_at=over)
    with casebook.reading() as connection:
        assert ends_by(connection, over - timedelta(microseconds=1)) == []
        assert len(ends_by(connection, over)) == 1
    begun(casebook, "undo")
    with casebook.reading() as connection:
        assert ends_by(connection, over) == []
