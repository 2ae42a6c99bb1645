from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from evals.fake_litellm_spend import FakeLiteLlmSpend, fake_litellm_spend
from evals.fake_openai_usage import later
from evals.loopback import Loopback
from ledger.owners import OwnerRule
from tests.sync_cases import Syncs, hour, syncing

Served = tuple[FakeLiteLlmSpend, Loopback]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def served() -> Iterator[Served]:
    with fake_litellm_spend() as found:
        yield found


@pytest.fixture
def syncs(tmp_path: Path) -> Iterator[Syncs]:
    with syncing(tmp_path) as found:
        found.first_days = 1
        yield found


def test_every_request_comes_once_with_cached_tokens_taken_out_of_the_prompt(
    served: Served, syncs: Syncs
) -> None:
    fake, at = served
    for number in range(20):
        fake.add(f"r{number}", hour(3) + number * MINUTE)
    assert syncs("litellm", at)["spend-logs"].result.new == 20
    assert syncs.rows(
        "select sum(requests), sum(input_tokens), sum(cache_read_tokens), sum(billed_cost) from spend"
    ) == [(20, 1200, 800, 20 * 350_000_000)]


def test_failures_are_rows_of_their_own(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add("r1", hour(3))
    fake.add(
        "r2", hour(3), status="failure", spend=0, model="gpt-4o", model_group="", prompt_tokens=0,
        completion_tokens=0, custom_llm_provider=None, metadata={},
    )  # fmt: skip
    syncs("litellm", at)
    assert syncs.rows("select sum(requests), sum(failed_requests) from spend") == [(2, 1)]


def test_a_request_in_the_last_second_of_an_hour_is_not_lost_and_one_of_the_open_hour_not_taken(
    served: Served, syncs: Syncs
) -> None:
    fake, at = served
    fake.add("last", hour(0) - timedelta(milliseconds=1))
    fake.add("open", hour(0))
    syncs("litellm", at)
    assert syncs.rows("select sum(requests) from spend") == [(1,)]
    assert syncs.rows("select started_at::varchar from usage") == [("2026-11-22 08:59:59.999",)]


def test_rows_written_late_are_found_and_nothing_is_doubled(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add("r1", hour(1))
    syncs("litellm", at)
    fake.add("r0", hour(1) - MINUTE)
    found = syncs("litellm", at)["spend-logs"].result
    assert (found.new, found.duplicate) == (1, 1)


def test_pages_go_on_beyond_what_the_proxy_counts(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.most = 400
    for number in range(1300):
        fake.add(f"r{number}", hour(3) + number * timedelta(seconds=1))
    assert syncs("litellm", at)["spend-logs"].result.new == 1300


def test_a_log_without_an_end_is_given_up_with_what_to_do(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add("r1", hour(20))
    fake.endless = True
    assert "more than 500 pages" in str(syncs("litellm", at)["spend-logs"].error)


def test_prompts_and_answers_never_reach_the_disk(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add("r1", hour(3), prompt_tokens=-5)
    (error,) = syncs("litellm", at)["spend-logs"].result.errors
    assert error.file == "litellm spend-logs request_id=r1"
    assert not any(syncs.folder.joinpath("spool").iterdir())
    assert b"what was asked" not in (syncs.folder / "ledger.duckdb").read_bytes()


def test_the_alias_of_a_key_is_its_name_and_leads_to_the_team(served: Served, syncs: Syncs) -> None:
    fake, at = served
    syncs.owners = [OwnerRule(team="search", key_id="search-*")]
    fake.add("r1", hour(3))
    fake.add("r2", hour(3), metadata='{"user_api_key_alias": "search-b"}', api_key="b" * 64)
    syncs("litellm", at)
    assert syncs.rows("select distinct team from spend") == [("search",)]
    assert syncs.rows("select name from source_names order by 1") == [("search-b",), ("search-prod",)]


def test_a_row_without_its_instant_is_rejected_with_its_request(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add("r1", hour(3))
    fake.rows.append({"request_id": "", "startTime": fake.rows[0]["startTime"]})
    (error,) = syncs("litellm", at)["spend-logs"].result.errors
    assert (error.column, error.reason) == ("request_id", "is required")


def test_a_proxy_that_is_busy_is_asked_again(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add("r1", hour(3))
    at.fail(later(1.5), method="GET")
    assert syncs("litellm", at)["spend-logs"].result.new == 1
    assert syncs.waited == [1.5]


def test_a_proxy_without_this_api_is_told(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.path = "/elsewhere"
    assert "nothing is served there" in str(syncs("litellm", at)["spend-logs"].error)
