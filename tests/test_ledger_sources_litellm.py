"""Spend logs of a LiteLLM proxy: disjoint token classes, the gateway's price, and no token counted twice."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import RefusedError
from ledger.ingest.load import LoadOptions
from ledger.ingest.result import IngestResult
from ledger.scope import UNALLOCATED
from tests.usage_builder import NOW, SPEND, TestLedger, memory_ledger

KEY = "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b"

LogRow = dict[str, object]

WHOLE = "is not a whole number of 0 or more (of at most 12 digits)"
AMOUNT = "is not an amount of 0 or more in USD"
RFC_3339 = "is not RFC 3339 with an offset; write it as 2026-11-01T09:30:00Z"
SECRET = "looks like a secret; send an id or a hash instead"  # noqa: S105
PART = "is less than the cached tokens that are part of it"


def call(request_id: object = "r1", **fields: object) -> LogRow:
    """One successful call as the proxy logs it; `usage` becomes metadata.usage_object."""
    row: LogRow = {
        "request_id": request_id,
        "call_type": "acompletion",
        "api_key": KEY,
        "spend": 0.002,
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "startTime": "2026-11-20T10:00:00.123000Z",
        "model": "openai/gpt-4o",
        "model_group": "gpt-4o",
        "custom_llm_provider": "openai",
        "user": "ann",
        "team_id": "team-1",
        "end_user": "",
        "metadata": {"usage_object": {"prompt_tokens": 100}, "user_api_key_team_alias": "search"},
        "cache_hit": "False",
        "request_tags": ["feature:answers", "nightly"],
        "status": "success",
        "response": {"choices": []},
    }
    return row | fields


def used(**details: object) -> dict[str, object]:
    return {"usage_object": {"prompt_tokens_details": details}}


def load(ledger: TestLedger, path: Path, *rows: object, options: LoadOptions | None = None) -> IngestResult:
    path.write_text(json.dumps({"data": rows, "total": len(rows), "page": 1}))
    return ledger.load(path, options, as_format="litellm")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "page.json"


def test_a_call_becomes_usage_with_the_dimensions_the_proxy_knows(file: Path) -> None:
    with memory_ledger() as ledger:
        assert load(ledger, file, call()).new == 1
        named = "provider, model, team, key_id, user, feature, project"
        assert ledger.rows(f"select {named} from spend") == [
            ("openai", "gpt-4o", "search", KEY, "ann", "answers", UNALLOCATED)
        ]
        counted = "hour(hour), requests, failed_requests, input_tokens, output_tokens, billed_cost"
        assert ledger.rows(f"select {counted} from spend") == [(10, 1, 0, 100, 20, 2 * 10**9)]


def test_cached_tokens_are_taken_out_of_the_prompt(file: Path) -> None:
    written = {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 6}
    facts = used(cached_tokens=40, cache_creation_tokens=10, cache_creation_token_details=written)
    with memory_ledger() as ledger:
        assert load(ledger, file, call(metadata=facts)).new == 1
        prompt = "input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens"
        assert ledger.rows(f"select {prompt}, output_tokens, tokens from spend") == [(50, 40, 4, 6, 20, 120)]


@pytest.mark.parametrize(
    "metadata",
    [
        used(cached_tokens=40, cache_creation_tokens=10),
        json.dumps(used(cached_tokens=40, cache_creation_tokens=10)),
        {"usage_object": {"cache_read_input_tokens": 40, "cache_creation_input_tokens": 10}},
        {"additional_usage_values": {"cache_read_input_tokens": 40, "cache_creation_input_tokens": 10}},
    ],
)
def test_cached_tokens_are_found_where_each_version_writes_them(file: Path, metadata: object) -> None:
    with memory_ledger() as ledger:
        load(ledger, file, call(metadata=metadata))
        classes = "input_tokens, cache_read_tokens, cache_write_5m_tokens"
        assert ledger.rows(f"select {classes} from spend") == [(50, 40, 10)]


def test_reasoning_is_a_part_of_the_output(file: Path) -> None:
    facts = {"usage_object": {"completion_tokens_details": {"reasoning_tokens": 15}}}
    with memory_ledger() as ledger:
        load(ledger, file, call(metadata=facts))
        assert ledger.rows("select output_tokens, reasoning_tokens, tokens from spend") == [(20, 15, 120)]


@pytest.mark.parametrize(
    ("fields", "billed"),
    [
        ({}, True),
        ({"spend": 0}, False),
        ({"spend": None}, False),
        ({"spend": 0, "cache_hit": "True"}, True),
        ({"spend": 0, "status": "failure"}, True),
        ({"spend": 0, "prompt_tokens": 0, "completion_tokens": 0}, True),
        ({"spend": 1.5e-05}, True),
    ],
)
def test_no_spend_for_tokens_means_no_price_unless_the_call_was_free(
    file: Path, fields: LogRow, billed: bool
) -> None:
    with memory_ledger() as ledger:
        load(ledger, file, call(**fields))
        assert ledger.rows("select billed from usage_hourly") == [(billed,)]


def test_a_refused_call_counts_as_a_failed_request(file: Path) -> None:
    refused = {"status": "failure", "spend": 0, "prompt_tokens": 0, "completion_tokens": 0, "metadata": {}}
    rows = [
        call("r1", **refused, model="gpt-4o", model_group="", custom_llm_provider=""),
        call("r2", **refused, model="", model_group=None, custom_llm_provider=None),
    ]
    with memory_ledger() as ledger:
        assert load(ledger, file, *rows).new == 2
        counted = "select model, requests, failed_requests, tokens from spend order by model"
        assert ledger.rows(counted) == [(UNALLOCATED, 1, 1, 0), ("gpt-4o", 1, 1, 0)]


@pytest.mark.parametrize(
    ("model", "provider", "expected"),
    [
        ("openai/gpt-4o", "openai", ("openai", "gpt-4o")),
        ("gpt-4o", "openai", ("openai", "gpt-4o")),
        ("azure/our-deployment", "azure", ("azure", "our-deployment")),
        ("bedrock/anthropic.claude-x-v1:0", "bedrock", ("aws", "anthropic.claude-x-v1:0")),
        ("vertex_ai/claude-x", "vertex_ai_beta", ("google", "claude-x")),
        ("anthropic/claude-x", "openrouter", ("openrouter", "anthropic/claude-x")),
        ("openrouter/anthropic/claude-x", "openrouter", ("openrouter", "anthropic/claude-x")),
        ("anthropic/claude-x", "", ("anthropic", "claude-x")),
        ("our/own", None, (UNALLOCATED, "our/own")),
    ],
)
def test_the_provider_prefix_of_a_model_is_taken_off(
    file: Path, model: str, provider: str | None, expected: tuple[str, str]
) -> None:
    with memory_ledger() as ledger:
        load(ledger, file, call(model=model, custom_llm_provider=provider))
        assert ledger.rows("select provider, model from spend") == [expected]


def test_the_team_id_and_the_end_user_stand_in_for_names_that_are_missing(file: Path) -> None:
    with memory_ledger() as ledger:
        load(ledger, file, call(metadata={}, user="", end_user="customer-9"))
        assert ledger.rows('select team, "user" from spend') == [("team-1", "customer-9")]


def test_tags_of_the_settings_name_dimensions(file: Path) -> None:
    options = LoadOptions(now=NOW, focus_tags={"team": "squad", "user": "user", "feature": "app"})
    rows = [call(request_tags='["app=chat", "squad: ads"]', team_id=None, metadata=None)]
    with memory_ledger() as ledger:
        load(ledger, file, *rows, options=options)
        assert ledger.rows("select team, feature from spend") == [("ads", "chat")]


@pytest.mark.parametrize(
    "start", ["2026-11-20T10:00:00.5", "2026-11-20 10:00:00.5", "2026-11-20T11:00:00.5+01:00"]
)
def test_times_without_a_zone_are_utc(file: Path, start: str) -> None:
    with memory_ledger() as ledger:
        load(ledger, file, call(startTime=start))
        assert ledger.rows("select started_at::varchar from usage") == [("2026-11-20 10:00:00.5",)]


def test_pages_lists_and_lines_give_the_same_ledger(tmp_path: Path) -> None:
    rows = [call(f"r{i}", prompt_tokens=i) for i in range(6)]
    page = {"data": rows, "total": 6, "page": 1}
    files = {
        "page.json": json.dumps(page),
        "pretty.json": json.dumps(page, indent=2),
        "list.json": json.dumps(rows),
        "lines.json": "\n".join(map(json.dumps, rows)),
        "lines.jsonl": "\n".join(map(json.dumps, rows)),
        "pages.jsonl": "\n".join(json.dumps({"data": part}) for part in (rows[:2], rows[2:])),
    }
    with memory_ledger() as ledger:
        seen = []
        for name, text in files.items():
            (tmp_path / name).write_text(text)
            result = ledger.load(tmp_path / name, as_format="litellm")
            seen.append((result.new, result.duplicate, ledger.rows(SPEND)))
    assert seen[0][:2] == (6, 0)
    assert all(s[:2] == (0, 6) and s[2] == seen[0][2] for s in seen[1:])


@pytest.mark.parametrize(
    ("fields", "column", "value", "reason"),
    [
        ({"prompt_tokens": 30, "metadata": used(cached_tokens=40)}, "prompt_tokens", "30", PART),
        ({"prompt_tokens": "abc"}, "prompt_tokens", "abc", WHOLE),
        ({"prompt_tokens": 10**40}, "prompt_tokens", "1" + "0" * 40, WHOLE),
        ({"completion_tokens": -1}, "completion_tokens", "-1", WHOLE),
        ({"metadata": used(cached_tokens=1.5)}, "cached_tokens", "1.5", WHOLE),
        ({"metadata": "nonsense"}, "metadata", "nonsense", "is not a JSON object"),
        ({"spend": -0.1}, "spend", "-0.1", AMOUNT),
        ({"spend": float("nan")}, "spend", "NaN", AMOUNT),
        ({"api_key": "sk-abcdefghij"}, "api_key", "sk-…", SECRET),
        ({"startTime": "yesterday"}, "startTime", "yesterday", RFC_3339),
        ({"startTime": None}, "startTime", None, "is required"),
        ({"request_id": None}, "request_id", None, "is required"),
        ({"model": None, "model_group": None}, "model", None, "is required"),
    ],
)  # fmt: skip
def test_a_bad_row_is_told_by_the_name_its_field_has_at_the_proxy(
    file: Path, fields: LogRow, column: str, value: str | None, reason: str
) -> None:
    with memory_ledger() as ledger:
        result = load(ledger, file, call("good"), call(**fields), 7)
    assert result.new == 1
    told = [(e.line, e.column, e.value, e.reason) for e in result.errors]
    assert told == [(2, column, value, reason), (3, None, "7", "is not a JSON object")]


def test_a_file_of_other_objects_is_refused(file: Path) -> None:
    file.write_text('{"model": "gpt-4o"}\n')
    with memory_ledger() as ledger, pytest.raises(RefusedError, match="none of its rows has `request_id`"):
        ledger.load(file, as_format="litellm")


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.sampled_from(("{}", "[", "NaN", "9" * 30)), st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(sorted(call())), VALUES, max_size=4), max_size=4))
def test_any_values_of_a_log_give_a_result_that_adds_up(
    tmp_path_factory: pytest.TempPathFactory, rows: list[LogRow]
) -> None:
    with memory_ledger() as ledger:
        result = load(
            ledger, tmp_path_factory.mktemp("log") / "a.json", *(call(**row) for row in rows), call()
        )
        assert result.read == len(rows) + 1
        assert result.read == result.new + result.duplicate + result.restated + result.rejected
