"""Limits that end by themselves are asked for again while the incident goes on, and are never left behind."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.acting_cases import BEFORE, WANTED, Office, Provider, office_in
from tests.decision_builders import asked_for, propose, stored
from tokensleuth.gateways.port import UnsureError
from tokensleuth.settings_acts import Actions

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


def test_a_limit_that_ended_by_itself_is_put_up_for_decision_again(
    office: Office, provider: Provider, done: str
) -> None:
    office.work(later=DAY_S)
    office.tick()
    office.work()
    assert provider.state == BEFORE
    propose(office.casebook, asked_for(), at=office.clock())
    again = stored(office.casebook, done)
    assert (again.state, again.round) == ("pending", 2)


def test_the_limit_of_a_second_round_ends_too(office: Office, provider: Provider, done: str) -> None:
    office.work(later=DAY_S)
    office.tick()
    office.work()
    assert office.approved(asked_for(expires_at="2026-11-30T00:00:00Z")) == done
    office.work()
    assert provider.state == WANTED
    office.work(later=DAY_S)
    assert [answer.outcome for answer in office.tick()] == ["approved"]
    office.work()
    assert provider.state == BEFORE


def test_a_limit_that_a_person_took_back_is_not_proposed_again(office: Office, done: str) -> None:
    office.undo(done)
    office.work()
    propose(office.casebook, asked_for(), at=office.clock())
    assert stored(office.casebook, done).state == "done"


def test_in_a_dry_run_nothing_is_taken_back(office: Office, provider: Provider, done: str) -> None:
    office.undo(done)
    rehearsing = replace(office, actions=Actions(dry_run=True))
    rehearsing.work()
    assert provider.state == WANTED
    undo = office.done(done, "undo")
    assert (undo.state, "dry_run is on" in str(undo.reason)) == ("failed", True)
    assert office.undo(done).outcome == "approved"
    office.work()
    assert provider.state == BEFORE


def test_a_limit_of_unknown_outcome_ends_as_well(office: Office, provider: Provider) -> None:
    provider.fail("write", UnsureError("reset"), applies=True)
    proposal = office.approved()
    office.work()
    provider.raises["read back"] = provider.raises["read"] = provider.raises["write"]
    provider.state = {"tpm_limit": 7}
    office.work(later=30)
    assert office.done(proposal).state == "unknown"
    provider.state = dict(WANTED)
    office.work(later=DAY_S)
    assert [answer.outcome for answer in office.tick()] == ["approved"]
    office.work()
    assert provider.state == BEFORE


def test_a_second_undo_is_not_taken_for_the_first_by_its_key(
    office: Office, provider: Provider, done: str
) -> None:
    provider.state = {"tpm_limit": 9}
    office.undo(done)
    office.work()
    provider.state = dict(WANTED)
    assert office.undo(done).outcome == "approved"
    office.work()
    undo = office.done(done, "undo")
    assert provider.writes[-1] == (BEFORE, f"{undo.id}-2")
