"""The executor takes what is approved, checks it once more, and leaves nothing half done behind a crash."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.acting_cases import WANTED, Office, Provider, office_in
from tests.decision_builders import asked_for, audited, click, propose, slack, told_in_slack
from tests.incident_documents import NOW
from tokensleuth.casebook.executed import LEASE
from tokensleuth.casebook.feedback import feedback_of
from tokensleuth.casebook.queues import release_all, waiting_letters
from tokensleuth.casebook.schema import proposals
from tokensleuth.gateways.port import Place, State


class Crash(BaseException):
    """Ends a step where a kill would."""


class Crashing(Provider):
    """Dies in a step, once."""

    dies_in: str | None = None

    def read(self, place: Place) -> State | None:
        self._die("read back" if "write" in self.calls else "read")
        return Provider.read(self, place)

    def write(self, place: Place, state: State, *, before: State, idempotency_key: str) -> None:
        self._die("before write")
        Provider.write(self, place, state, before=before, idempotency_key=idempotency_key)
        self._die("after write")

    def _die(self, step: str) -> None:
        if self.dies_in == step:
            self.dies_in = None
            raise Crash


@pytest.fixture
def provider() -> Crashing:
    return Crashing()


@pytest.fixture
def office(casebook_url: str, provider: Crashing) -> Iterator[Office]:
    with office_in(casebook_url, provider) as made:
        yield made


def crashed(office: Office, provider: Crashing, step: str) -> str:
    """A proposal whose execution ended in that step; the next worker starts on a free casebook."""
    proposal = office.approved()
    provider.dies_in = step
    with pytest.raises(Crash):
        office.work()
    with office.casebook.writing() as connection:
        release_all(connection)
    return proposal


@pytest.mark.parametrize(
    ("step", "writes"), [("read", 1), ("before write", 1), ("after write", 1), ("read back", 1)]
)
def test_after_a_crash_it_is_settled_by_reading_with_one_effect(
    office: Office, provider: Crashing, step: str, writes: int
) -> None:
    proposal = crashed(office, provider, step)
    assert office.state(proposal) == "executing"
    office.work()
    assert (office.done(proposal).state, provider.state) == ("done", WANTED)
    assert len(provider.writes) == writes


def test_what_another_worker_holds_is_left_until_its_lease_ends(office: Office, provider: Crashing) -> None:
    proposal = office.approved()
    provider.dies_in = "after write"
    with pytest.raises(Crash):
        office.work()
    office.owner = "worker-2"
    assert office.work(later=LEASE.total_seconds() - 1) == 0
    assert office.work(later=1) == 1
    assert (office.done(proposal).state, len(provider.writes)) == ("done", 1)


def test_a_proposal_is_executed_once_in_its_round(office: Office, provider: Crashing) -> None:
    proposal = office.approved()
    office.work()
    with office.casebook.writing() as connection:
        connection.execute(update(proposals).values(state="approved"))
    with pytest.raises(Exception, match=r"(?i)unique"):
        office.work()
    assert (office.done(proposal).state, len(provider.writes)) == ("done", 1)


def test_what_was_begun_comes_before_what_is_new(office: Office, provider: Crashing) -> None:
    first = crashed(office, provider, "after write")
    second = propose(office.casebook, asked_for("block_key"), incident_id="inc_2")
    click(office.casebook, second, slack("alice"))
    office.executor.run_one()
    assert (office.state(first), office.state(second)) == ("done", "approved")


def test_nothing_is_done_that_nobody_approved(office: Office, provider: Crashing) -> None:
    propose(office.casebook)
    assert (office.work(), provider.calls) == (0, [])


def test_a_guard_rail_blocks_it_and_says_why(office: Office, provider: Crashing) -> None:
    proposal = office.approved()
    told_in_slack(office.casebook)
    office.work(later=2 * 3600)
    assert (office.state(proposal), provider.calls) == ("blocked", [])
    assert "too far apart" in str(office.done(proposal).reason)
    with office.casebook.reading() as connection:
        assert "refused" in [row["kind"] for row in waiting_letters(connection)]


def test_a_stored_action_that_no_list_knows_is_blocked(office: Office, provider: Crashing) -> None:
    proposal = office.approved()
    with office.casebook.writing() as connection:
        document = asked_for(parameters={"colour": "red"})
        connection.execute(update(proposals).values(document=document))
    office.work()
    assert (office.state(proposal), provider.calls) == ("blocked", [])


def test_without_a_gateway_it_is_left_to_people(office: Office) -> None:
    proposal = office.approved(asked_for(gateway="openai"))
    office.work()
    assert office.state(proposal) == "blocked"
    assert "by hand" in str(office.done(proposal).reason)


def test_once_begun_the_guard_rails_do_not_leave_it_half_done(office: Office, provider: Crashing) -> None:
    proposal = crashed(office, provider, "after write")
    office.work(later=5 * 3600)
    assert (office.state(proposal), provider.state) == ("done", WANTED)


def test_an_owner_is_told_by_a_letter_that_commits_with_the_end(office: Office, provider: Crashing) -> None:
    proposal = office.approved(asked_for("notify_owner", gateway="none"))
    office.work()
    with office.casebook.reading() as connection:
        letters = [row for row in waiting_letters(connection) if row["kind"] == "notice"]
    assert [row["letter"]["owner"] for row in letters] == ["search-oncall"]
    assert (office.state(proposal), provider.calls) == ("done", [])


def test_a_mark_is_set_and_its_undo_takes_it_back(office: Office) -> None:
    proposal = office.approved(asked_for("mark_expected", gateway="none"))
    office.work()
    office.undo(proposal)
    office.work()
    with office.casebook.reading() as connection:
        given = [(f.verdict, f.given_by) for f in feedback_of(connection, "inc_1")]
    assert sorted(given) == [("expected", "alice"), ("real", "alice")]


def test_told_measures_are_told_in_a_dry_run_too(office: Office) -> None:
    office.actions = office.actions.model_copy(update={"dry_run": True})
    proposal = office.approved(asked_for("notify_owner", gateway="none"))
    office.work()
    assert (office.state(proposal), office.done(proposal).dry_run) == ("done", False)


def test_every_end_is_in_the_trail_once(office: Office) -> None:
    proposal = office.approved()
    office.work()
    assert office.trail(proposal) == ["apply done"]
    assert audited(office.casebook, proposal) == ["proposed", "approved"]


def test_two_workers_on_one_casebook_do_each_proposal_once(office: Office, provider: Crashing) -> None:
    for number in range(3):
        document = asked_for(id=f"prop_{number}")
        propose(office.casebook, document, incident_id=f"inc_{number}", at=NOW + timedelta(seconds=number))
        click(office.casebook, f"prop_{number}", slack("alice"))
    one, two = office.executor, replace(office.executor, owner="worker-2")
    while one.run_one() or two.run_one():
        continue
    keys = [key for _, key in provider.writes]
    assert len(keys) == len(set(keys)) == 1
    assert [office.state(f"prop_{n}") for n in range(3)] == ["done"] * 3
