"""Spend-log rows of a LiteLLM proxy, as `/spend/logs/v2` serves them or one per line."""

from collections.abc import Mapping, Sequence

import duckdb

from ledger.ingest.checks import COUNT, problem_sql
from ledger.ingest.contract import COLUMN
from ledger.ingest.preflight import UsageFile
from ledger.ingest.source import Source, Tags
from ledger.ingest.table import ContractTable, Problem, RawTable, quoted
from ledger.scope import UNALLOCATED
from ledger.sources.providers import GATEWAY_PROVIDERS, renamed_sql

_REQUIRED = ("request_id", "startTime")
_FIELDS = (
    *_REQUIRED, "api_key", "cache_hit", "completion_tokens", "custom_llm_provider", "end_user", "metadata",
    "model", "model_group", "prompt_tokens", "request_tags", "spend", "status", "team_id", "user",
)  # fmt: skip
_COUNTS = (
    "prompt_tokens", "completion_tokens", "cached_tokens", "cache_creation_tokens",
    "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens", "reasoning_tokens",
)  # fmt: skip
_NAIVE = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?$"
_PREFIXES = (
    *GATEWAY_PROVIDERS, "anthropic", "azure", "cohere", "databricks", "deepseek", "groq", "huggingface",
    "mistral", "ollama", "openai", "openrouter", "perplexity",
)  # fmt: skip
"""What LiteLLM writes before the slash of a model id, where it names no `custom_llm_provider`."""


def _fact(*paths: str) -> str:
    """SQL of the first value found at some paths into `metadata`."""
    return f"coalesce({', '.join(f'json_extract_string(facts, {quoted(path)})' for path in paths)})"


def _whole(column: str) -> str:
    """SQL of a count, 0 where it is absent or (and then the row is rejected) none."""
    return f"coalesce(try_cast(left(split_part({column}, '.', 1), 16) as bigint), 0)"


def _text(count: str) -> str:
    return f"cast({count} as varchar)"


def _tag(name: str) -> str:
    """SQL of the rest of the first request tag `name:...` or `name=...`."""
    starts = " or ".join(f"starts_with(tag, {quoted(name + mark)})" for mark in (":", "="))
    return f"nullif(trim(substr(list_filter(tags, lambda tag: {starts})[1], {len(name) + 2})), '')"


_DETAILS = "$.usage_object.prompt_tokens_details"
_WRITTEN = f"{_DETAILS}.cache_creation_token_details"
_FACTS: Mapping[str, str] = {
    "cached_tokens": _fact(
        f"{_DETAILS}.cached_tokens",
        "$.usage_object.cache_read_input_tokens",
        "$.additional_usage_values.cache_read_input_tokens",
    ),
    "cache_creation_tokens": _fact(
        f"{_DETAILS}.cache_creation_tokens",
        "$.usage_object.cache_creation_input_tokens",
        "$.additional_usage_values.cache_creation_input_tokens",
    ),
    "ephemeral_5m_input_tokens": _fact(f"{_WRITTEN}.ephemeral_5m_input_tokens"),
    "ephemeral_1h_input_tokens": _fact(f"{_WRITTEN}.ephemeral_1h_input_tokens"),
    "reasoning_tokens": _fact("$.usage_object.completion_tokens_details.reasoning_tokens"),
    "team_alias": _fact("$.user_api_key_team_alias"),
}
_DERIVED: Mapping[str, str] = {
    "failed": "coalesce(lower(status) = 'failure', false)",
    "from_cache": "coalesce(lower(cache_hit) = 'true', false)",
    "given_provider": renamed_sql("custom_llm_provider", GATEWAY_PROVIDERS),
    "prefix": "case when contains(model, '/') then lower(split_part(model, '/', 1)) end",
    "tags": """case when json_valid(request_tags) then case when json_type(request_tags) = 'ARRAY'
        then json_extract_string(request_tags, '$[*]') end end""",
    "prompt": _whole("prompt_tokens"),
    "completion": _whole("completion_tokens"),
    "cached": _whole("cached_tokens"),
    "written_1h": _whole("ephemeral_1h_input_tokens"),
    "written": f"greatest({_whole('cache_creation_tokens')}, "
    f"{_whole('ephemeral_5m_input_tokens')} + {_whole('ephemeral_1h_input_tokens')})",
}
_PREFIX_PROVIDER = renamed_sql("prefix", GATEWAY_PROVIDERS)
_PREFIXED = f"""(prefix is not null and (prefix = lower(custom_llm_provider) or (prefix in {_PREFIXES}
    and (given_provider is null or given_provider = {_PREFIX_PROVIDER}))))"""

_PROBLEMS: tuple[Problem, ...] = (
    Problem("request_id", "request_id is null", "is required"),
    Problem("metadata", "metadata is not null and facts is null", "is not a JSON object"),
    *(
        Problem(
            name,
            f"not regexp_matches({name}, '{COUNT}')",
            "is not a whole number of 0 or more (of at most 12 digits)",
        )
        for name in _COUNTS
    ),
    Problem(
        "prompt_tokens", "prompt < cached + written", "is less than the cached tokens that are part of it"
    ),
)


def _contract_sql(tags: Mapping[str, str]) -> dict[str, str]:
    """Classes are disjoint: `prompt_tokens` counts cached tokens too, so they are taken out of `input`."""
    return {
        "started_at": f"""case when regexp_matches("startTime", '{_NAIVE}') then concat("startTime", 'Z')
            else "startTime" end""",
        "model": f"""coalesce(
            case when {_PREFIXED} then substr(model, length(prefix) + 2) else model end, model_group,
            case when failed then '{UNALLOCATED}' end)""",
        "provider": f"coalesce(given_provider, case when {_PREFIXED} then {_PREFIX_PROVIDER} end)",
        "team": f"coalesce(team_alias, team_id, {_tag(tags['team'])})",
        "key_id": "api_key",
        "user": f'coalesce("user", end_user, {_tag(tags["user"])})',
        "feature": _tag(tags["feature"]),
        "requests": "'1'",
        "failed_requests": "case when failed then '1' else '0' end",
        "input_tokens": _text("prompt - cached - written"),
        "cache_read_tokens": _text("cached"),
        "cache_write_5m_tokens": _text("written - written_1h"),
        "cache_write_1h_tokens": _text("written_1h"),
        "output_tokens": _text("completion"),
        "reasoning_tokens": "reasoning_tokens",
        # LiteLLM writes 0 for a model it has no price for: then the price book prices it.
        "cost_usd": """case when try_cast(spend as double) = 0 and prompt + completion > 0 and not failed
            and not from_cache then null else spend end""",
        "record_id": "request_id",
    }


_SHOWN = {
    "started_at": "startTime",
    "key_id": "api_key",
    "team": "team_id",
    "feature": "request_tags",
    "provider": "custom_llm_provider",
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "cache_read_tokens": "cached_tokens",
    "cache_write_5m_tokens": "cache_creation_tokens",
    "cache_write_1h_tokens": "ephemeral_1h_input_tokens",
    "cost_usd": "spend",
    "record_id": "request_id",
}


def _adapt(connection: duckdb.DuckDBPyConnection, raw: RawTable, tags: Tags) -> ContractTable:
    """Make `adapted_rows`."""
    facts = (
        "case when json_valid(metadata) then case when json_type(metadata) = 'OBJECT' then metadata end end"
    )
    contract = _contract_sql(tags)
    connection.execute(
        f"""create or replace temp table adapted_rows as
        with texts as (select {raw.row} as row_number, *, {facts} as facts from {raw.relation}),
        told as (select *, {_selected(_FACTS)} from texts),
        derived as (select *, {_selected(_DERIVED)} from told)
        select row_number, {problem_sql(_PROBLEMS)} as problem, {_selected(contract)},
            {", ".join(name for name in _COUNTS if name not in contract)}
        from derived"""
    )
    return ContractTable(
        raw,
        relation="adapted_rows",
        row="row_number",
        types={name: "VARCHAR" for name in contract if name in COLUMN},
        problems=_PROBLEMS,
        shown=_SHOWN,
        extra=_COUNTS,
    )


def _any_columns(_file: UsageFile, _names: Sequence[str]) -> None:
    """The API adds fields from version to version; those we know are read whether they are there or not."""


def _selected(columns: Mapping[str, str]) -> str:
    return ", ".join(f'{sql} as "{name}"' for name, sql in columns.items())


LITELLM = Source(
    physical=("json", "jsonl"),
    required=_REQUIRED,
    json_keys=_FIELDS,
    other_json_keys="ignored",
    check_columns=_any_columns,
    adapt=_adapt,
)
