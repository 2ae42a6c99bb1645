"""What an investigation proposes is opened in rounds; what people decided is never written over."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.decision_builders import asked_for, audited, click, propose, stored, web
from tests.incident_documents import NOW, START, incident_document
from tokensleuth.casebook import Casebook, InvestigationRecord
from tokensleuth.casebook.decided import words_of
from tokensleuth.casebook.executed import begin
from tokensleuth.casebook.payload import payload_hash
from tokensleuth.casebook.proposing import REOPENABLE
from tokensleuth.casebook.records import ProposalState
from tokensleuth.casebook.schema import proposals

EXPIRES = START + timedelta(days=1)


def set_state(casebook: Casebook, state: ProposalState) -> None:
    with casebook.writing() as connection:
        connection.execute(update(proposals).values(state=state))


def test_a_new_proposal_is_pending_in_its_first_round(casebook: Casebook) -> None:
    asked = stored(casebook, propose(casebook, requested_by="alice"))
    assert (asked.state, asked.round, asked.requested_by) == ("pending", 1, "alice")
    assert (asked.spend_share, asked.owner) == (0.01, "search")
    assert asked.payload_hash == payload_hash(asked.document, "inc_1", 1)
    assert audited(casebook) == ["proposed"]


def test_the_same_again_stays_in_its_round_and_is_not_audited_again(casebook: Casebook) -> None:
    first = stored(casebook, propose(casebook))
    later = asked_for(rationale="In other words.", expires_at="2026-11-05T00:00:00Z")
    second = stored(casebook, propose(casebook, later, requested_by="alice", at=NOW + timedelta(hours=1)))
    assert (second.round, second.payload_hash) == (1, first.payload_hash)
    assert (second.requested_by, second.document["rationale"]) == ("service:schedule", "In other words.")
    assert second.expires_at > first.expires_at
    assert audited(casebook) == ["proposed"]


@pytest.mark.parametrize(
    "changed",
    [
        {"parameters": {"tokens_per_minute": 1}},
        {"target": {"gateway": "webhook", "team": "search", "key_id": "k1"}},
        {"target": {"gateway": "litellm", "team": "search", "key_id": "k2"}},
        {"reversible": False},
    ],
    ids=str,
)
def test_anything_that_is_carried_out_differently_is_a_new_round(
    casebook: Casebook, changed: dict[str, object]
) -> None:
    first = stored(casebook, propose(casebook, touched=None))
    click(casebook, first.id, web("alice"))
    second = stored(casebook, propose(casebook, asked_for(**changed), requested_by="bob"))
    assert (second.round, second.state, second.requested_by) == (2, "pending", "bob")
    assert second.payload_hash != first.payload_hash
    with casebook.reading() as connection:
        assert [len(words_of(connection, first.id, number)) for number in (1, 2)] == [1, 0]


@pytest.mark.parametrize("state", REOPENABLE)
def test_what_is_void_is_opened_anew_in_the_next_round(casebook: Casebook, state: ProposalState) -> None:
    propose(casebook)
    set_state(casebook, state)
    asked = stored(casebook, propose(casebook, at=EXPIRES))
    assert (asked.state, asked.round) == ("pending", 2)
    assert audited(casebook, asked.id) == ["proposed", "proposed"]


@pytest.mark.parametrize("state", ["approved", "rejected", "executing", "done", "unknown"])
def test_what_people_decided_is_left_alone(casebook: Casebook, state: ProposalState) -> None:
    first = stored(casebook, propose(casebook))
    set_state(casebook, state)
    second = stored(casebook, propose(casebook, asked_for(parameters={"tokens_per_minute": 1})))
    assert (second.state, second.round, second.document) == (state, 1, first.document)
    propose(casebook, asked_for("block_key"))
    assert stored(casebook, first.id).state == state


@pytest.mark.parametrize("state", ["failed", "blocked"])
def test_what_came_to_nothing_at_a_gateway_is_asked_again(casebook: Casebook, state: ProposalState) -> None:
    propose(casebook)
    set_state(casebook, state)
    again = stored(casebook, propose(casebook))
    assert (again.state, again.round) == ("pending", 2)


def test_what_no_gateway_executes_is_not_asked_again(casebook: Casebook) -> None:
    by_hand = asked_for(gateway="none")
    propose(casebook, by_hand)
    set_state(casebook, "blocked")
    assert stored(casebook, propose(casebook, by_hand)).state == "blocked"


def test_what_is_not_proposed_any_more_is_superseded_once(casebook: Casebook) -> None:
    first = propose(casebook)
    for _ in range(2):
        propose(casebook, asked_for("block_key"))
    assert stored(casebook, first).state == "superseded"
    assert audited(casebook, first) == ["proposed", "superseded"]


def test_proposals_of_other_incidents_are_left_alone(casebook: Casebook) -> None:
    first = propose(casebook)
    propose(casebook, asked_for("block_key"), incident_id="inc_2")
    assert stored(casebook, first).state == "pending"


@pytest.mark.parametrize(
    ("reopen", "dry_run", "state"),
    [(True, True, "pending"), (True, False, "done"), (False, True, "done")],
)
def test_only_what_was_rehearsed_is_put_up_again_once_things_are_done_for_real(
    casebook: Casebook, reopen: bool, dry_run: bool, state: ProposalState
) -> None:
    asked, rehearsed = stored(casebook, propose(casebook)), {"dry_run": dry_run, "requested_by": "x"}
    with casebook.writing() as connection:
        begin(connection, asked, "apply", gateway="litellm", owner=None, now=NOW, **rehearsed)  # type: ignore[arg-type]
    set_state(casebook, "done")
    incident = incident_document(proposals=[asked_for()])
    casebook.save(InvestigationRecord(incident, [], NOW, reopen_rehearsed=reopen))
    assert stored(casebook, asked.id).state == state
