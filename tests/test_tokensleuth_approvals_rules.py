"""Who may decide what, how many it takes, and what those are told who may not."""

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from playbooks import ActionName
from tests.decision_builders import approver, asked_for, people, rules, slack, unix, web
from tests.incident_documents import NOW
from tokensleuth.approvals.rules import ApprovalRules, objection
from tokensleuth.casebook.decided import Asked, Said, Verdict
from tokensleuth.casebook.records import ProposalState
from tokensleuth.people import CLASS_OF, Identity, People

HASH = "a" * 64


def asked(action: str = "set_rate_limit", /, **changed: object) -> Asked:
    usual = Asked(
        id="prop_1",
        incident_id="inc_1",
        action=action,
        state="pending",
        round=1,
        payload_hash=HASH,
        requested_by="service:schedule",
        spend_share=0.01,
        owner="search",
        expires_at=NOW + timedelta(hours=4),
        document=asked_for(action),
    )
    return replace(usual, **changed)  # type: ignore[arg-type]


def said(name: str, verdict: Verdict = "approve") -> Said:
    return Said(verdict, name, f"web:{name}", None, NOW)


def why(
    proposal: Asked,
    by: Identity,
    *,
    verdict: Verdict = "approve",
    seen: str | None = HASH,
    before: tuple[Said, ...] = (),
    by_rules: ApprovalRules | None = None,
) -> str:
    return objection(proposal, verdict, by, seen, before, by_rules or rules(), NOW) or ""


def test_who_is_listed_may_decide() -> None:
    for by in (slack("alice"), web("alice"), unix("alice")):
        assert why(asked(), by) == ""


@pytest.mark.parametrize("action", get_args(ActionName))
def test_an_empty_list_means_nobody(action: str) -> None:
    nobody = ApprovalRules(People((), "T0HOME"))
    assert "nobody is on the list" in why(asked(action), slack("alice"), by_rules=nobody)


@pytest.mark.parametrize("action", get_args(ActionName))
def test_each_class_of_actions_is_trusted_apart(action: ActionName) -> None:
    trusted = rules(approver("alice", CLASS_OF[action]))
    assert why(asked(action), web("alice"), by_rules=trusted) == ""
    others = [kind for kind in ("limit", "block", "revoke", "tell") if kind != CLASS_OF[action]]
    distrusted = rules(approver("alice", *others), approver("bob", CLASS_OF[action]))  # type: ignore[arg-type]
    assert "those who may are bob" in why(asked(action), web("alice"), by_rules=distrusted)


@pytest.mark.parametrize(
    "stranger",
    [
        Identity("slack", "T0OTHER/U0ALICE"),
        Identity("slack", "U0ALICE"),
        Identity("slack", "T0HOME/B0BOT"),
        Identity("slack", "T0HOME/u0alice"),
        Identity("slack", "T0HOME/alice"),
        Identity("web", "U0ALICE"),
        Identity("web", "unix-alice"),
        Identity("os", "alice"),
        Identity("os", "root"),
        Identity("service", "alice"),
        Identity("service", "expiry"),
    ],
    ids=str,
)
def test_a_stranger_a_bot_and_the_service_may_not(stranger: Identity) -> None:
    assert "may not decide" in why(asked(), stranger)
    assert "may not decide" in why(asked(), stranger, verdict="reject")


def test_without_a_home_workspace_no_click_in_slack_counts() -> None:
    homeless = ApprovalRules(People(people().approvers, None))
    for name in ("None/U0ALICE", "/U0ALICE", "T0HOME/U0ALICE"):
        assert "may not decide" in why(asked(), Identity("slack", name), by_rules=homeless)


def test_who_has_no_token_is_not_known_in_the_web() -> None:
    tokenless = rules(approver("alice").model_copy(update={"web_token_sha256": None}))
    assert "may not decide" in why(asked(), web("alice"), by_rules=tokenless)


def test_who_asked_cannot_approve_however_they_come_in_but_may_reject() -> None:
    mine = asked(requested_by="alice")
    for by in (slack("alice"), web("alice"), unix("alice")):
        assert "somebody else must approve it" in why(mine, by)
        assert why(mine, by, verdict="reject") == ""


@pytest.mark.parametrize("seen", [None, "", HASH[:-1], HASH[:8], HASH + "a", HASH.upper(), "b" * 64])
def test_another_hash_than_the_stored_one_refuses(seen: str | None) -> None:
    for verdict in get_args(Verdict):
        assert "it has changed since it was shown" in why(asked(), web("alice"), seen=seen, verdict=verdict)


def test_it_expires_exactly_at_the_second() -> None:
    assert "it expired at" in why(asked(expires_at=NOW), web("alice"))
    assert why(asked(expires_at=NOW + timedelta(microseconds=1)), web("alice")) == ""


@pytest.mark.parametrize("state", get_args(ProposalState))
def test_only_what_is_pending_can_be_decided(state: ProposalState) -> None:
    assert (why(asked(state=state), web("alice")) == "") is (state == "pending")


def test_the_loser_is_told_who_decided_and_not_who_said_the_opposite() -> None:
    rejected = why(asked(state="rejected"), web("carol"), before=(said("alice"), said("bob", "reject")))
    assert rejected == "bob rejected it already"
    approved = why(asked(state="done"), web("carol"), before=(said("alice"), said("bob")))
    assert approved == "alice and bob approved it already; it is done"


def test_a_double_click_is_told_what_it_waits_for() -> None:
    told = why(asked(), slack("alice"), before=(said("alice"),))
    assert told == "alice approved it already; it waits for a second person"


@pytest.mark.parametrize("action", ["delete_everything", "", "SET_RATE_LIMIT"])
def test_an_action_on_no_list_is_refused_in_words(action: str) -> None:
    told = why(replace(asked(), action=action), web("alice"))
    assert "is no known action" in told


@pytest.mark.parametrize(
    ("action", "changed", "needed"),
    [
        ("set_rate_limit", {}, 1),
        ("set_rate_limit", {"spend_share": 0.05}, 1),
        ("set_rate_limit", {"spend_share": 0.0500001}, 2),
        ("set_rate_limit", {"spend_share": None}, 2),
        ("set_rate_limit", {"spend_share": float("nan")}, 2),
        ("set_rate_limit", {"document": asked_for(reversible=False)}, 2),
        ("set_rate_limit", {"document": asked_for(reversible="true")}, 2),
        ("block_key", {}, 1),
        ("revoke_key", {}, 2),
        ("revoke_key", {"document": asked_for("revoke_key", reversible=True)}, 2),
        ("notify_owner", {"spend_share": None}, 1),
        ("mark_expected", {"spend_share": 1.0}, 1),
    ],
)
def test_two_people_for_what_cannot_be_undone_or_touches_much(
    action: str, changed: dict[str, object], needed: int
) -> None:
    assert rules().people_needed(asked(action, **changed)) == needed
