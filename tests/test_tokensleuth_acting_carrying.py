"""An execution at a gateway that fails at every step: at most one effect, and what came of it is told."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import update

from tests.acting_cases import BEFORE, WANTED, Office, Provider, Step, office_in
from tests.decision_builders import told_in_slack
from tokensleuth.acting.carrying import GIVE_UP_AFTER, MOST_WRITES, TRY_AGAIN
from tokensleuth.casebook.queues import LEASE, waiting_letters
from tokensleuth.casebook.schema_acts import executions
from tokensleuth.gateways.port import (
    CannotError,
    GatewayError,
    NotSentError,
    Place,
    RefusedCallError,
    State,
    UnsureError,
)

SOON = TRY_AGAIN.total_seconds()
STEPS: tuple[Step, ...] = get_args(Step)
ERRORS: tuple[type[GatewayError], ...] = (CannotError, RefusedCallError, NotSentError, UnsureError)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def office(tmp_path: Path, provider: Provider) -> Iterator[Office]:
    with office_in(tmp_path, provider) as made:
        yield made


def test_what_is_approved_is_read_written_and_read_back_once(office: Office, provider: Provider) -> None:
    proposal = office.approved()
    assert office.work() == 1
    assert provider.calls == ["plan", "read", "wanted", "write", "read back"]
    done = office.done(proposal)
    assert (done.state, done.before, done.wanted, done.observed) == ("done", BEFORE, WANTED, WANTED)
    assert office.state(proposal) == "done"


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("error", ERRORS)
def test_a_failure_at_any_step_ends_in_what_is_really_there(
    office: Office, provider: Provider, step: Step, error: type[GatewayError]
) -> None:
    provider.fail(step, error("as asked"))
    proposal = office.approved()
    office.work()
    office.work(later=SOON)
    done = office.done(proposal)
    assert done.state in ("done", "failed", "blocked")
    assert (provider.state == WANTED) == (done.state == "done")
    assert office.state(proposal) == done.state


@pytest.mark.parametrize(
    ("step", "error", "state"),
    [
        ("plan", CannotError, "blocked"),
        ("read", CannotError, "blocked"),
        ("read", RefusedCallError, "failed"),
        ("write", CannotError, "blocked"),
        ("write", RefusedCallError, "failed"),
    ],
)
def test_what_cannot_be_or_is_refused_is_not_tried_again(
    office: Office, provider: Provider, step: Step, error: type[GatewayError], state: str
) -> None:
    provider.fail(step, error("as asked"))
    proposal = office.approved()
    office.work()
    assert (office.done(proposal).state, provider.state) == (state, BEFORE)
    assert office.work(later=3600) == 0


@pytest.mark.parametrize("error", [CannotError, RefusedCallError])
def test_a_refused_reading_after_the_write_is_not_told_as_nothing_changed(
    office: Office, provider: Provider, error: type[GatewayError]
) -> None:
    provider.fail("read back", error("401"))
    proposal = office.approved()
    office.work()
    assert (office.done(proposal).state, provider.state) == ("executing", WANTED)
    office.work(later=SOON)
    assert (office.done(proposal).state, len(provider.writes)) == ("done", 1)


def test_when_reading_stays_refused_after_the_write_the_outcome_is_unknown(
    office: Office, provider: Provider
) -> None:
    provider.fail("read back", *[RefusedCallError("401")] * 100)
    proposal = office.approved()
    for _ in range(40):
        office.work(later=SOON)
    assert office.done(proposal).state == "unknown"
    assert "nobody can say whether it happened" in str(office.done(proposal).reason)


def test_a_write_that_applied_without_an_answer_is_found_by_reading(
    office: Office, provider: Provider
) -> None:
    provider.fail("write", UnsureError("timeout"), applies=True)
    proposal = office.approved()
    office.work()
    assert office.done(proposal).state == "executing"
    office.work(later=SOON)
    assert (office.done(proposal).state, len(provider.writes)) == ("done", 1)


def test_a_write_that_did_not_apply_is_written_again_under_the_same_key(
    office: Office, provider: Provider
) -> None:
    provider.fail("write", UnsureError("reset"))
    proposal = office.approved()
    office.work()
    office.work(later=SOON)
    execution = office.done(proposal)
    assert execution.state == "done"
    assert provider.writes == [(WANTED, execution.id)] * 2


def test_after_three_writes_without_effect_it_has_failed(office: Office, provider: Provider) -> None:
    provider.deaf = True
    proposal = office.approved()
    for _ in range(6):
        office.work(later=SOON)
    assert (office.done(proposal).state, len(provider.writes)) == ("failed", MOST_WRITES)
    assert "still reads as before" in str(office.done(proposal).reason)


def test_a_provider_that_says_later_is_asked_again_and_not_counted_as_written(
    office: Office, provider: Provider
) -> None:
    provider.fail("write", *[NotSentError("429")] * (MOST_WRITES + 2))
    proposal = office.approved()
    for _ in range(MOST_WRITES + 3):
        office.work(later=SOON)
    assert (office.done(proposal).state, office.done(proposal).tries) == ("done", 1)


def test_it_waits_as_long_as_the_provider_asks(office: Office, provider: Provider) -> None:
    provider.fail("read", NotSentError("429", retry_after_s=90))
    proposal = office.approved()
    office.work()
    assert office.work(later=89) == 0
    assert office.work(later=1) == 1
    assert office.state(proposal) == "done"


def test_neither_as_before_nor_as_wanted_is_unknown_and_told(office: Office, provider: Provider) -> None:
    provider.fail("write", UnsureError("timeout"))
    proposal = office.approved()
    told_in_slack(office.casebook)
    office.work()
    provider.state = {"tpm_limit": 7}
    office.work(later=SOON)
    assert office.done(proposal).state == office.state(proposal) == "unknown"
    assert office.trail(proposal) == ["apply unknown"]
    assert "refused" in letters(office)
    assert office.work(later=3600) == 0


def letters(office: Office) -> list[str]:
    with office.casebook.reading() as connection:
        return [str(row["kind"]) for row in waiting_letters(connection)]


@pytest.mark.parametrize(("step", "state"), [("read", "failed"), ("read back", "unknown")])
def test_who_does_not_answer_for_ten_minutes_is_given_up(
    office: Office, provider: Provider, step: Step, state: str
) -> None:
    provider.fail(step, *[NotSentError("down")] * 1000)
    proposal = office.approved()
    told_in_slack(office.casebook)
    waits = 0
    while office.done(proposal).state == "executing" if waits else True:
        office.work(later=SOON)
        waits += 1
    assert office.done(proposal).state == state
    assert timedelta(seconds=waits * SOON) > GIVE_UP_AFTER
    assert "refused" in letters(office)


def test_a_place_that_does_not_exist_is_blocked(office: Office, provider: Provider) -> None:
    provider.state = None
    proposal = office.approved()
    office.work()
    assert (office.done(proposal).state, provider.writes) == ("blocked", [])


def test_what_is_so_already_is_done_without_a_write(office: Office, provider: Provider) -> None:
    provider.state = dict(WANTED)
    proposal = office.approved()
    office.work()
    assert (office.done(proposal).state, provider.writes) == ("done", [])


def test_a_dry_run_never_writes(office: Office, provider: Provider) -> None:
    office.actions = office.actions.model_copy(update={"dry_run": True})
    proposal = office.approved()
    office.work()
    done = office.done(proposal)
    assert (done.state, done.dry_run, provider.writes, provider.state) == ("done", True, [], BEFORE)
    assert str(done.reason).startswith("dry run, nothing is changed")


class Robbing(Provider):
    """Another worker takes the execution while a step is under way."""

    office: Office
    at: Step

    def _lose(self, step: Step) -> None:
        if step == self.at:
            with self.office.casebook.writing() as connection:
                held = {"owner": "worker-2", "lease_until": self.office.clock() + LEASE}
                connection.execute(update(executions).values(held))

    def read(self, place: Place) -> State | None:
        self._lose("read back" if "write" in self.calls else "read")
        return Provider.read(self, place)

    def write(self, place: Place, state: State, *, before: State, idempotency_key: str) -> None:
        self._lose("write")
        Provider.write(self, place, state, before=before, idempotency_key=idempotency_key)


@pytest.mark.parametrize(("step", "writes"), [("read", 0), ("write", 1), ("read back", 1)])
def test_who_lost_the_lease_does_not_write_nor_end_it(tmp_path: Path, step: Step, writes: int) -> None:
    robbing = Robbing()
    with office_in(tmp_path, robbing) as office:
        robbing.office, robbing.at = office, step
        proposal = office.approved()
        office.work()
        assert (office.done(proposal).state, len(robbing.writes)) == ("executing", writes)
        robbing.at, office.owner = "plan", "worker-2"
        office.work(later=LEASE.total_seconds())
        assert (office.done(proposal).state, len(robbing.writes)) == ("done", 1)
