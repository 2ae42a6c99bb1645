from datetime import UTC, datetime

from pydantic import JsonValue

from ledger.sources.anthropic_usage import usage_rows
from ledger.sources.told import Bucket, ToldRow, Wrong
from ledger.window import Window

AT = Window(datetime(2026, 11, 1, 9, tzinfo=UTC), datetime(2026, 11, 1, 10, tzinfo=UTC))
RESULT: dict[str, JsonValue] = {
    "uncached_input_tokens": 1500,
    "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
    "cache_read_input_tokens": 200,
    "output_tokens": 500,
    "server_tool_use": {"web_search_requests": 10},
    "api_key_id": "apikey_01",
    "workspace_id": "wrkspc_01",
    "model": "claude-sonnet-4-20250514",
    "service_tier": "standard",
    "context_window": "0-200k",
    "inference_geo": "us",
}


def told(**changed: JsonValue) -> ToldRow | Wrong:
    (found,) = usage_rows(Bucket("anthropic", "messages", AT, ({**RESULT, **changed},)))
    return found


def cells(**changed: JsonValue) -> dict[str, str | int]:
    found = told(**changed)
    assert isinstance(found, ToldRow), found
    return found.cells


def test_token_classes_are_taken_as_named() -> None:
    found = cells()
    names = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
    assert [found[f"{name}_tokens"] for name in names] == [1500, 200, 500, 1000, 500]


def test_the_report_counts_no_requests_so_none_are_made_up() -> None:
    assert cells()["requests"] == 0


def test_no_workspace_is_the_default_one_and_no_key_the_console() -> None:
    found = cells(workspace_id=None, api_key_id=None)
    assert (found["project"], found["key_id"]) == ("default", "console")


def test_a_region_that_is_not_available_is_none() -> None:
    assert cells()["region"] == "us"
    assert "region" not in cells(inference_geo="not_available")


def test_missing_cache_counts_are_zero() -> None:
    found = cells(cache_creation=None, cache_read_input_tokens=None)
    assert (found["cache_read_tokens"], found["cache_write_1h_tokens"]) == (0, 0)


def test_a_negative_count_is_rejected_with_its_place() -> None:
    found = told(cache_creation={"ephemeral_1h_input_tokens": -1})
    assert isinstance(found, Wrong)
    assert found.column == "cache_creation.ephemeral_1h_input_tokens"
    assert found.place.startswith("anthropic messages 2026-11-01T09:00:00Z api_key_id=apikey_01")
