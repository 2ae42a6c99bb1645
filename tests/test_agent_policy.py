"""What may be proposed, on what, and with which effect."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from langgraph.checkpoint.memory import InMemorySaver

from agent.drafts import PolicySettings
from agent.finding import Proposal
from agent.investigation import Deps, Investigation, Subject, investigate_incident
from agent.measures import DowngradeModel, NotifyOwner, SetBudget, SetRateLimit
from agent.policy import refusal
from agent.target import Target
from ledger.scope import Scope
from playbooks import ActionName, load_playbooks
from tests.ledger_builder import Cell, Change, LedgerBuilder, at, span

DAY = span(30)
PLAYBOOKS = load_playbooks()
SETTINGS = PolicySettings(gateways={}, default_gateway="litellm", owners={"search": "anna"})


def _investigated(how: Change, *more: Cell, settings: PolicySettings = SETTINGS) -> Investigation:
    builder = LedgerBuilder().run(Cell(), days=35).run(Cell(key_id="k2", team="ads"), days=35)
    for cell in more:
        builder.run(cell, days=1, since=30)
    deps = Deps(builder.change(DAY, how).reader(), PLAYBOOKS, now=at(31), policy=settings)
    subject = Subject(incident_id="inc_1", window=DAY, explain=True)
    return investigate_incident(subject, deps, InMemorySaver())


def _unchanged(_: datetime, cell: Cell) -> Cell:
    return cell


def _storm(_: datetime, cell: Cell) -> Cell:
    stormy = replace(cell, requests=4 * cell.requests, failed=3 * cell.requests, retried=3 * cell.requests)
    return stormy if cell.key_id == "k1" else cell


def _large_storm(_: datetime, cell: Cell) -> Cell:
    stormy = replace(cell, requests=99 * cell.requests, failed=98 * cell.requests, retried=98 * cell.requests)
    return stormy if cell.key_id == "k1" else cell


def _switched(_: datetime, cell: Cell) -> Cell:
    return replace(cell, model="gpt-big") if cell.key_id == "k3" else cell


def _actions(found: Investigation) -> list[ActionName]:
    return [p.action for p in found.finding.proposals]


def _first(found: Investigation, action: ActionName) -> Proposal:
    return next(p for p in found.finding.proposals if p.action == action)


STRANGER = Cell(region="ap-south-9", client="curl/8", requests=600)


def test_a_leaked_key_is_blocked_first_and_revoked_last() -> None:
    actions = _actions(_investigated(_unchanged, STRANGER))
    assert actions[0] == "block_key"
    assert actions[-1] == "revoke_key"


def test_only_a_revocation_cannot_be_undone() -> None:
    found = _investigated(_unchanged, STRANGER)
    assert {p.action for p in found.finding.proposals if not p.reversible} == {"revoke_key"}


def test_a_rate_limit_lets_ordinary_days_pass() -> None:
    proposal = _first(_investigated(_storm), "set_rate_limit")
    assert isinstance(proposal.measure, SetRateLimit)
    assert proposal.measure.tokens_per_minute is not None
    assert 2000 < proposal.measure.tokens_per_minute < 4000
    assert proposal.expected_saving_usd_per_day is not None
    assert proposal.expected_saving_usd_per_day > 0
    assert proposal.target.as_json()["gateway"] == "litellm"


def test_a_limit_per_minute_never_refuses_a_single_request_of_rare_large_work() -> None:
    rare = Cell(requests=3, input_tokens=20_000)
    builder = LedgerBuilder().run(rare, days=35).run(Cell(key_id="k3", team="chat", requests=500), days=35)
    deps = Deps(builder.change(DAY, _large_storm).reader(), PLAYBOOKS, now=at(31), policy=SETTINGS)
    found = investigate_incident(
        Subject(incident_id="inc_1", window=DAY, explain=True), deps, InMemorySaver()
    )
    proposal = _first(found, "set_rate_limit")
    assert isinstance(proposal.measure, SetRateLimit)
    assert proposal.measure.tokens_per_minute is not None
    assert 2 * 20_200 <= proposal.measure.tokens_per_minute < 60_000
    assert "two requests" in proposal.rationale


def test_a_switched_model_is_switched_back() -> None:
    builder = LedgerBuilder().run(Cell(), days=35)
    builder.run(Cell(key_id="k3", team="chat", model="gpt-mini", requests=500), days=35)
    deps = Deps(builder.change(DAY, _switched).reader(), PLAYBOOKS, now=at(31), policy=SETTINGS)
    found = investigate_incident(
        Subject(incident_id="inc_1", window=DAY, explain=True), deps, InMemorySaver()
    )
    measure = _first(found, "downgrade_model").measure
    assert measure == DowngradeModel(from_model="gpt-big", to_model="gpt-mini")


def test_the_owner_is_told_in_words() -> None:
    measure = _first(_investigated(_storm), "notify_owner").measure
    assert isinstance(measure, NotifyOwner)
    assert measure.owner == "anna"
    assert "key k1" in measure.message


def test_proposals_expire_four_hours_from_now() -> None:
    assert {p.expires_at for p in _investigated(_storm).finding.proposals} == {at(31) + timedelta(hours=4)}


def test_every_saving_is_a_replay_in_the_evidence() -> None:
    found = _investigated(_storm)
    known = {e.id: e.tool for e in found.evidence}
    for proposal in found.finding.proposals:
        if proposal.expected_saving_usd_per_day is not None:
            assert known[proposal.evidence[0]] == "simulate"


def test_a_proposal_outside_the_playbook_or_the_evidence_is_refused() -> None:
    found = _investigated(_storm)
    proposal, storm = found.finding.proposals[0], next(p for p in PLAYBOOKS if p.cause == "retry_storm")
    foreign = Target(gateway="none", scope=Scope((("key_id", "somebody-elses"),)))
    assert refusal(proposal, storm, found.evidence) is None
    assert refusal(proposal, storm.model_copy(update={"actions": ()}), found.evidence) is not None
    assert refusal(proposal.model_copy(update={"target": foreign}), storm, found.evidence) is not None
    assert refusal(proposal.model_copy(update={"reversible": False}), storm, found.evidence) is not None


def test_no_gateway_acts_on_a_protected_key_but_people_are_told() -> None:
    protecting = replace(SETTINGS, protected_keys=("k1*",))
    assert set(_actions(_investigated(_unchanged, STRANGER, settings=protecting))) == {"notify_owner"}


def test_a_budget_is_told_in_dollars_and_cents() -> None:
    assert SetBudget(max_usd=Decimal(324), period="day").model_dump(mode="json")["max_usd"] == "324.00"


def test_a_leaked_key_is_limited_by_what_the_whole_key_usually_does() -> None:
    proposal = _first(_investigated(_unchanged, STRANGER), "set_rate_limit")
    assert proposal.target.scope.dimensions == ("team", "key_id")
