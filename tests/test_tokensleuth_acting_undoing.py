"""Undo is asked for by one allowed person, or by the end of a temporary limit, and is begun once."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.decision_builders import (
    approver,
    asked_for,
    audited,
    click,
    propose,
    rules,
    slack,
    stored,
    unix,
    web,
)
from tests.incident_documents import NOW
from tokensleuth.acting.undoing import EXPIRY, ask_undo, end_temporary
from tokensleuth.approvals import Answer
from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.executed import Execution, begin, execution_id, read_execution, take_due
from tokensleuth.casebook.schema import proposals
from tokensleuth.casebook.schema_acts import executions
from tokensleuth.people import Identity, People

BOB = web("bob")


@dataclass(frozen=True, slots=True)
class Done:
    """A proposal that was approved and carried out, as the executor leaves it."""

    casebook: Casebook
    proposal_id: str

    def undo(self, by: Identity = BOB, *, by_rules: ApprovalRules | None = None) -> Answer:
        return ask_undo(self.casebook, self.proposal_id, by, by_rules or rules(), NOW)

    def execution(self, kind: str = "undo") -> Execution | None:
        with self.casebook.reading() as connection:
            return read_execution(connection, execution_id(self.proposal_id, 1, kind))  # type: ignore[arg-type]

    def set(self, kind: str = "undo", **values: object) -> None:
        found = execution_id(self.proposal_id, 1, kind)  # type: ignore[arg-type]
        with self.casebook.writing() as connection:
            connection.execute(update(executions).where(executions.c.id == found).values(values))


def done(casebook: Casebook, action: str = "set_rate_limit", **changed: object) -> Done:
    wanted = propose(casebook, asked_for(action, **changed))
    click(casebook, wanted, web("alice"))
    asked = stored(casebook, wanted)
    with casebook.writing() as connection:
        begin(
            connection,
            asked,
            "apply",
            gateway="litellm",
            dry_run=False,
            requested_by="service:schedule",
            owner="w1",
            now=NOW,
        )
        connection.execute(update(proposals).values(state="done"))
    finished = Done(casebook, wanted)
    finished.set("apply", state="done", finished_at=NOW, wanted={"tpm_limit": 1}, before={"tpm_limit": None})
    return finished


def test_one_allowed_person_asks_and_the_executor_takes_it(casebook: Casebook) -> None:
    finished = done(casebook)
    answer = finished.undo()
    assert (answer.outcome, answer.told) == ("approved", "bob takes it back")
    with casebook.writing() as connection:
        taken = take_due(connection, "w2", NOW)
    assert taken is not None
    assert (taken.kind, taken.requested_by, taken.wanted) == ("undo", "bob", None)
    assert audited(casebook, finished.proposal_id)[-1] == "undo asked"


@pytest.mark.parametrize(
    "by", [slack("bob", team="T0OTHER"), unix("mallory"), Identity("service", "alice"), web("")], ids=str
)
def test_who_may_not_decide_may_not_undo(casebook: Casebook, by: Identity) -> None:
    finished = done(casebook)
    assert finished.undo(by).outcome == "refused"
    assert finished.execution() is None
    assert audited(casebook, finished.proposal_id)[-1] == "refused"


def test_who_may_only_tell_may_not_undo_a_limit(casebook: Casebook) -> None:
    finished = done(casebook)
    assert "may not decide" in finished.undo(by_rules=rules(approver("bob", "tell"))).told


def test_the_second_to_ask_is_told_who_asked_first(casebook: Casebook) -> None:
    finished = done(casebook)
    finished.undo()
    assert finished.undo(web("carol")).told == "bob took it back already; that is executing"
    finished.set(state="done")
    assert finished.undo(web("carol")).told == "bob took it back already; that is done"


@pytest.mark.parametrize("state", ["blocked", "failed"])
def test_an_undo_that_came_to_nothing_can_be_asked_for_again(casebook: Casebook, state: str) -> None:
    finished = done(casebook)
    finished.undo()
    finished.set(state=state, wanted={"tpm_limit": None}, tries=3, owner="w1", reason="no")
    assert finished.undo(web("carol")).outcome == "approved"
    again = finished.execution()
    assert again is not None
    assert (again.state, again.wanted, again.tries, again.requested_by) == ("executing", None, 0, "carol")


def test_an_unknown_undo_is_not_begun_again(casebook: Casebook) -> None:
    finished = done(casebook)
    finished.undo()
    finished.set(state="unknown")
    assert finished.undo().outcome == "refused"


def test_what_nobody_knows_the_outcome_of_can_be_undone(casebook: Casebook) -> None:
    finished = done(casebook)
    finished.set("apply", state="unknown")
    assert finished.undo().outcome == "approved"


@pytest.mark.parametrize("state", ["executing", "failed", "blocked"])
def test_what_was_not_done_has_nothing_to_undo(casebook: Casebook, state: str) -> None:
    finished = done(casebook)
    finished.set("apply", state=state)
    assert finished.undo().told == f"there is nothing to undo: it is {state}"


def test_a_rehearsal_has_nothing_to_undo(casebook: Casebook) -> None:
    finished = done(casebook)
    finished.set("apply", dry_run=True)
    assert finished.undo().told == "there is nothing to undo: it was a dry run"


def test_what_is_pending_or_none_has_nothing_to_undo(casebook: Casebook) -> None:
    wanted = propose(casebook)
    assert Done(casebook, wanted).undo().told == "there is nothing to undo: it is pending"
    assert Done(casebook, "prop_\x00none").undo().outcome == "refused"


@pytest.mark.parametrize("action", ["notify_owner", "fix_price"])
def test_what_was_told_cannot_be_untold(casebook: Casebook, action: str) -> None:
    assert "it cannot be undone" in done(casebook, action).undo().told


def test_a_deletion_cannot_be_undone(casebook: Casebook) -> None:
    assert "it cannot be undone" in done(casebook, "set_rate_limit", reversible=False).undo().told


def test_an_action_on_no_list_is_refused(casebook: Casebook) -> None:
    finished = done(casebook)
    with casebook.writing() as connection:
        connection.execute(update(proposals).values(action="delete_everything"))
    assert "is no known action" in finished.undo().told


def test_a_limit_ends_by_itself_at_its_instant_and_once(casebook: Casebook) -> None:
    finished = done(casebook)
    finished.set("apply", undo_at=NOW + timedelta(hours=1))
    early = end_temporary(casebook, rules(), NOW + timedelta(minutes=59, seconds=59))
    ended = [end_temporary(casebook, rules(), NOW + timedelta(hours=1)) for _ in range(2)]
    assert (early, [len(answers) for answers in ended]) == ([], [1, 0])
    assert "its time is over" in ended[0][0].told
    execution = finished.execution()
    assert execution is not None
    assert execution.requested_by == str(EXPIRY)


def test_what_a_person_took_back_does_not_end_again_by_itself(casebook: Casebook) -> None:
    finished = done(casebook)
    finished.set("apply", undo_at=NOW + timedelta(hours=1))
    finished.undo()
    assert end_temporary(casebook, rules(), NOW + timedelta(hours=2)) == []


def test_a_limit_ends_though_nobody_is_listed_any_more(casebook: Casebook) -> None:
    finished = done(casebook)
    finished.set("apply", undo_at=NOW)
    nobody = ApprovalRules(People())
    assert [answer.outcome for answer in end_temporary(casebook, nobody, NOW)] == ["approved"]
