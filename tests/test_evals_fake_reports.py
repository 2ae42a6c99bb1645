"""The vendors' own clients read what the fakes of their reports write."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import anthropic
import httpx2
import openai
import pytest
from anthropic import BaseModel
from anthropic.pagination import SyncReportPageCursor

from evals import fake_anthropic_usage, fake_openai_usage
from evals.fake_anthropic_usage import FakeAnthropicUsage
from evals.fake_openai_usage import FakeOpenAiUsage

AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
END = AT + timedelta(hours=12)
START_S, END_S = int(AT.timestamp()), int(END.timestamp())


class CacheCreation(BaseModel):
    ephemeral_1h_input_tokens: int
    ephemeral_5m_input_tokens: int


class Usage(BaseModel):
    uncached_input_tokens: int
    cache_creation: CacheCreation
    cache_read_input_tokens: int
    output_tokens: int
    model: str | None
    api_key_id: str | None


class UsageBucket(BaseModel):
    starting_at: datetime
    ending_at: datetime
    results: list[Usage]


class Cost(BaseModel):
    amount: str
    currency: str
    description: str | None


class CostBucket(BaseModel):
    results: list[Cost]


@pytest.fixture
def openai_fake() -> Iterator[tuple[FakeOpenAiUsage, openai.OpenAI]]:
    with fake_openai_usage.fake_openai_usage() as (fake, served):
        key, url = fake_openai_usage.ADMIN_KEY, f"{served.url}/v1"
        with openai.OpenAI(admin_api_key=key, api_key=None, base_url=url, max_retries=1) as client:
            yield fake, client


@pytest.fixture
def anthropic_fake() -> Iterator[tuple[FakeAnthropicUsage, anthropic.Anthropic]]:
    with fake_anthropic_usage.fake_anthropic_usage() as (fake, served):
        key = fake_anthropic_usage.ADMIN_KEY
        with anthropic.Anthropic(api_key=key, base_url=served.url, max_retries=0) as client:
            yield fake, client


def test_openai_s_client_reads_usage_page_by_page(
    openai_fake: tuple[FakeOpenAiUsage, openai.OpenAI],
) -> None:
    fake, client = openai_fake
    fake.add(AT, project_id="proj_1", model="gpt-4o", batch=True, input_uncached=5, input_cached=2)
    fake.add(AT + timedelta(hours=11), project_id="proj_1", model="gpt-4o", input_uncached=7)
    usage = client.admin.organization.usage
    first = usage.completions(
        start_time=START_S, end_time=END_S, bucket_width="1h", group_by=["project_id", "model", "batch"]
    )
    assert (first.has_more, len(first.data)) == (True, 5)
    (result,) = first.data[0].results
    assert result.object == "organization.usage.completions.result"
    assert (result.input_tokens, result.input_cached_tokens, result.batch) == (7, 2, True)
    assert result.user_id is None
    third = usage.completions(start_time=START_S, end_time=END_S, bucket_width="1h", page="page_10")
    assert (third.has_more, third.next_page) == (False, None)
    assert len(third.data[1].results) == 1


def test_openai_s_client_reads_costs_and_names(openai_fake: tuple[FakeOpenAiUsage, openai.OpenAI]) -> None:
    fake, client = openai_fake
    midnight = AT.replace(hour=0)
    fake.costs = [fake_openai_usage.DayCost(midnight, "proj_1", "gpt-4o, input", 1.5)]
    fake.projects = {f"proj_{n}": "p" for n in range(5)}
    fake.keys = {"proj_1": {"key_1": "crawler"}}
    organization = client.admin.organization
    costs = organization.usage.costs(start_time=int(midnight.timestamp()), end_time=END_S)
    (cost,) = costs.data[0].results
    assert cost.object == "organization.costs.result"
    assert cost.amount is not None
    assert (cost.amount.value, cost.amount.currency, cost.line_item) == (1.5, "usd", "gpt-4o, input")
    assert [p.id for p in organization.projects.list()] == [f"proj_{n}" for n in range(5)]
    assert [k.name for k in organization.projects.api_keys.list("proj_1")] == ["crawler"]


def test_both_ways_to_write_a_list_are_understood(
    openai_fake: tuple[FakeOpenAiUsage, openai.OpenAI],
) -> None:
    fake, client = openai_fake
    headers = {"Authorization": f"Bearer {fake_openai_usage.ADMIN_KEY}"}
    common = f"start_time={START_S}&end_time={END_S}&limit=1"
    for by in ("group_by=model&group_by=batch", "group_by[]=model&group_by[]=batch"):
        url = f"{client.base_url}organization/usage/completions?{common}&{by}"
        assert httpx2.get(url, headers=headers).status_code == 200
    assert fake.grouped_by == [["model", "batch"]] * 2


def test_openai_s_client_asks_again_after_a_429() -> None:
    with fake_openai_usage.fake_openai_usage() as (_, served):
        served.fail(fake_openai_usage.later(0.01), method="GET")
        with openai.OpenAI(
            admin_api_key=fake_openai_usage.ADMIN_KEY,
            api_key=None,
            base_url=f"{served.url}/v1",
            max_retries=1,
        ) as client:
            assert client.admin.organization.usage.completions(
                start_time=START_S, end_time=END_S, limit=1
            ).data
        assert len(served.asked) == 2


def test_anthropic_s_client_reads_the_usage_report_by_its_own_paging(
    anthropic_fake: tuple[FakeAnthropicUsage, anthropic.Anthropic],
) -> None:
    """Its version here has no method for this report, so its pager is handed the path and the shape."""
    fake, client = anthropic_fake
    fake.add(AT, {"model": "claude-sonnet-4-5"}, uncached=5, cache_read=4, write_1h=3, write_5m=2, output=1)
    fake.add(END - timedelta(hours=1), {"model": "claude-sonnet-4-5"}, output=7)
    pages = client.get_api_list(
        "/v1/organizations/usage_report/messages",
        page=SyncReportPageCursor[UsageBucket],
        model=UsageBucket,
        options={
            "params": {
                "starting_at": "2026-11-01T09:00:00Z",
                "ending_at": "2026-11-01T21:00:00Z",
                "bucket_width": "1h",
                "group_by": ["model", "api_key_id"],
                "limit": 5,
            }
        },
    )
    buckets = list(pages)
    assert len(buckets) == 12
    first = buckets[0].results[0]
    created = first.cache_creation
    assert (first.uncached_input_tokens, first.cache_read_input_tokens, first.output_tokens) == (5, 4, 1)
    assert (created.ephemeral_1h_input_tokens, created.ephemeral_5m_input_tokens) == (3, 2)
    assert buckets[-1].results[0].output_tokens == 7
    assert fake.grouped_by[0] == ["model", "api_key_id"]


def test_anthropic_s_client_reads_costs_and_names(
    anthropic_fake: tuple[FakeAnthropicUsage, anthropic.Anthropic],
) -> None:
    fake, client = anthropic_fake
    fake.costs = [fake_anthropic_usage.DayCost(AT.replace(hour=0), None, "Output Tokens", "123.45")]
    fake.keys = {f"apikey_{n}": "k" for n in range(5)}
    fake.workspaces = {"wrkspc_1": "search"}
    pages = client.get_api_list(
        "/v1/organizations/cost_report",
        page=SyncReportPageCursor[CostBucket],
        model=CostBucket,
        options={"params": {"starting_at": "2026-11-01T00:00:00Z", "ending_at": "2026-11-02T00:00:00Z"}},
    )
    assert [cost.amount for bucket in pages for cost in bucket.results] == ["123.45"]
    organization = client.beta.organization
    assert [key.id for key in organization.api_keys.list()] == [f"apikey_{n}" for n in range(5)]
    assert [workspace.name for workspace in organization.workspaces.list()] == ["search"]
