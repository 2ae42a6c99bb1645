import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.fake_openai_usage import DayCost, FakeOpenAiUsage, fake_openai_usage, later
from evals.loopback import Loopback
from ledger.owners import OwnerRule
from tests.sync_cases import DAY, HOUR, NOW, Syncs, hour, syncing

Served = tuple[FakeOpenAiUsage, Loopback]


@pytest.fixture
def served() -> Iterator[Served]:
    with fake_openai_usage() as found:
        yield found


@pytest.fixture
def syncs(tmp_path: Path) -> Iterator[Syncs]:
    with syncing(tmp_path) as found:
        yield found


def test_hours_come_with_their_dimensions_over_many_pages(served: Served, syncs: Syncs) -> None:
    fake, at = served
    for number in range(1, 13):
        fake.add(hour(number), project_id="proj_1", api_key_id="key_1", model="gpt-4o", input_uncached=100)
    outcome = syncs("openai", at)["completions"]
    assert (outcome.result.new, outcome.result.rejected, outcome.error) == (12, 0, None)
    assert syncs.rows("select count(*), sum(input_tokens), min(key_id) from spend") == [(12, 1200, "key_1")]
    assert fake.grouped_by[0] == ["project_id", "user_id", "api_key_id", "model", "batch", "service_tier"]


def test_the_open_hour_is_never_taken(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(0), model="gpt-4o", input_uncached=5)
    fake.add(hour(1), model="gpt-4o", input_uncached=7)
    assert syncs("openai", at)["completions"].complete_until == hour(0)
    assert syncs.rows("select sum(input_tokens) from spend") == [(7,)]
    syncs("openai", at, now=NOW + HOUR)
    assert syncs.rows("select sum(input_tokens) from spend") == [(12,)]


def test_a_bucket_that_ends_after_the_window_is_left_to_a_later_sync(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(0), model="gpt-4o", input_uncached=5)
    fake.pages.reorder = lambda buckets: [*buckets, fake.bucket(hour(0))]
    syncs("openai", at)
    assert syncs.rows("select count(*) from usage") == [(0,)]


def test_syncing_twice_changes_nothing(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), model="gpt-4o", input_uncached=5)
    fake.add(hour(3), kind="embeddings", model="text-embedding-3-small", input_uncached=50)
    syncs("openai", at)
    before = syncs.totals()
    again = syncs("openai", at)
    assert [o.result.new for o in again.values()] == [0] * 7
    assert again["completions"].result.duplicate == 1
    assert syncs.totals() == before


def test_late_data_replaces_what_was_told_before(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), model="gpt-4o", input_uncached=5)
    syncs("openai", at)
    fake.add(hour(3), model="gpt-4o", input_uncached=20)
    outcome = syncs("openai", at, now=NOW + 40 * HOUR)["completions"]
    assert outcome.result.restated == 1
    assert syncs.rows("select sum(input_tokens), sum(requests) from spend") == [(25, 2)]


def test_later_than_the_lookback_nothing_is_asked_for_again(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), model="gpt-4o", input_uncached=5)
    syncs("openai", at)
    syncs("openai", at, now=NOW + 60 * HOUR)
    fake.add(hour(3), model="gpt-4o", input_uncached=20)
    syncs("openai", at, now=NOW + 60 * HOUR)
    assert syncs.rows("select sum(input_tokens) from spend") == [(5,)]
    syncs("openai", at, now=NOW + 60 * HOUR, since=hour(3))
    assert syncs.rows("select sum(input_tokens) from spend") == [(25,)]


def test_usage_that_moves_to_another_key_is_not_counted_under_both(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), api_key_id="key_1", model="gpt-4o", input_uncached=5)
    syncs("openai", at)
    fake.facts["completions"] = []
    fake.add(hour(3), api_key_id="key_2", model="gpt-4o", input_uncached=5)
    outcome = syncs("openai", at)["completions"]
    assert (outcome.result.new, outcome.result.restated) == (1, 1)
    assert syncs.rows("select key_id, sum(input_tokens) from spend group by 1 order by 1") == [
        ("key_1", 0),
        ("key_2", 5),
    ]
    assert syncs("openai", at)["completions"].result.restated == 0


def test_sums_that_do_not_hold_are_rejected_and_the_rest_is_taken(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), project_id="proj_1", model="gpt-4o", input_uncached=5)
    fake.add(hour(3), kind="embeddings", model="text-embedding-3-small", input_uncached=50)
    fake.broken_sums = True
    found = syncs("openai", at)
    (error,) = found["completions"].result.errors
    assert error.file.startswith("openai completions 2026-11-22T06:00:00Z project_id=proj_1")
    assert (error.column, error.value) == ("input_tokens", "6")
    assert found["embeddings"].result.new == 1
    assert syncs.rows("select sum(input_tokens) from spend") == [(51,)]


def test_a_key_that_is_a_secret_is_rejected_by_the_ledger_with_its_place(
    served: Served, syncs: Syncs
) -> None:
    fake, at = served
    fake.add(hour(3), api_key_id="sk-proj-abcdefghij", model="gpt-4o", input_uncached=5)
    (error,) = syncs("openai", at)["completions"].result.errors
    assert error.file == "openai completions 2026-11-22T06:00:00Z api_key_id=sk-… model=gpt-4o"
    assert (error.line, error.column) == (None, "key_id")


def test_retry_after_is_waited_for_and_a_wait_without_it_doubles(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), model="gpt-4o", input_uncached=5)
    for seconds in (7, None, None):
        at.fail(later(seconds), method="GET")
    assert syncs("openai", at)["completions"].result.new == 1
    assert syncs.waited == [7, 2, 4]


def test_a_provider_that_asks_for_too_long_a_wait_is_left_to_the_next_sync(
    served: Served, syncs: Syncs
) -> None:
    _, at = served
    at.fail(later(3600), method="GET")
    outcome = syncs("openai", at)["completions"]
    assert outcome.unreachable
    assert "asks to wait 3600 s" in str(outcome.error)
    assert syncs.waited == []


def test_an_interrupted_pull_goes_on_where_it_was(served: Served, syncs: Syncs) -> None:
    fake, at = served
    for number in range(1, 70):
        fake.add(hour(number), model="gpt-4o", input_uncached=1)
    fake.pages.most = 24
    fake.stops_at = hour(30)
    outcome = syncs("openai", at)["completions"]
    assert outcome.unreachable
    assert outcome.complete_until is not None
    assert outcome.complete_until <= hour(30)
    fake.stops_at = None
    syncs("openai", at)
    assert syncs.rows("select sum(input_tokens) from spend") == [(69,)]


@pytest.mark.parametrize("habit", ["loops", "endless"])
def test_pages_without_an_end_are_given_up_with_a_reason(habit: str, served: Served, syncs: Syncs) -> None:
    fake, at = served
    setattr(fake.pages, habit, True)
    outcome = syncs("openai", at)["completions"]
    told = "go in a circle" if habit == "loops" else "more than 400 pages"
    assert told in str(outcome.error)
    assert outcome.complete_until is None


def test_buckets_of_another_width_are_refused(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.width = DAY
    assert "where buckets of 1:00:00 were asked for" in str(syncs("openai", at)["completions"].error)


def test_a_wrong_key_is_told_and_not_shown(served: Served, syncs: Syncs) -> None:
    _, at = served
    at.answer = FakeOpenAiUsage(key="sk-admin-another").answer
    error = str(syncs("openai", at)["completions"].error)
    assert "status 401" in error
    assert "sk-admin" not in error


def test_names_are_resolved_once_and_lead_to_the_team(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.projects = {"proj_1": "search-prod", "proj_2": "ads", "proj_3": "docs"}
    fake.keys = {"proj_1": {"key_1": "crawler", "key_2": "b", "key_3": "c"}}
    fake.users = {"user-1": "ann@example.com"}
    syncs.owners = [OwnerRule(team="ann", user="ann@*"), OwnerRule(team="search", project="search-*")]
    fake.add(hour(3), project_id="proj_1", api_key_id="key_1", model="gpt-4o", input_uncached=5)
    fake.add(hour(3), project_id="proj_1", user_id="user-1", model="gpt-4o", input_uncached=7)
    syncs("openai", at)
    assert syncs.rows("select team, sum(input_tokens) from spend group by 1 order by 1") == [
        ("ann", 7),
        ("search", 5),
    ]
    assert syncs.rows("select name from source_names where id = 'key_3'") == [("c",)]
    asked = [request for request in at.asked if request.path.endswith("/organization/users")]
    syncs("openai", at)
    assert [r for r in at.asked if r.path.endswith("/organization/users")] == asked


def test_an_owner_found_later_gets_what_was_spent_before(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), project_id="proj_1", model="gpt-4o", input_uncached=5)
    syncs("openai", at)
    assert syncs.rows("select distinct team from spend") == [("UNALLOCATED",)]
    syncs.owners = [OwnerRule(team="search", project="proj_1")]
    syncs("openai", at)
    assert syncs.rows("select distinct team from spend") == [("search",)]


def test_usage_without_names_is_taken_all_the_same_and_says_so(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.no_names = True
    fake.add(hour(3), project_id="proj_1", model="gpt-4o", input_uncached=5)
    outcome = syncs("openai", at)["completions"]
    assert (outcome.result.new, outcome.error) == (1, None)
    assert "names of keys and projects are not known" in outcome.result.warnings[0]


def test_daily_costs_are_kept_apart_and_replaced(served: Served, syncs: Syncs) -> None:
    fake, at = served
    day = NOW.replace(hour=0, minute=0) - DAY
    fake.costs = [DayCost(day, "proj_1", "gpt-4o, input", 1.25, 500.5), DayCost(day, None, "images", 0.5)]
    assert syncs("openai", at)["costs"].cost_lines == 2
    fake.costs[0] = dataclasses.replace(fake.costs[0], usd=2.25)
    syncs("openai", at)
    found = syncs.rows(
        "select day::varchar, project, line_item, cost::varchar from provider_costs order by 4"
    )
    assert found == [
        ("2026-11-21", "proj_1", "gpt-4o, input", "2250000000000"),
        ("2026-11-21", "UNALLOCATED", "images", "500000000000"),
    ]
    assert syncs.rows("select count(*) from usage") == [(0,)]


def test_keys_of_a_gateway_that_is_a_source_itself_are_left_out(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.projects, fake.keys = {"proj_1": "p"}, {"proj_1": {"key_1": "litellm-proxy", "key_2": "mine"}}
    fake.add(hour(3), project_id="proj_1", api_key_id="key_1", model="gpt-4o", input_uncached=5)
    fake.add(hour(3), project_id="proj_1", api_key_id="key_2", model="gpt-4o", input_uncached=7)
    syncs.except_keys = ("litellm-*",)
    syncs("openai", at)
    assert syncs.rows("select sum(input_tokens) from spend") == [(7,)]
