from decimal import Decimal
from itertools import combinations

import pytest

from agent.measures import BlockKey, DowngradeModel, Gateway, Measure, RevokeKey, SetBudget, SetRateLimit
from agent.reach import can_execute, limitable, limited_model
from agent.target import Target
from ledger.scope import UNALLOCATED, Dimension, Scope
from tokensleuth.gateways.anthropic_plans import plan_at_anthropic
from tokensleuth.gateways.litellm_plans import planned
from tokensleuth.gateways.openai_plans import plan_at_openai
from tokensleuth.gateways.port import CannotError, Plan

VALUES: dict[Dimension, str] = {
    "provider": "openai",
    "model": "gpt-4o",
    "team": "search",
    "project": "proj_1",
    "key_id": "key_1",
    "region": "eu",
}
SCOPES = [
    Scope.of([(d, VALUES[d]) for d in chosen]) for n in range(1, 5) for chosen in combinations(VALUES, n)
]
MEASURES: list[Measure] = [
    SetRateLimit(tokens_per_minute=100),
    SetRateLimit(tokens_per_minute=100, model="gpt-4o"),
    SetBudget(max_usd=Decimal(5), period="day"),
    DowngradeModel(from_model="gpt-4o", to_model="gpt-4o-mini"),
    BlockKey(),
    RevokeKey(),
]


def plan(gateway: Gateway, measure: Measure, scope: Scope) -> Plan:
    target = Target(gateway=gateway, scope=scope)
    if gateway == "openai":
        return plan_at_openai(measure, target)
    return plan_at_anthropic(measure, target) if gateway == "anthropic" else planned(measure, target)


def with_key(scope: Scope, key: str) -> Scope:
    return Scope.of([(d, key if d == "key_id" else v) for d, v in scope.items])


@pytest.mark.parametrize(
    ("gateway", "key"), [("litellm", "ab" * 32), ("openai", "key_1"), ("anthropic", "apikey_1")]
)
def test_what_can_be_executed_is_planned_by_the_gateway(gateway: Gateway, key: str) -> None:
    fitting = [(m, with_key(s, key)) for m in MEASURES for s in SCOPES]
    can = [(m, s) for m, s in fitting if can_execute(gateway, m, s)]
    assert can
    for measure, scope in can:
        assert plan(gateway, measure, scope).told


def test_openai_cannot_block_a_key_and_anthropic_can() -> None:
    assert not can_execute("openai", BlockKey(), Scope((("key_id", "key_1"),)))
    assert can_execute("anthropic", BlockKey(), Scope((("key_id", "apikey_1"),)))
    with pytest.raises(CannotError):
        plan("openai", BlockKey(), Scope((("key_id", "key_1"),)))


def test_a_limit_falls_on_the_key_or_on_the_model_of_a_project() -> None:
    scope = Scope.parse(["model=gpt-4o", "team=search", "project=proj_1", "key_id=key_1"])
    assert limitable(scope, "litellm") == Scope.parse(["team=search", "project=proj_1", "key_id=key_1"])
    assert limitable(scope, "openai") == Scope.parse(["project=proj_1", "model=gpt-4o"])
    assert limited_model(scope, "openai") == "gpt-4o"
    assert limitable(Scope((("team", UNALLOCATED),))) is None
