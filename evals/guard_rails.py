"""Random proposals against the guard rails, judged by an oracle that states the rules in its own way.

    python -m evals.guard_rails [--cases 10000] [--seed 6]

prints one line of JSON. A violation is an action that the guards let through and the rules forbid; with any
one guard taken out there must be some, else that guard guards nothing.
"""

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from agent.target import Target
from evals.results import Figure
from ledger.scope import Dimension, Scope
from playbooks import ActionName
from tokensleuth.acting.action import Action, action_in
from tokensleuth.acting.guards import GUARDS, GuardRails, Situation, refusals
from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.casebook.decided import Asked, Said
from tokensleuth.casebook.payload import payload_hash
from tokensleuth.casebook.records import JsonObject, Touched
from tokensleuth.people import ActionClass, Approver, People
from tokensleuth.settings_acts import Actions

CASES, SEED = 10_000, 6
NOW = datetime(2026, 11, 3, 20, 5, tzinfo=UTC)
PARAMETERS: dict[ActionName, JsonObject] = {
    "set_rate_limit": {"tokens_per_minute": 40_000},
    "set_budget": {"max_usd": "50.00", "period": "day"},
    "downgrade_model": {"from_model": "gpt-4o", "to_model": "gpt-4o-mini"},
    "block_key": {},
    "revoke_key": {},
    "fix_price": {"model": "gpt-x", "reason": "unpriced"},
    "notify_owner": {"owner": "search-oncall", "message": "look"},
    "mark_expected": {"until": "2026-11-05T00:00:00Z"},
}
TRUST: dict[str, ActionClass] = {
    "set_rate_limit": "limit", "set_budget": "limit", "downgrade_model": "limit", "block_key": "block",
    "revoke_key": "revoke", "fix_price": "tell", "notify_owner": "tell", "mark_expected": "tell",
}  # fmt: skip
KEYS = ("k1", "k22", "prod-7", "prod-live", "sleuth-own", "a[b")
GLOBS = ("k1", "k?", "prod-*", "*-live", "*own", "zz*", "a[[]b", "K1")
FITTING: dict[str, tuple[str, ...]] = {
    "k1": ("k1",), "k?": ("k1",), "prod-*": ("prod-7", "prod-live"), "*-live": ("prod-live",),
    "*own": ("sleuth-own",), "zz*": (), "a[[]b": ("a[b",), "K1": (),
}  # fmt: skip
"""Which of the keys each glob means, written down by hand."""
NAMES = ("alice", "bob", "carol", "dave")


@dataclass(frozen=True, slots=True)
class Case:
    """One moment before an action, in plain values."""

    action: ActionName
    scope: dict[Dimension, str]
    tampered: str
    """`no`, or which part was changed after the approvals: `document`, `action`, `hash`."""
    reversible: bool
    share_then: float | None
    share_now: float | None
    """None: the ledger cannot be read now."""
    owner_then: str | None
    owner_now: str | None
    keys_now: tuple[str, ...]
    words: tuple[tuple[str, str, float], ...]
    """Name, verdict, minutes ago."""
    requester: str
    trusted: dict[str, tuple[ActionClass, ...]]
    done_today: tuple[str, ...]
    is_open: bool
    most_share: float
    most_revoked: int
    most_actions: int
    approved_hours: int
    protected: tuple[str, ...]
    own: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of all cases."""

    cases: int
    allowed: int
    violations: int
    overblocked: int
    """Refused though no rule forbids it."""
    let_through_without: dict[str, int]
    """By guard that was taken out: the forbidden actions that then pass."""


def forbidden(case: Case) -> bool:
    """The rules once more, from the plain values alone."""
    approvals = [(name, ago) for name, verdict, ago in case.words if verdict == "approve"]
    trust = TRUST[case.action]
    if case.tampered != "no" or not approvals:
        return True
    if any(name == case.requester or trust not in case.trusted.get(name, ()) for name, _ in approvals):
        return True
    youngest = min(ago for _, ago in approvals)
    if youngest > 60 * case.approved_hours or youngest < -5:
        return True
    return trust != "tell" and (
        len({name for name, _ in approvals}) < _people(case)
        or _beyond_the_day(case)
        or not case.is_open
        or _wrong_target(case)
        or _taboo(case)
    )


def _people(case: Case) -> int:
    certain = case.action != "revoke_key" and case.reversible
    small = all(share is not None and share <= case.most_share for share in (case.share_then, case.share_now))
    return 1 if certain and small else 2


def _beyond_the_day(case: Case) -> bool:
    revoked = case.done_today.count("revoke_key")
    too_many = case.action == "revoke_key" and not revoked < case.most_revoked
    return too_many or not len(case.done_today) < case.most_actions


def _wrong_target(case: Case) -> bool:
    alone = case.action in ("block_key", "revoke_key")
    named = {"key_id"} if alone else {"key_id", "team", "project"}
    passed_on = case.share_now is not None and case.owner_then and case.owner_now
    return named.isdisjoint(case.scope) or bool(passed_on and case.owner_then != case.owner_now)


def _taboo(case: Case) -> bool:
    taboo = {key for glob in (*case.protected, *case.own) for key in FITTING[glob]}
    if "key_id" in case.scope:
        return case.scope["key_id"] in taboo
    if case.share_now is None:
        return bool(case.protected or case.own)
    return not taboo.isdisjoint(case.keys_now)


def random_case(chance: random.Random) -> Case:
    """Mostly what may be done, each rule broken or just kept now and then."""

    def rarely(usual: object, *rare: object) -> object:
        return usual if chance.random() < 0.9 else chance.choice(rare)

    action = chance.choice(tuple(PARAMETERS))
    most_share, hours = chance.choice((0.0, 0.05, 0.2)), chance.choice((1, 4))
    approvers = chance.sample(NAMES, chance.choice((1, 2, 2, 2, 3)))
    soonest = rarely(3.0, 60.0 * hours, 60.0 * hours + 0.1, -5.0, -5.1, 600.0)
    words = [(name, "approve", float(str(soonest)) + 7 * place) for place, name in enumerate(approvers)]
    words += [("erin", "reject", 1.0)] if chance.random() < 0.05 else []
    shares = (0.0, most_share / 2, most_share, most_share + 1e-9, 0.9, None)
    owner = chance.choice(("search", "chat", None))
    trusted = {n: tuple(set(TRUST.values()) - {rarely(None, TRUST[action])}) for n in NAMES}
    return Case(
        action=action,
        scope=chance.choice(_scopes(chance)),
        tampered=str(rarely("no", "document", "action", "hash")),
        reversible=chance.random() < 0.8,
        share_then=chance.choice(shares),
        share_now=chance.choice(shares),
        owner_then=owner,
        owner_now=rarely(owner, "other", None),  # type: ignore[arg-type]
        keys_now=tuple(chance.sample(KEYS, chance.randrange(3))),
        words=tuple(words) if chance.random() < 0.97 else (),
        requester=str(rarely("service:schedule", *NAMES)),
        trusted={name: kinds for name, kinds in trusted.items() if chance.random() < 0.97},
        done_today=tuple(chance.choices(("revoke_key", "block_key"), k=chance.randrange(5))),
        is_open=chance.random() < 0.95,
        most_share=most_share,
        most_revoked=chance.choice((0, 1, 3, 5)),
        most_actions=chance.choice((0, 3, 20, 20, 20)),
        approved_hours=hours,
        protected=tuple(chance.sample(GLOBS, chance.choice((0, 0, 1, 2)))),
        own=tuple(chance.sample(GLOBS, chance.choice((0, 0, 0, 1)))),
    )


def _scopes(chance: random.Random) -> Sequence[dict[Dimension, str]]:
    key = chance.choice(KEYS)
    return (
        {"key_id": key}, {"key_id": key, "team": "search"}, {"key_id": key, "model": "gpt-4o"},
        {"team": "search"}, {"project": "p1"}, {"model": "gpt-4o"}, {},
    )  # fmt: skip


def situation_of(case: Case) -> tuple[Situation, GuardRails]:
    """The same moment as the product sees it."""
    document: JsonObject = {
        "id": "prop_1",
        "action": case.action,
        "target": {"gateway": "litellm", **{str(name): value for name, value in case.scope.items()}},
        "parameters": PARAMETERS[case.action],
        "reversible": case.reversible,
    }
    action, digest = action_in(document), payload_hash(document, "inc_1", 1)
    column: str = case.action
    match case.tampered:
        case "document":
            document = document | {"parameters": {"tokens_per_minute": 1}}
        case "hash":
            digest = digest[::-1]
        case "action":
            column = "block_key" if case.action != "block_key" else "set_budget"
    asked = Asked(
        "prop_1", "inc_1", column, "executing", 1, digest, case.requester, case.share_then, case.owner_then,
        NOW + timedelta(hours=2), document,
    )  # fmt: skip
    return _situation(case, asked, action), _rails(case)


def _situation(case: Case, asked: Asked, action: Action) -> Situation:
    said = [
        Said(verdict, name, f"web:{name}", None, NOW - timedelta(minutes=ago))  # type: ignore[arg-type]
        for name, verdict, ago in case.words
    ]
    known = case.share_now is not None
    touched = Touched(case.share_now or 0.0, case.owner_now, frozenset(case.keys_now)) if known else None
    target = Target(gateway="litellm", scope=Scope.of(case.scope))
    action = Action(action.measure, target)
    return Situation(asked, action, said, case.done_today, touched, case.is_open or action.is_told, NOW)


def _rails(case: Case) -> GuardRails:
    approvers = tuple(Approver(name=name, may=kinds) for name, kinds in case.trusted.items())
    actions = Actions(
        max_revocations_per_day=case.most_revoked,
        max_actions_per_day=case.most_actions,
        max_spend_share=case.most_share,
        approved_hours=case.approved_hours,
        own_keys=case.own,
    )
    return GuardRails(ApprovalRules(People(approvers), case.most_share), actions, case.protected)


def judged(count: int = CASES, seed: int = SEED) -> Judged:
    """Every case through all guards, and through all but one."""
    allowed = violations = overblocked = 0
    without = {guard.__name__: 0 for guard in GUARDS}
    for case in random_cases(count, seed):
        refused = {guard.__name__ for guard in GUARDS if refusals(*situation_of(case), (guard,))}
        allowed += not refused
        violations += not refused and forbidden(case)
        overblocked += bool(refused) and not forbidden(case)
        if forbidden(case) and len(refused) == 1:
            without[refused.pop()] += 1
    return Judged(count, allowed, violations, overblocked, without)


def random_cases(count: int, seed: int) -> Iterator[Case]:
    chance = random.Random(seed)  # noqa: S311  # of test cases
    return (random_case(chance) for _ in range(count))


def figures(result: Judged) -> tuple[Figure, ...]:
    """For RESULTS.md."""
    weakest = min(result.let_through_without.values())
    name = f"actions let through against the rules, of {result.cases:,} random proposals"
    unneeded = "guards without which nothing more is let through"
    idle = sum(count == 0 for count in result.let_through_without.values())
    return (
        Figure(name, result.violations, "", "0", result.violations == 0),
        Figure("refused though no rule forbids it", result.overblocked, "", "0", result.overblocked == 0),
        Figure(unneeded, idle, "", "0", weakest > 0),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.guard_rails", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    result = judged(given.cases, given.seed)
    print(json.dumps(asdict(result)))
    return 0 if all(figure.met for figure in figures(result)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
