"""Faults a review of acting found: each test failed before its fault was mended."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent.measures import Measure, SetRateLimit
from agent.reach import can_execute
from agent.target import Target
from ledger.errors import RefusedError
from ledger.reader import Reader
from ledger.scope import Scope
from playbooks import load_playbooks
from tests.acting_cases import BEFORE, WANTED, Office, Provider, office_in
from tests.decision_builders import asked_for, click, propose, slack
from tests.incident_documents import NOW, incident_document
from tests.ledger_builder import Cell, LedgerBuilder, span
from tests.test_tokensleuth_acting_executor import Crashing, crashed
from tests.test_tokensleuth_acting_watching import (
    DAY,
    Ledgers,
    looked,
    refused,
)
from tokensleuth.acting.spend import touched_by
from tokensleuth.acting.watching import Watcher
from tokensleuth.casebook.feedback import Feedback, add_feedback
from tokensleuth.casebook.records import InvestigationRecord
from tokensleuth.casebook.watches import Watch
from tokensleuth.gateways.litellm_plans import planned
from tokensleuth.gateways.port import CannotError, NotSentError, RefusedCallError, State, UnsureError
from tokensleuth.settings_acts import Actions


@pytest.fixture
def provider() -> Crashing:
    return Crashing()


@pytest.fixture
def office(tmp_path: Path, provider: Crashing) -> Iterator[Office]:
    with office_in(tmp_path, provider) as made:
        yield made


def test_a_team_is_not_limited_where_only_a_project_of_it_was_approved() -> None:
    scope = Scope.parse(["team=search", "project=web"])
    measure = SetRateLimit(tokens_per_minute=100)
    assert not can_execute("litellm", measure, scope)
    with pytest.raises(CannotError):
        planned(measure, Target(gateway="litellm", scope=scope))


def test_what_was_begun_days_ago_and_never_took_effect_is_not_written_now(
    office: Office, provider: Crashing
) -> None:
    proposal = crashed(office, provider, "before write")
    office.work(later=3 * 24 * 3600)
    assert (office.state(proposal), provider.writes) == ("blocked", [])
    assert "too far apart" in str(office.done(proposal).reason)


def test_what_somebody_changed_before_anything_was_sent_is_not_called_unknown(
    office: Office, provider: Crashing
) -> None:
    proposal = office.approved()
    provider.fail("write", NotSentError("down"))
    office.work()
    provider.state = {"tpm_limit": 7}
    office.work(later=30)
    assert office.state(proposal) == "blocked"


def test_a_refusal_after_an_unsure_write_does_not_say_that_nothing_changed(
    office: Office, provider: Crashing
) -> None:
    proposal = office.approved()
    provider.fail("write", UnsureError("timeout"), RefusedCallError("409 another update is under way"))
    office.work()
    office.work(later=30)
    assert office.state(proposal) == "executing"
    provider.state = {"tpm_limit": 40_000}  # the first write came late
    office.work(later=30)
    assert office.state(proposal) == "done"


def test_a_mark_that_is_over_does_not_keep_an_incident_closed(office: Office) -> None:
    with office.casebook.writing() as connection:
        yesterday = NOW - timedelta(days=1)
        add_feedback(
            connection, Feedback("inc_1", "expected", {}, yesterday, "bob", yesterday - timedelta(days=1))
        )
    proposal = office.approved()
    office.work()
    assert office.state(proposal) == "done"


def test_the_end_of_a_limit_is_tried_again_after_the_gateway_was_away(
    office: Office, provider: Crashing
) -> None:
    proposal = office.approved()
    office.work()
    office.clock.at += timedelta(hours=25)
    provider.fail("read back", *[NotSentError("down")] * 60)
    office.tick()
    for _ in range(60):
        office.work(later=30)
    assert office.done(proposal, "undo").state == "failed"
    provider.raises.clear()
    office.clock.at += timedelta(hours=2)
    office.tick()
    office.work()
    assert (office.done(proposal, "undo").state, provider.state) == ("done", BEFORE)


def test_two_limits_on_one_key_leave_nothing_behind_when_both_are_over(
    office: Office, provider: Crashing, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = office.approved()
    office.work()
    office.clock.at += timedelta(hours=5)
    second = propose(office.casebook, asked_for("set_budget"), incident_id="inc_2", at=office.clock())
    click(office.casebook, second, slack("alice"), now=office.clock())
    monkeypatch.setitem(WANTED, "tpm_limit", 30_000)
    office.work()
    for _ in range(2):
        office.clock.at += timedelta(hours=20)
        office.tick()
        office.work()
    assert [office.done(p, "undo").state for p in (first, second)] == ["blocked", "done"]
    assert provider.state == BEFORE


def test_dry_run_that_is_switched_on_holds_what_was_begun(office: Office, provider: Crashing) -> None:
    crashed(office, provider, "before write")
    office.actions = Actions(dry_run=True)
    office.work()
    assert provider.writes == []


def test_who_approved_first_can_still_say_no(office: Office) -> None:
    proposal = propose(office.casebook, asked_for("revoke_key"))
    assert click(office.casebook, proposal, slack("alice")).outcome == "waiting"
    assert click(office.casebook, proposal, slack("alice"), "reject", reason="mistake").outcome == "rejected"


def test_a_key_of_the_team_that_was_idle_today_is_touched_too() -> None:
    built = LedgerBuilder().run(Cell(key_id="k1"), days=5).run(Cell(key_id="prod-batch"), days=2)
    touched = touched_by(built.reader(), Scope.parse(["team=search"]))
    assert touched is not None
    assert touched.keys == {"k1", "prod-batch"}


def test_the_first_of_two_approvals_is_not_kept_alive_by_renewals(office: Office) -> None:
    document = asked_for("revoke_key")
    proposal = propose(office.casebook, document)
    click(office.casebook, proposal, slack("alice"))
    for hour in range(1, 72, 3):
        at = NOW + timedelta(hours=hour)
        later = (at + timedelta(hours=4)).isoformat().replace("+00:00", "Z")
        propose(office.casebook, document | {"expires_at": later}, at=at)
    office.clock.at = at
    click(office.casebook, proposal, slack("bob"), now=at)
    office.work()
    assert office.state(proposal) != "done"


def test_a_gateway_that_starts_after_us_is_waited_for(office: Office, provider: Crashing) -> None:
    proposal = crashed(office, provider, "after write")
    provider.fail("read back", NotSentError("starting"))
    office.work(later=15 * 60)
    assert office.state(proposal) == "executing"
    office.work(later=30)
    assert office.state(proposal) == "done"


def test_a_deletion_of_what_is_not_there_does_not_say_it_was_deleted(tmp_path: Path) -> None:
    with office_in(tmp_path, NoKey({"exists": False})) as office:
        proposal = office.approved(asked_for("revoke_key"))
        click(office.casebook, proposal, slack("bob"))
        office.work()
        assert "or never was there" in str(office.done(proposal).reason)


class NoKey(Provider):
    def wanted(self, measure: Measure, before: State) -> State:  # noqa: ARG002
        return {"exists": False}


def test_what_goes_on_after_the_action_is_not_what_was_before_it(tmp_path: Path) -> None:
    ledger = Ledgers(DAY + 3)
    ledger.builder.change(span(DAY, 20, hours=12), refused)
    with office_in(tmp_path, Provider()) as office:
        office.approved()
        office.work()
        first = looked(office, ledger, hours=4).result or {}
        longer = incident_document("inc_1", proposals=[asked_for()]) | {"end_at": "2026-11-04T10:00:00Z"}
        office.casebook.save(InvestigationRecord(longer, [], NOW + timedelta(hours=14)))
        second = looked(office, ledger, hours=14).result or {}
    names = ("usd_per_hour_before", "failed_share_before")
    assert [second[name] for name in names] == [first[name] for name in names]


def test_what_ended_long_before_the_action_is_not_saved_by_it(tmp_path: Path) -> None:
    with office_in(tmp_path, Provider()) as office:
        office.clock.at = NOW + timedelta(days=2)
        office.approved(asked_for(expires_at="2026-11-06T00:00:00Z"))
        office.work()
        before = looked(office, Ledgers(DAY + 6), hours=54).result or {}
    assert float(str(before["usd_per_hour_before"])) < 0.5


def test_hours_that_are_not_over_are_not_looked_at(tmp_path: Path) -> None:
    with office_in(tmp_path, Provider()) as office:
        office.approved()
        office.work()
        assert (looked(office, Ledgers(DAY + 3), hours=2.5).result or {})["hours"] == 1


class Tripping(Watcher):
    """Cannot look at the first watch."""

    def _look_at(self, watch: Watch, reader: Reader, now: datetime) -> bool:
        if watch.plan["scope"] == {"team": "search", "key_id": "k1"}:
            raise RefusedError("no such team")
        return Watcher._look_at(self, watch, reader, now)


def test_a_watch_that_cannot_be_looked_at_does_not_keep_others_from_it(tmp_path: Path) -> None:
    with office_in(tmp_path, Provider()) as office:
        office.approved()
        target = {"gateway": "litellm", "team": "search"}
        second = propose(office.casebook, asked_for("set_budget", target=target), incident_id="inc_2")
        click(office.casebook, second, slack("alice"))
        office.work()
        later = NOW + timedelta(hours=6)
        assert Tripping(office.casebook, Ledgers(DAY + 2), load_playbooks(), lambda: later).look() == 1
