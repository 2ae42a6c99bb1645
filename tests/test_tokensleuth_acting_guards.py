"""Each guard rail refuses something that no other does, and none refuses what is in order."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from evals.guard_rails import CASES, figures, judged
from tests.decision_builders import SMALL, approver, asked_for, rules
from tests.incident_documents import NOW
from tokensleuth.acting.action import action_in
from tokensleuth.acting.guards import GUARDS, Guard, GuardRails, Situation, refusals
from tokensleuth.casebook import JsonObject
from tokensleuth.casebook.decided import Asked, Said
from tokensleuth.casebook.payload import payload_hash
from tokensleuth.casebook.records import Touched
from tokensleuth.settings_acts import Actions


def said(name: str, ago: timedelta = timedelta(minutes=1)) -> Said:
    return Said("approve", name, f"web:{name}", None, NOW - ago)


@dataclass(frozen=True, slots=True)
class Moment:
    """A situation that is in order, to be changed in one respect."""

    action: str = "set_rate_limit"
    target: dict[str, str] = field(default_factory=lambda: {"team": "search", "key_id": "k1"})
    requested_by: str = "service:schedule"
    column: str | None = None
    said: tuple[Said, ...] = (said("alice"),)
    done_today: tuple[str, ...] = ()
    touched: Touched | None = SMALL
    spend_share: float | None = 0.01
    open: bool = True
    parameters_now: dict[str, object] | None = None
    rails: GuardRails = field(default_factory=lambda: GuardRails(rules(), Actions()))

    def why(self, guards: Sequence[Guard] | None = None) -> list[str]:
        document = asked_for(self.action, target={"gateway": "litellm", **self.target})
        situation = Situation(
            asked=self._asked(document),
            action=action_in(document),
            said=self.said,
            done_today=self.done_today,
            touched=self.touched,
            incident_is_open=self.open,
            now=NOW,
        )
        return refusals(situation, self.rails, guards)

    def _asked(self, document: JsonObject) -> Asked:
        now = document if self.parameters_now is None else document | {"parameters": self.parameters_now}
        return Asked(
            id="prop_1",
            incident_id="inc_1",
            action=self.column or self.action,
            state="executing",
            round=1,
            payload_hash=payload_hash(document, "inc_1", 1),
            requested_by=self.requested_by,
            spend_share=self.spend_share,
            owner="search",
            expires_at=NOW + timedelta(hours=1),
            document=now,
        )


def rails(*, protected: tuple[str, ...] = (), **actions: object) -> GuardRails:
    return GuardRails(rules(), Actions.model_validate(actions), protected)


TWO = (said("alice"), said("bob"))
ONLY = {
    "is_what_was_approved": Moment(parameters_now={"tokens_per_minute": 1}),
    "is_approved_by_enough": Moment(touched=Touched(0.06, "search")),
    "is_not_approved_by_its_requester": Moment(requested_by="alice"),
    "is_approved_by_people_still_listed": Moment(
        rails=GuardRails(rules(approver("bob"), approver("alice", "tell")), Actions())
    ),
    "is_approved_lately": Moment(said=(said("alice", timedelta(minutes=61)),)),
    "is_not_protected": Moment(rails=rails(protected=("k*",))),
    "has_a_target": Moment(target={"model": "gpt-4o"}),
    "is_within_revocations": Moment(action="revoke_key", said=TWO, done_today=("revoke_key",) * 3),
    "is_within_actions": Moment(done_today=("set_budget",) * 20),
    "is_about_an_open_incident": Moment(open=False),
    "has_the_same_owner": Moment(touched=Touched(0.01, "chat", frozenset({"k1"}))),
}
"""By guard: a moment that it alone refuses."""


def test_what_is_in_order_is_let_through() -> None:
    assert Moment().why() == []


def test_each_guard_has_a_moment_of_its_own() -> None:
    assert set(ONLY) == {guard.__name__ for guard in GUARDS}


@pytest.mark.parametrize("name", ONLY)
def test_only_this_guard_refuses_it_and_without_the_guard_it_passes(name: str) -> None:
    others = [guard for guard in GUARDS if guard.__name__ != name]
    assert len(ONLY[name].why()) == 1
    assert ONLY[name].why(others) == []


REFUSED = {
    "a column that is not the document's": (Moment(column="notify_owner"), "notify_owner was, not this"),
    "nobody approved": (Moment(said=()), "it takes 1 people and 0 approved"),
    "one of two": (Moment(action="revoke_key"), "it takes 2 people and 1 approved"),
    "one person twice": (
        Moment(action="revoke_key", said=(said("alice"), said("alice"))),
        "it takes 2 people and 1 approved",
    ),
    "a ledger that cannot be read": (Moment(touched=None), "it takes 2 people"),
    "a share that is no number": (Moment(touched=Touched(float("nan"), "search")), "it takes 2 people"),
    "a share unknown when it was proposed": (Moment(spend_share=None), "it takes 2 people"),
    "more than was allowed when it was proposed": (Moment(spend_share=0.5), "it takes 2 people"),
    "an approval from the future": (
        Moment(said=(said("alice", timedelta(minutes=-5, microseconds=-1)),)),
        "too far apart",
    ),
    "an approver nobody lists": (Moment(said=(said("mallory"),)), "mallory may not approve limit actions"),
    "one of two approvers gone": (Moment(said=(said("alice"), said("mallory"))), "mallory may not"),
    "a key of ours": (Moment(rails=rails(own_keys=("k1",))), "key k1 is one that tokensleuth uses"),
    "a protected key inside the team": (
        Moment(
            target={"team": "search"},
            touched=Touched(0.01, "search", frozenset({"a", "prod-1"})),
            rails=rails(protected=("prod-*",)),
        ),
        "key prod-1 is protected",
    ),
    "a team whose keys nobody can tell": (
        Moment(target={"team": "search"}, touched=None, said=TWO, rails=rails(protected=("prod-*",))),
        "nobody can tell which keys",
    ),
    "a team to be blocked": (Moment(action="block_key", target={"team": "search"}), "block_key needs a key"),
    "everybody": (Moment(target={}), "no key, team or project"),
    "no revocations at all": (
        Moment(action="revoke_key", said=TWO, rails=rails(max_revocations_per_day=0)),
        "0 is the most",
    ),
    "no actions at all": (Moment(rails=rails(max_actions_per_day=0)), "0 is the most"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name: str) -> None:
    moment, told = REFUSED[name]
    assert told in "; ".join(moment.why())


LET_THROUGH = {
    "the share that is just allowed": Moment(touched=Touched(0.05, "search")),
    "the last minute of an approval": Moment(said=(said("alice", timedelta(hours=1)),)),
    "a clock that is 5 minutes behind": Moment(said=(said("alice", timedelta(minutes=-5)),)),
    "two of two": Moment(action="revoke_key", said=TWO),
    "the third revocation": Moment(action="revoke_key", said=TWO, done_today=("revoke_key",) * 2),
    "a block after three revocations": Moment(action="block_key", done_today=("revoke_key",) * 3),
    "the twentieth action": Moment(done_today=("set_budget",) * 19),
    "another key than the protected one": Moment(rails=rails(protected=("K1", "k", "k1?"))),
    "a team nobody can look into, with nothing protected": Moment(
        target={"team": "search"}, touched=None, said=TWO
    ),
    "an owner nobody spent as lately": Moment(touched=Touched(0.0, None)),
    "telling of a protected key that is unowned": Moment(
        action="notify_owner", target={}, touched=None, rails=rails(protected=("*",))
    ),
    "telling after the day's actions": Moment(action="notify_owner", done_today=("set_budget",) * 20),
}


@pytest.mark.parametrize("name", LET_THROUGH)
def test_it_is_let_through(name: str) -> None:
    assert LET_THROUGH[name].why() == []


def test_all_reasons_are_told_at_once() -> None:
    bad = replace(ONLY["is_not_protected"], done_today=("set_budget",) * 20, touched=Touched(0.5, "chat"))
    assert len(bad.why()) == 4


def test_random_proposals_never_pass_against_the_rules() -> None:
    """A slice of `python -m evals.guard_rails`, of other cases."""
    result = judged(1_500, seed=20_061)
    assert (result.cases, result.violations, result.overblocked) == (1_500, 0, 0)
    assert all(count > 0 for count in result.let_through_without.values())
    assert all(figure.met for figure in figures(result))
    assert CASES == 10_000
