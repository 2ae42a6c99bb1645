"""The dry run in front of a real gateway, of one that is down, and of none."""

import pytest
from pydantic import SecretStr

from agent.measures import BlockKey, MarkExpected, RevokeKey, SetRateLimit
from evals.fake_anthropic_admin import ADMIN_KEY, fake_anthropic_admin
from evals.fake_openai import Reply
from tests.gateway_trips import raised, target
from tokensleuth.clock import utc_now
from tokensleuth.gateways.anthropic_admin import AnthropicAdmin
from tokensleuth.gateways.dry_run import DryRun
from tokensleuth.gateways.port import GONE, CannotError

KEY = target("anthropic", "key_id=apikey_1")


def test_it_plans_and_reads_like_the_gateway_behind_and_changes_nothing() -> None:
    with fake_anthropic_admin() as (fake, served):
        fake.keys["apikey_1"] = "active"
        inner = AnthropicAdmin(served.url, SecretStr(ADMIN_KEY))
        dry = DryRun(inner, "anthropic")
        place = dry.plan(BlockKey(), KEY).place
        before = dry.read(place)
        assert (place, before) == (inner.plan(BlockKey(), KEY).place, {"status": "active"})
        wanted = dry.wanted(BlockKey(), before or {})
        dry.write(place, wanted, before=before or {}, idempotency_key="e")
        inner.close()
    assert (fake.keys, served.writes) == ({"apikey_1": "active"}, [])
    assert wanted == {"status": "inactive"}


@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_gateway_that_does_not_answer_reads_as_empty(status: int) -> None:
    with fake_anthropic_admin() as (_, served):
        served.fail(Reply(b"{}", status), method="GET")
        inner = AnthropicAdmin(served.url, SecretStr(ADMIN_KEY))
        dry = DryRun(inner, "anthropic")
        assert dry.read(dry.plan(BlockKey(), KEY).place) == {}
        inner.close()


def test_without_a_gateway_it_speaks_of_the_target_and_reads_as_empty() -> None:
    dry = DryRun(None, "litellm")
    plan = dry.plan(SetRateLimit(tokens_per_minute=40_000), target("litellm", "team=search"))
    assert plan.told == (
        "dry run, nothing is changed; it would: ask litellm to limit team=search to 40,000 tokens per minute"
    )
    assert dry.read(plan.place) == {}
    assert dry.wanted(SetRateLimit(tokens_per_minute=40_000), {}) == {"tokens_per_minute": 40_000}


def test_it_says_that_nothing_is_changed_of_each_plan_and_keeps_how_slow_it_is() -> None:
    inner = AnthropicAdmin("http://127.0.0.1:9", SecretStr(ADMIN_KEY))
    limit = SetRateLimit(requests_per_minute=5, model="claude-haiku-4-5")
    plan = DryRun(inner, "anthropic").plan(limit, target("anthropic", "project=wrkspc_1"))
    assert plan.told.startswith("dry run, nothing is changed; it would: set the limit")
    assert plan.slow == "Anthropic applies a changed limit within about an hour"
    inner.close()


def test_a_deletion_is_only_rehearsed() -> None:
    dry = DryRun(None, "none")
    assert dry.wanted(RevokeKey(), {}) == GONE
    assert "no undo" in dry.plan(RevokeKey(), target("none", "key_id=k1")).told


def test_what_no_gateway_executes_is_not_rehearsed_either() -> None:
    dry = DryRun(None, "none")
    measure = MarkExpected(until=utc_now())
    raised(CannotError, lambda: dry.plan(measure, KEY))
    raised(CannotError, lambda: dry.wanted(measure, {}))


def test_it_keeps_the_name_of_the_gateway_and_prints_no_secret() -> None:
    inner = AnthropicAdmin("http://127.0.0.1:9", SecretStr(ADMIN_KEY))
    assert DryRun(inner, "anthropic").name == "anthropic"
    assert ADMIN_KEY not in repr(DryRun(inner, "anthropic"))
    inner.close()
