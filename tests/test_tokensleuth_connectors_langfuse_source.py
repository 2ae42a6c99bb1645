from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from pydantic import JsonValue, SecretStr

from evals.fake_langfuse import FakeLangfuse, fake_langfuse
from evals.fake_openai import Reply, json_reply
from evals.fake_openai_usage import later
from evals.loopback import Loopback
from ledger.errors import RefusedError
from ledger.scope import UNALLOCATED
from tests.sync_cases import DAY, HOUR, NOW, KilledError, Syncs, hour, syncing
from tokensleuth.connectors import langfuse_queries
from tokensleuth.connectors.choosing import source_of
from tokensleuth.connectors.settings import SourceSettings, with_secrets

Served = tuple[FakeLangfuse, Loopback]
MINUTE = timedelta(minutes=1)
CLASSES = "input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens"
SUMS = ", ".join(f"sum({name.strip()})::bigint" for name in CLASSES.split(","))


@pytest.fixture
def served() -> Iterator[Served]:
    with fake_langfuse() as found:
        yield found


@pytest.fixture
def syncs(tmp_path: Path) -> Iterator[Syncs]:
    with syncing(tmp_path) as found:
        found.first_days = 1
        yield found


def test_an_hour_comes_as_sums_with_what_langfuse_says_it_cost(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), cost="0.0012")
    fake.add(hour(3) + MINUTE, cost="0.0034")
    fake.add(hour(3) + 2 * MINUTE, {}, level="ERROR")
    assert syncs("langfuse", at)["metrics"].result.new == 1
    assert syncs.rows("select requests, failed_requests, input_tokens, output_tokens, cost from spend") == [
        (3, 1, 200, 20, 4_600_000_000)
    ]


def test_dimensions_are_project_environment_trace_prompt_and_tags(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(
        hour(3), environment="production", traceName="answer", promptName="faq", promptVersion=3,
        tags=["team:search", "user=ann", "nightly"],
    )  # fmt: skip
    syncs("langfuse", at)
    named = 'provider, model, project, client, feature, team, "user", prompt_template'
    assert syncs.rows(f"select {named} from scopes") == [
        ("openai", "gpt-4o", "assistants", "production", "answer", "search", "ann", "faq:3")
    ]


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (
            {"input": 60, "input_cached_tokens": 40, "output": 7, "output_reasoning_tokens": 3},
            (60, 40, 0, 0, 10),
        ),
        ({"input": 60, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 5, "output": 1,
          "total": 106}, (60, 40, 5, 0, 1)),
        ({"input": 100, "input_cached_tokens": 40, "output": 10, "total": 110}, (60, 40, 0, 0, 10)),
        ({"input": 5, "output": 10, "output_reasoning_tokens": 3, "total": 15}, (5, 0, 0, 0, 10)),
        ({"prompt_tokens": 5, "input_cache_creation_1h": 2, "completion_tokens": 3}, (5, 0, 0, 2, 3)),
    ],
)  # fmt: skip
def test_usage_types_become_classes_that_are_disjoint(
    usage: dict[str, int], told: tuple[int, ...], served: Served, syncs: Syncs
) -> None:
    fake, at = served
    fake.add(hour(3), usage)
    syncs("langfuse", at)
    assert syncs.rows(f"select {CLASSES} from spend") == [told]


@pytest.mark.parametrize(
    ("usage", "value", "reason"),
    [
        ({"input": 9, "seconds": 4}, "seconds 4", "is no type of tokens that is known, such as input"),
        ({"total": 500}, "total 500", "is not nothing, nor that with the cached part of the input"),
        ({"input": 99, "input_cached_tokens": 40, "output": 10, "total": 120}, "total 120", "is not input"),
        ({"input": 10, "input_cached_tokens": 40, "output": 10, "total": 20}, "total 20", "is less than the"),
    ],
)  # fmt: skip
def test_types_that_do_not_add_up_are_rejected_and_not_guessed(
    usage: dict[str, int], value: str, reason: str, served: Served, syncs: Syncs
) -> None:
    fake, at = served
    fake.add(hour(3), usage)
    fake.add(hour(2))
    found = syncs("langfuse", at)["metrics"].result
    (error,) = found.errors
    assert (found.new, error.column, error.value) == (1, "usageType", value)
    assert error.reason.startswith(reason)
    assert error.file == "langfuse metrics 2026-11-22T06:00:00Z providedModelName=gpt-4o"


def test_zero_dollars_for_tokens_mean_that_langfuse_has_no_price(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), {"input": 1_000_000}, cost="0")
    syncs("langfuse", at)
    assert syncs.rows("select billed_cost, cost > 0 from spend") == [(None, True)]


def test_spans_and_tools_are_no_requests(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3))
    fake.add(hour(3), {}, type="SPAN", providedModelName=None)
    fake.add(hour(3), {}, type="TOOL", providedModelName=None)
    fake.add(hour(3), {"input": 5}, type="EMBEDDING", providedModelName="text-embedding-3-small")
    syncs("langfuse", at)
    assert syncs.rows("select model, requests from spend order by 1") == [
        ("gpt-4o", 1),
        ("text-embedding-3-small", 1),
    ]


def test_a_second_sync_changes_nothing(served: Served, syncs: Syncs) -> None:
    fake, at = served
    for number in range(20):
        fake.add(hour(number), cost="0.01", traceName=f"t{number % 3}")
    syncs("langfuse", at)
    before = syncs.totals()
    found = syncs("langfuse", at)["metrics"].result
    assert (found.new, found.restated, found.rejected) == (0, 0, 0)
    assert syncs.totals() == before


def test_late_data_and_what_is_taken_back_are_followed(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(5), traceName="a")
    fake.add(hour(5), traceName="b")
    syncs("langfuse", at)
    del fake.observations[1]
    fake.add(hour(5) + MINUTE, traceName="a")
    found = syncs("langfuse", at)["metrics"].result
    assert (found.new, found.restated) == (0, 2)
    assert syncs.rows("select feature, requests from spend where requests > 0") == [("a", 2)]


def test_the_open_hour_is_not_taken_and_the_last_moment_of_an_hour_is(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(0) - timedelta(microseconds=1))
    fake.add(hour(0))
    syncs("langfuse", at)
    assert syncs.rows("select sum(requests) from spend") == [(1,)]
    assert syncs("langfuse", at, now=NOW + HOUR)["metrics"].result.new == 1


@pytest.mark.parametrize("seed", range(4))
def test_answers_that_are_cut_short_are_asked_for_in_parts_until_every_token_is_there(
    seed: int, served: Served, syncs: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, at = served
    fake.most = 12
    monkeypatch.setattr(langfuse_queries, "ROW_LIMIT", 12)
    random = Random(seed)  # noqa: S311
    truth = [0, 0]
    cost = Decimal(0)
    for number in range(300):
        usage = {"input": random.randint(0, 999), "output": random.randint(0, 99)}
        dollars = Decimal(random.randint(1, 10**6)) / 10**7
        # On whole minutes too: the ends of parts are included by both sides.
        when = hour(random.randint(1, 20)) + random.randint(0, 59) * MINUTE
        fake.add(when, usage, str(dollars), traceName=f"t{number % 7}")
        truth = [truth[0] + usage["input"], truth[1] + usage["output"]]
        cost += dollars
    syncs("langfuse", at)
    assert syncs.rows(
        """select sum(requests)::bigint, sum(input_tokens)::bigint, sum(output_tokens)::bigint,
            sum(cost)::bigint from spend"""
    ) == [(300, *truth, int(cost * 10**12))]


def test_a_minute_that_is_cut_short_is_refused_with_what_to_do(served: Served, syncs: Syncs) -> None:
    fake, at = served
    for number in range(1001):
        fake.add(hour(3) + timedelta(seconds=30), traceName=f"t{number}")
    error = str(syncs("langfuse", at)["metrics"].error)
    assert "1,000 rows or more in the minute from 2026-11-22T06:00:00Z" in error
    assert syncs.rows("select count(*) from spend") == [(0,)]


def test_a_busy_langfuse_is_asked_again_when_it_says(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3))
    at.fail(later(7), method="GET")
    at.fail(json_reply({"message": "broken"}, status=500), method="GET")
    assert syncs("langfuse", at)["metrics"].result.new == 1
    assert syncs.waited == [7.0, 2.0]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (json_reply({"data": {}}), "another shape, data"),
        (Reply(b'{"data": [{"count_count": NaN}]}'), "is no JSON"),
        (Reply(b'{"data": [', cut_after=60), "no whole answer came"),
        (json_reply([1]), "another shape"),
    ],
)
def test_an_answer_that_is_none_ends_the_sync_and_not_the_program(
    reply: Reply, told: str, served: Served, syncs: Syncs
) -> None:
    fake, at = served
    fake.add(hour(3))
    syncs("langfuse", at)
    for _ in range(5):
        at.fail(reply, method="GET")
    assert told in str(syncs("langfuse", at, now=NOW + HOUR)["metrics"].error)
    at.faults.clear()
    assert syncs("langfuse", at, now=NOW + HOUR)["metrics"].error is None


HOSTILE: list[tuple[dict[str, JsonValue], str]] = [
    ({"count_count": -1}, "count_count"),
    ({"count_count": "-1"}, "count_count"),
    ({"count_count": "nan"}, "count_count"),
    ({"count_count": 1.5}, "count_count"),
    ({"count_count": True}, "count_count"),
    ({"count_count": 10**18}, "count_count"),
    ({"count_count": "9" * 400}, "count_count"),
    ({"count_count": None}, "count_count"),
    ({"sum_usageByType": [1]}, "sum_usageByType"),
    ({"sum_totalCost": "nan"}, "sum_totalCost"),
    ({"sum_totalCost": "Infinity"}, "sum_totalCost"),
    ({"sum_totalCost": -0.01}, "sum_totalCost"),
    ({"sum_totalCost": 1e300}, "sum_totalCost"),
    ({"sum_totalCost": {}}, "sum_totalCost"),
    ({"time_dimension": None}, "time_dimension"),
    ({"time_dimension": "yesterday"}, "time_dimension"),
    ({"time_dimension": 7}, "time_dimension"),
    ({"providedModelName": {"a": 1}}, "providedModelName"),
    ({"providedModelName": "m" * 600}, "model"),
    ({"providedModelName": "a\x00b"}, "model"),
    ({"tags": "team:search"}, "tags"),
    ({"tags": [1]}, "tags.0"),
    ({"tags": ["team:" + "x" * 600]}, "team"),
]


@pytest.mark.parametrize(("changed", "column"), HOSTILE)
def test_a_hostile_row_is_rejected_with_its_place(
    changed: dict[str, JsonValue], column: str, served: Served, syncs: Syncs
) -> None:
    fake, at = served
    fake.fills = False
    fake.add(hour(3), cost="0.01")
    fake.changed = changed
    found = syncs("langfuse", at)["metrics"].result
    assert found.rejected >= 1
    assert syncs.rows("select count(*) from spend") == [(0,)]
    assert column in {error.column for error in found.errors}
    assert all(error.file.startswith("langfuse metrics ") for error in found.errors)


def test_a_tag_that_looks_like_a_key_is_not_kept(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), tags=["team:sk-live-0123456789abcdef"])
    found = syncs("langfuse", at)["metrics"].result
    assert (found.new, found.rejected) == (0, 1)
    assert "0123456789abcdef" not in repr(found)


def test_a_sync_that_is_killed_is_completed_by_the_next(served: Served, syncs: Syncs) -> None:
    fake, at = served
    syncs.first_days = 4
    for number in range(1, 90):
        fake.add(hour(number))
    for opens in range(1, 6):
        syncs.opens_left = opens
        with pytest.raises(KilledError):
            syncs("langfuse", at)
    syncs.opens_left = None
    syncs("langfuse", at, since=NOW - 4 * DAY)
    assert syncs.rows(f"select sum(requests)::bigint, {SUMS} from spend") == [(89, 8900, 0, 0, 0, 890)]


def test_keys_of_more_than_one_project_are_refused(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.projects = 2
    assert "2 projects; are these the keys of one project?" in str(syncs("langfuse", at)["metrics"].error)


def test_both_keys_are_needed_and_neither_is_a_setting() -> None:
    settings = SourceSettings(kind="langfuse")
    with pytest.raises(RefusedError, match="no public key; set LANGFUSE_PUBLIC_KEY in the environment"):
        source_of(settings)
    (found,) = with_secrets([settings], {"LANGFUSE_PUBLIC_KEY": "pk-lf-1"})
    with pytest.raises(RefusedError, match="no key; set LANGFUSE_SECRET_KEY in the environment"):
        source_of(found)
    (found,) = with_secrets([settings], {"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-1"})
    assert found.secret == SecretStr("sk-lf-1")
    assert "sk-lf-1" not in repr(source_of(found))


def test_a_model_that_is_not_named_is_unallocated(served: Served, syncs: Syncs) -> None:
    fake, at = served
    fake.add(hour(3), providedModelName=None)
    syncs("langfuse", at)
    assert syncs.rows("select model from spend") == [(UNALLOCATED,)]


@pytest.mark.parametrize("seed", range(4))
def test_syncs_while_data_comes_goes_and_fails_end_in_the_truth(
    seed: int, served: Served, syncs: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, at = served
    random = Random(seed)  # noqa: S311
    monkeypatch.setattr(langfuse_queries, "ROW_LIMIT", 30)
    fake.most = 30
    for sync in range(6):
        now = NOW + sync * HOUR
        for _ in range(random.randint(0, 25)):
            when = now - timedelta(seconds=random.randint(0, 40 * 3600))
            fake.add(when, {"input": random.randint(0, 999)}, traceName=f"t{random.randint(0, 3)}")
        if fake.observations and random.random() < 0.5:
            del fake.observations[random.randrange(len(fake.observations))]
        for _ in range(random.randint(0, 6)):
            at.fail(random.choice([later(1), json_reply({}, status=502)]), method="GET")
        syncs("langfuse", at, now=now, since=NOW - 2 * DAY)
        at.faults.clear()
    syncs("langfuse", at, now=NOW + 7 * HOUR, since=NOW - 2 * DAY)
    truth = [(sum(found.usage["input"] for found in fake.observations), len(fake.observations))]
    assert syncs.rows("select sum(input_tokens)::bigint, sum(requests)::bigint from spend") == truth
