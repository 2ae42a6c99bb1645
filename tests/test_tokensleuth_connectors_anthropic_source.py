from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.fake_anthropic_usage import DayCost, FakeAnthropicUsage, fake_anthropic_usage
from evals.fake_openai_usage import later
from evals.loopback import Loopback
from ledger.owners import OwnerRule
from tests.sync_cases import DAY, NOW, Syncs, hour, syncing

Served = tuple[FakeAnthropicUsage, Loopback]
SONNET = {"model": "claude-sonnet-4-5", "workspace_id": "wrkspc_1", "api_key_id": "apikey_1"}


@pytest.fixture
def served() -> Iterator[Served]:
    with fake_anthropic_usage() as found:
        yield found


@pytest.fixture
def syncs(tmp_path: Path) -> Iterator[Syncs]:
    with syncing(tmp_path) as found:
        yield found


def test_all_token_classes_arrive_and_requests_are_not_known(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), SONNET, uncached=10, cache_read=4, write_5m=2, write_1h=1, output=3)
    assert syncs("anthropic", at)["messages"].result.new == 1
    assert syncs.rows(
        """select requests, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
            output_tokens, key_id, project from spend"""
    ) == [(0, 10, 4, 2, 1, 3, "apikey_1", "wrkspc_1")]
    assert all(by == [] or "api_key_id" in by or "description" in by for by in fake.grouped_by)


def test_the_documented_headers_are_sent(served: Served, syncs: Syncs) -> None:
    _, at = served
    syncs("anthropic", at)
    headers = at.asked[0].headers
    assert headers["x-api-key"].startswith("sk-ant-admin")
    assert headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in headers


def test_the_default_workspace_and_the_console_can_be_owned_by_name(served: Served, syncs: Syncs) -> None:
    fake, at = served
    syncs.owners = [
        OwnerRule(team="search", project="search*"),
        OwnerRule(team="people", key_id="Console"),
        OwnerRule(team="rest", project="Default workspace"),
    ]
    fake.workspaces, fake.keys = {"wrkspc_1": "search"}, {"apikey_1": "crawler"}
    fake.add(hour(3), SONNET, output=1)
    fake.add(hour(3), {"model": "claude-sonnet-4-5"}, output=10)
    fake.add(hour(3), {"model": "claude-sonnet-4-5", "api_key_id": "apikey_2"}, output=100)
    syncs("anthropic", at)
    assert syncs.rows("select team, sum(output_tokens) from spend group by 1 order by 1") == [
        ("people", 10),
        ("rest", 100),
        ("search", 1),
    ]


def test_late_data_and_repeats_give_the_last_telling(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), SONNET, output=1)
    fake.pages.reorder = lambda buckets: [*reversed(buckets), *buckets]
    syncs("anthropic", at)
    fake.add(hour(3), SONNET, output=4)
    assert syncs("anthropic", at)["messages"].result.restated == 1
    assert syncs("anthropic", at)["messages"].result.duplicate == 1
    assert syncs.rows("select sum(output_tokens) from spend") == [(5,)]


def test_costs_are_cents_and_not_dollars(served: Served, syncs: Syncs) -> None:
    fake, at = served
    day = NOW.replace(hour=0, minute=0) - DAY
    fake.costs = [DayCost(day, None, "Claude Opus 4.1 Usage - Output Tokens", "123.45")]
    assert syncs("anthropic", at)["costs"].cost_lines == 1
    assert syncs.rows("select project, cost::varchar from provider_costs") == [("default", "1234500000000")]


def test_an_overloaded_api_is_asked_again(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), SONNET, output=1)
    at.fail(later(2), method="GET")
    assert syncs("anthropic", at)["messages"].result.new == 1
    assert syncs.waited == [2]


def test_a_loop_of_pages_is_given_up(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.pages.loops = True
    assert "go in a circle" in str(syncs("anthropic", at)["messages"].error)
