"""Drafts of measures for a culprit: parameters and targets taken from the evidence."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil, floor, log10

from agent.evidence import Evidence
from agent.finding import Culprit, Finding
from agent.measures import (
    BlockKey,
    DowngradeModel,
    FixPrice,
    Gateway,
    MarkExpected,
    Measure,
    NotifyOwner,
    RevokeKey,
    SetBudget,
    SetRateLimit,
)
from agent.reach import limitable, limited_model
from agent.rendering import named_scope
from ledger.scope import UNALLOCATED, Scope
from playbooks import ActionName, Playbook
from tools.simulate import Measure as Replayed

HEADROOM = 1.2
"""Limits and budgets lie this much above the usual peak, so that an ordinary day is not refused."""
_LEAST_REQUESTS = 2
"""A limit per minute below that would refuse single requests of rare work that is large."""
QUIET: frozenset[ActionName] = frozenset({"notify_owner", "mark_expected"})
"""What may be proposed when the verdict is `benign`."""


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """What the operator decides about proposals."""

    gateways: Mapping[str, Gateway] = field(default_factory=dict)
    """By provider: what can execute a measure there."""
    default_gateway: Gateway = "none"
    owners: Mapping[str, str] = field(default_factory=dict)
    """By team: whom to tell; a team without an entry is told under its own name."""
    fallback_owner: str = "finops"
    proposal_hours: int = 4
    expected_days: int = 7
    protected_keys: tuple[str, ...] = ()
    """Globs of key ids no gateway may act on."""
    may_act: bool = True
    """False where the change is too small to touch anybody's key for: people are told, nothing more."""

    def gateway_of(self, scope: Scope) -> Gateway:
        """By the provider of a scope, else the one for all."""
        return self.gateways.get(scope.as_dict().get("provider", ""), self.default_gateway)


@dataclass(frozen=True, slots=True)
class Case:
    """One culprit and what is known about it."""

    finding: Finding
    culprit: Culprit
    playbook: Playbook
    evidence: Sequence[Evidence]
    settings: PolicySettings
    now: datetime
    place: Scope
    """The culprit's scope, with its project where a gateway limits projects and it is one."""

    @property
    def gateway(self) -> Gateway:
        """What can execute measures on the culprit."""
        return self.settings.gateway_of(self.culprit.scope)


@dataclass(frozen=True, slots=True)
class Draft:
    """A measure, its target, and the replay that says what it does."""

    measure: Measure
    scope: Scope
    rationale: str
    replay: Replayed | None = None


def drafts_for(case: Case) -> Iterator[Draft]:
    """A draft for every action the playbook allows and the evidence has a target for."""
    allowed = case.playbook.actions
    if case.culprit.verdict == "benign":
        allowed = tuple(a for a in allowed if a in QUIET)
    for action in allowed:
        draft = _DRAFTERS[action](case)
        if draft is not None:
            yield draft


def _draft_rate_limit(case: Case) -> Draft | None:
    """Just above the usual peak hour, where the window went beyond it."""
    scope, usual = limitable(case.place, case.gateway), _fact(case, "usual_peak_tokens_per_hour")
    peak = _fact(case, "peak_tokens_per_hour")
    if scope is None or not usual or not peak or peak <= HEADROOM * usual:
        return None
    a_minute, at_least = HEADROOM * usual / 60, _LEAST_REQUESTS * _usual_request(case, usual)
    limit = _rounded_up(max(a_minute, at_least))
    text = "a fifth above the busiest hour of the 7 days before: ordinary days pass"
    if at_least > a_minute:
        text = "room for two requests of the usual size a minute: a busy hour of the week before has fewer"
    measure = SetRateLimit(tokens_per_minute=limit, model=limited_model(scope, case.gateway))
    return Draft(measure, scope, text, Replayed(tokens_per_minute=limit))


def _usual_request(case: Case, usual_tokens: float) -> float:
    """Tokens of a request in the busiest hour; 0 where requests are not known."""
    requests = _fact(case, "usual_peak_requests_per_hour")
    return usual_tokens / requests if requests else 0.0


def _draft_budget(case: Case) -> Draft | None:
    """A fifth above the busiest day of the week before."""
    scope, usual = limitable(case.place, case.gateway), _fact(case, "usual_busiest_day_usd")
    if scope is None or not usual:
        return None
    budget = ceil(HEADROOM * usual)
    text = "a fifth above the most expensive of the 7 days before"
    measure = SetBudget(max_usd=Decimal(budget), period="day")
    return Draft(measure, scope, text, Replayed(max_usd_per_day=Decimal(budget)))


def _draft_downgrade(case: Case) -> Draft | None:
    """Back to the model the work came from, where that is cheaper."""
    moved = _about(case, "mix", dimension="model")
    if moved is None or not moved.number("moved_share"):
        return None
    old, new = str(moved.facts["from_value"]), str(moved.facts["to_value"])
    times = (moved.number("price_ratio") or 1.0) * (moved.number("switched_length_ratio") or 1.0)
    if times <= 1.02:
        return None
    scope = case.culprit.scope.with_value("model", new)
    text = f"the same work ran on {old} before, at {1 / times:.0%} of the cost"
    return Draft(DowngradeModel(from_model=new, to_model=old), scope, text, Replayed(price_ratio=1 / times))


def _draft_block(case: Case) -> Draft | None:
    scope = _key(case)
    text = "stops all use of the key at once; quickly undone when the owner objects"
    return Draft(BlockKey(), scope, text, Replayed(block=True)) if scope else None


def _draft_revoke(case: Case) -> Draft | None:
    scope = _key(case)
    text = "once the owner has confirmed the leak: the key can never be used again"
    return Draft(RevokeKey(), scope, text, Replayed(block=True)) if scope else None


def _draft_fix_price(case: Case) -> Draft | None:
    priced = _about(case, "price_changes")
    if priced is None:
        return None
    if models := priced.facts.get("unpriced_models"):
        model = str(models).split(", ")[0]
        return Draft(
            FixPrice(model=model, reason="no price in the book for this model"),
            case.culprit.scope,
            "add an alias or a price, then reprice",
        )
    return None


def _draft_notice(case: Case) -> Draft:
    owner = _owner(case)
    message = case.playbook.owner_text.format(
        scope=named_scope(case.culprit.scope), delta_usd=case.culprit.delta_usd, window=case.finding.window
    )
    return Draft(
        NotifyOwner(owner=owner, message=message),
        case.culprit.scope,
        "the owner knows best whether this is meant",
    )


def _draft_mark(case: Case) -> Draft:
    until = case.now + timedelta(days=case.settings.expected_days)
    return Draft(
        MarkExpected(until=until),
        case.culprit.scope,
        "if the owner confirms it, it is not reported again for a week",
    )


_DRAFTERS: Mapping[ActionName, Callable[[Case], Draft | None]] = {
    "set_rate_limit": _draft_rate_limit,
    "set_budget": _draft_budget,
    "downgrade_model": _draft_downgrade,
    "block_key": _draft_block,
    "revoke_key": _draft_revoke,
    "fix_price": _draft_fix_price,
    "notify_owner": _draft_notice,
    "mark_expected": _draft_mark,
}


def _key(case: Case) -> Scope | None:
    """The key alone, when the culprit is one."""
    key = case.culprit.scope.as_dict().get("key_id", UNALLOCATED)
    return None if key == UNALLOCATED else Scope((("key_id", key),))


def _owner(case: Case) -> str:
    team = case.culprit.scope.as_dict().get("team", UNALLOCATED)
    if team == UNALLOCATED:
        return case.settings.fallback_owner
    return case.settings.owners.get(team, team)


def _about(case: Case, tool: str, **arguments: str) -> Evidence | None:
    """Evidence about the culprit's own scope."""
    for found in case.evidence:
        same = all(found.arguments.get(name) == value for name, value in arguments.items())
        if found.tool == tool and found.where == case.culprit.scope and same:
            return found
    return None


def _fact(case: Case, name: str) -> float | None:
    """A number about the scope that a limit would apply to."""
    scope = limitable(case.place, case.gateway)
    found = next((e for e in case.evidence if e.tool == "peaks" and e.where == scope), None)
    return found.number(name) if found else None


def _rounded_up(value: float) -> int:
    """Up to two significant digits: a limit people can read."""
    if value <= 10:
        return max(1, ceil(value))
    step = 10 ** (floor(log10(value)) - 1)
    return int(ceil(value / step) * step)
