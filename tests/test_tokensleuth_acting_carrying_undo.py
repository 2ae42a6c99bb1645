"""An undo carried out restores what was there before, once, and leaves alone what somebody changed since."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acting_cases import BEFORE, WANTED, Office, Provider, office_in
from tests.decision_builders import asked_for, told_in_slack
from tokensleuth.acting.carrying import TRY_AGAIN
from tokensleuth.casebook.queues import waiting_letters
from tokensleuth.casebook.watches import read_watch
from tokensleuth.gateways.port import RefusedCallError, UnsureError

DAY_S = 24 * 3600


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def office(tmp_path: Path, provider: Provider) -> Iterator[Office]:
    with office_in(tmp_path, provider) as made:
        yield made


@pytest.fixture
def done(office: Office) -> str:
    proposal = office.approved()
    office.work()
    return proposal


def test_it_restores_exactly_and_ends_the_watch(office: Office, provider: Provider, done: str) -> None:
    assert office.undo(done).outcome == "approved"
    office.work()
    assert (provider.state, office.done(done, "undo").state) == (BEFORE, "done")
    with office.casebook.reading() as connection:
        watch = read_watch(connection, office.done(done).id)
    assert watch is not None
    assert watch.state == "undone"


def test_what_somebody_changed_since_is_left_alone_and_told(
    office: Office, provider: Provider, done: str
) -> None:
    told_in_slack(office.casebook)
    provider.state = {"tpm_limit": 9}
    office.undo(done)
    office.work()
    assert (office.done(done, "undo").state, provider.state) == ("blocked", {"tpm_limit": 9})
    assert "somebody changed it since" in str(office.done(done, "undo").reason)
    with office.casebook.reading() as connection:
        assert "refused" in [row["kind"] for row in waiting_letters(connection)]


def test_what_is_back_already_is_done_without_a_write(office: Office, provider: Provider, done: str) -> None:
    provider.state = dict(BEFORE)
    office.undo(done)
    office.work()
    assert (office.done(done, "undo").reason, len(provider.writes)) == ("it was back already", 1)


def test_what_is_gone_has_nothing_to_undo(office: Office, provider: Provider, done: str) -> None:
    provider.state = None
    office.undo(done)
    office.work()
    assert office.done(done, "undo").state == "blocked"


def test_an_unsure_undo_is_settled_by_reading(office: Office, provider: Provider, done: str) -> None:
    office.undo(done)
    provider.fail("write", UnsureError("timeout"), applies=True)
    office.work()
    office.work(later=TRY_AGAIN.total_seconds())
    assert (office.done(done, "undo").state, len(provider.writes)) == ("done", 2)


def test_an_undo_that_failed_is_carried_out_when_asked_for_again(
    office: Office, provider: Provider, done: str
) -> None:
    office.undo(done)
    provider.fail("write", RefusedCallError("no"))
    office.work()
    assert office.done(done, "undo").state == "failed"
    office.undo(done, "bob")
    office.work()
    assert (office.done(done, "undo").state, provider.state) == ("done", BEFORE)


@pytest.mark.usefixtures("done")
def test_a_limit_is_taken_back_when_its_time_is_over(office: Office, provider: Provider) -> None:
    assert office.tick() == []
    office.work(later=DAY_S)
    assert [answer.outcome for answer in office.tick()] == ["approved"]
    office.work()
    assert (provider.state, office.tick()) == (BEFORE, [])


def test_what_a_person_took_back_stays_as_somebody_set_it_after(
    office: Office, provider: Provider, done: str
) -> None:
    office.undo(done)
    office.work()
    provider.state = dict(WANTED)
    office.work(later=DAY_S)
    assert (office.tick(), provider.state) == ([], WANTED)


def test_a_block_stays_until_somebody_undoes_it(office: Office) -> None:
    proposal = office.approved(asked_for("block_key"))
    office.work()
    office.work(later=DAY_S * 30)
    assert (office.tick(), office.done(proposal).undo_at) == ([], None)
