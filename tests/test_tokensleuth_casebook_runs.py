from datetime import UTC, datetime, timedelta

import pytest

from tokensleuth.casebook import Casebook
from tokensleuth.casebook.leaders import TERM, give_up_lead, leader, take_lead
from tokensleuth.casebook.runs import (
    Batch,
    claim_runs,
    finish_runs,
    hold_runs,
    last_slot,
    latest_runs,
    plan_runs,
    put_off_runs,
    release_runs,
    something_due,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=2)
ORDER = ("detect", "sync")


def plan(casebook: Casebook, duty: str, *slots: datetime) -> int:
    with casebook.writing() as connection:
        return plan_runs(connection, duty, slots, NOW)


def claim(casebook: Casebook, owner: str = "a", now: datetime = NOW) -> Batch | None:
    with casebook.writing() as connection:
        return claim_runs(connection, ORDER, owner, now, LEASE)


def finish(casebook: Casebook, batch: Batch, owner: str = "a") -> bool:
    with casebook.writing() as connection:
        return finish_runs(
            connection, batch, owner, state="done", note="fine", document={"n": 1}, now=NOW, seconds=0.5
        )


def claimed(casebook: Casebook, owner: str = "a", now: datetime = NOW) -> Batch:
    batch = claim(casebook, owner, now)
    assert batch is not None
    return batch


def test_a_slot_is_planned_once(casebook: Casebook) -> None:
    assert plan(casebook, "detect", NOW, NOW, NOW - HOUR) == 2
    assert plan(casebook, "detect", NOW, NOW + HOUR) == 1


def test_what_matters_most_is_claimed_first_and_all_its_slots_together(casebook: Casebook) -> None:
    plan(casebook, "sync", NOW)
    plan(casebook, "detect", NOW, NOW - HOUR)
    assert claim(casebook) == Batch("detect", (NOW - HOUR, NOW), 1)
    assert claim(casebook) == Batch("sync", (NOW,), 1)
    assert claim(casebook) is None


def test_a_duty_that_this_version_does_not_know_is_left_alone(casebook: Casebook) -> None:
    plan(casebook, "of-another-version", NOW)
    assert claim(casebook) is None


def test_what_is_done_is_never_claimed_again(casebook: Casebook) -> None:
    plan(casebook, "sync", NOW)
    assert finish(casebook, claimed(casebook))
    plan(casebook, "sync", NOW)
    assert claim(casebook, now=NOW + 100 * HOUR) is None


def test_a_slot_whose_worker_died_is_due_again_when_its_lease_ends(casebook: Casebook) -> None:
    plan(casebook, "sync", NOW)
    lost = claimed(casebook, "dead")
    assert claim(casebook, "b", NOW + LEASE - timedelta(seconds=1)) is None
    again = claimed(casebook, "b", NOW + LEASE)
    assert again.tries == 2
    assert not finish(casebook, lost, "dead")
    assert finish(casebook, again, "b")


def test_a_lease_that_is_held_does_not_end(casebook: Casebook) -> None:
    plan(casebook, "sync", NOW)
    batch = claimed(casebook)
    with casebook.writing() as connection:
        assert hold_runs(connection, batch, "a", NOW + HOUR)
        assert not hold_runs(connection, batch, "b", NOW + HOUR)
    assert claim(casebook, "b", NOW + LEASE) is None


def test_what_was_put_off_is_claimed_apart_from_the_slots_that_came_meanwhile(casebook: Casebook) -> None:
    plan(casebook, "detect", NOW)
    batch = claimed(casebook)
    with casebook.writing() as connection:
        assert put_off_runs(connection, batch, "a", NOW + HOUR, "the ledger is in use")
    assert claim(casebook) is None
    plan(casebook, "detect", NOW + HOUR)
    assert claimed(casebook, now=NOW + HOUR).slots == (NOW + HOUR,)
    assert claimed(casebook, now=NOW + HOUR).slots == (NOW,)


def test_the_only_process_frees_what_the_one_before_held(casebook: Casebook) -> None:
    plan(casebook, "sync", NOW)
    claimed(casebook, "dead")
    with casebook.writing() as connection:
        release_runs(connection)
    assert claimed(casebook, "b").slots == (NOW,)


def test_looking_tells_whether_a_claim_would_find_something(casebook: Casebook) -> None:
    plan(casebook, "sync", NOW)
    with casebook.reading() as connection:
        assert something_due(connection, NOW)
        assert not something_due(connection, NOW - HOUR)


def test_the_latest_run_of_each_duty_is_told(casebook: Casebook) -> None:
    plan(casebook, "sync", NOW - HOUR, NOW)
    plan(casebook, "detect", NOW)
    claimed(casebook)
    batch = claimed(casebook)
    finish(casebook, batch)
    with casebook.reading() as connection:
        told = {run.duty: run for run in latest_runs(connection)}
        assert last_slot(connection, "sync", NOW) == NOW
        assert last_slot(connection, "digest", NOW) is None
    assert told["detect"].state == "running"
    assert (told["sync"].state, told["sync"].note, told["sync"].document) == ("done", "fine", {"n": 1})


@pytest.mark.parametrize("count", [2, 5])
def test_one_leads_until_its_term_ends_or_it_gives_up(casebook: Casebook, count: int) -> None:
    def takes(owner: str, now: datetime) -> bool:
        with casebook.writing() as connection:
            return take_lead(connection, owner, now)

    owners = [f"replica-{number}" for number in range(count)]
    assert [takes(owner, NOW) for owner in owners] == [True] + [False] * (count - 1)
    assert takes(owners[0], NOW + TERM / 2)
    assert not takes(owners[1], NOW + TERM)
    assert takes(owners[1], NOW + TERM + TERM / 2)
    assert not takes(owners[0], NOW + TERM + TERM / 2)
    with casebook.writing() as connection:
        give_up_lead(connection, owners[1], NOW + 2 * TERM)
        assert leader(connection, NOW + 2 * TERM) is None
    assert takes(owners[0], NOW + 2 * TERM)
