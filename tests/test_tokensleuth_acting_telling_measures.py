"""Measures that no gateway executes: what they come to, written with the end of their execution."""

import pytest
from sqlalchemy import select

from tests.decision_builders import FixedSpend, asked_for, audited, click, propose, rules, stored, web
from tests.incident_documents import NOW
from tokensleuth.acting.executor import Executor
from tokensleuth.acting.guards import GuardRails
from tokensleuth.acting.undoing import ask_undo
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.executed import execution_id, read_execution
from tokensleuth.casebook.feedback import expected_at, feedback_of
from tokensleuth.casebook.queues import waiting_letters
from tokensleuth.casebook.schema_acts import watches
from tokensleuth.settings_acts import Actions, Route

NOWHERE = {"gateway": "none", "team": "search", "key_id": "k1"}


def executor(casebook: Casebook, *routes: Route, channel: str | None = "C0MAIN") -> Executor:
    """In dry run, which telling does not heed, and with a ledger nobody can read."""
    rails = GuardRails(rules(), Actions(dry_run=True, max_actions_per_day=0))
    return Executor(casebook, {}, rails, FixedSpend(None), "w1", lambda: NOW, routes, channel)


def told(casebook: Casebook, action: str, *routes: Route, channel: str | None = "C0MAIN") -> str:
    """Approve and carry it out; gives what the execution says."""
    wanted = propose(casebook, asked_for(action, target=NOWHERE), touched=None)
    assert click(casebook, wanted, web("alice")).outcome == "approved"
    worker = executor(casebook, *routes, channel=channel)
    assert [worker.run_one(), worker.run_one()] == [True, False]
    with casebook.reading() as connection:
        execution = read_execution(connection, execution_id(wanted, 1, "apply"))
        assert connection.execute(select(watches)).first() is None
    assert execution is not None
    assert (execution.state, execution.dry_run, stored(casebook, wanted).state) == ("done", False, "done")
    return str(execution.reason)


def notices(casebook: Casebook) -> list[tuple[str, object]]:
    with casebook.reading() as connection:
        found = [letter for letter in waiting_letters(connection) if letter["kind"] == "notice"]
    return [(letter["lane"], letter["letter"]["message"]) for letter in found]


def test_an_owner_is_told_in_every_channel_of_theirs_once(casebook: Casebook) -> None:
    routes = [
        Route(channel="C0SEARCH", owner="search-*"),
        Route(channel="C0ONCALL", owner="*-oncall"),
        Route(channel="C0SEARCH", owner="search-oncall"),
        Route(channel="C0CHAT", owner="chat"),
        Route(channel="C0ALL"),
    ]
    assert (
        told(casebook, "notify_owner", *routes)
        == "the message to search-oncall goes to C0SEARCH and C0ONCALL"
    )
    message = "Key k1 retries without a pause."
    assert notices(casebook) == [("slack:C0SEARCH", message), ("slack:C0ONCALL", message)]


def test_an_owner_no_route_names_is_told_in_the_usual_channel(casebook: Casebook) -> None:
    assert "goes to C0MAIN" in told(casebook, "notify_owner", Route(channel="C0CHAT", owner="chat"))
    assert [lane for lane, _ in notices(casebook)] == ["slack:C0MAIN"]


def test_without_slack_it_is_said_that_nobody_was_told(casebook: Casebook) -> None:
    assert "goes to nowhere" in told(casebook, "notify_owner", channel=None)
    assert notices(casebook) == []


def test_a_scope_is_marked_as_expected_by_who_approved_it(casebook: Casebook) -> None:
    assert "is not alerted of until 2026-11-05 00:00 UTC" in told(casebook, "mark_expected")
    with casebook.reading() as connection:
        marks = expected_at(connection, NOW)
    assert [(m.given_by, m.scope) for m in marks] == [("alice", {"team": "search", "key_id": "k1"})]


def test_a_mark_is_taken_back_by_its_undo(casebook: Casebook) -> None:
    told(casebook, "mark_expected")
    assert ask_undo(casebook, "prop_mark_expected", web("bob"), rules(), NOW).outcome == "approved"
    assert executor(casebook).run_one()
    with casebook.reading() as connection:
        assert expected_at(connection, NOW) == []
        assert [given.verdict for given in feedback_of(connection, "inc_1")] == ["real", "expected"]


def test_a_price_is_only_noted(casebook: Casebook) -> None:
    assert "add an alias or a price of gpt-x" in told(casebook, "fix_price")
    assert notices(casebook) == []


@pytest.mark.parametrize("action", ["notify_owner", "mark_expected", "fix_price"])
def test_telling_is_audited_as_an_execution(casebook: Casebook, action: str) -> None:
    told(casebook, action)
    assert audited(casebook, execution_id(f"prop_{action}", 1, "apply")) == ["apply done"]
