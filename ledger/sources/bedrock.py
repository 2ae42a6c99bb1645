"""Model invocation logs of Amazon Bedrock, a record a line; what was asked and answered is never read."""

from collections.abc import Mapping, Sequence

import duckdb

from ledger.ingest.checks import COUNT, problem_sql
from ledger.ingest.contract import COLUMN
from ledger.ingest.preflight import UsageFile
from ledger.ingest.secrets import NOT_AN_ID, looks_secret
from ledger.ingest.source import Source, Tags
from ledger.ingest.table import ContractTable, Problem, RawTable, quoted
from ledger.scope import UNALLOCATED

PROVIDER = "aws"
KIND = "ModelInvocationLog"
_USAGE = "$.output.outputBodyJson.usage"
_TOP = (
    "schemaType", "timestamp", "accountId", "region", "requestId", "modelId", "errorCode", "requestMetadata",
)  # fmt: skip
_PATHS: Mapping[str, str] = {
    "identity.arn": "$.identity.arn",
    "input.inputTokenCount": "$.input.inputTokenCount",
    "input.cacheReadInputTokenCount": "$.input.cacheReadInputTokenCount",
    "input.cacheWriteInputTokenCount": "$.input.cacheWriteInputTokenCount",
    "output.outputTokenCount": "$.output.outputTokenCount",
    "performanceConfig.latency": "$.performanceConfig.latency",
    "cacheDetails": f"{_USAGE}.cacheDetails",
    "ephemeral_1h_input_tokens": f"{_USAGE}.cache_creation.ephemeral_1h_input_tokens",
}
_COUNTS: Mapping[str, str] = {
    "input": "input.inputTokenCount",
    "cached": "input.cacheReadInputTokenCount",
    "written": "input.cacheWriteInputTokenCount",
    "output": "output.outputTokenCount",
    "ephemeral": "ephemeral_1h_input_tokens",
}
"""Counts by the column they stand in."""

_ARN = r"^arn:[^:]*:bedrock:[^:]*:[^:]*:"
_ROLE = r"^(arn:[^:]*:sts::[^:]*:assumed-role/[^/]+)/(.*)$"
_USER = r"^arn:[^:]*:iam::[^:]*:user/(?:.*/)?([^/]+)$"


def _whole(column: str) -> str:
    """SQL of a count, 0 where it is absent or (and then the row is rejected) none."""
    return f"coalesce(try_cast(left(split_part({column}, '.', 1), 16) as bigint), 0)"


_DETAILED_1H = """coalesce(list_sum(list_transform(
    list_filter(case when json_valid("cacheDetails") then case when json_type("cacheDetails") = 'ARRAY'
        then json_extract("cacheDetails", '$[*]') end end,
        lambda detail: json_extract_string(detail, '$.ttl') = '1h'),
    lambda detail: coalesce(try_cast(json_extract_string(detail, '$.inputTokens') as bigint), 0))), 0)"""
"""Cache writes kept for an hour, which Converse tells in the `usage` of its answer."""

_DERIVED: Mapping[str, str] = {
    **{name: _whole(f'"{column}"') for name, column in _COUNTS.items()},
    "detailed": _DETAILED_1H,
    "role": f"""nullif(regexp_extract("identity.arn", '{_ROLE}', 1), '')""",
    "session": f"""nullif(regexp_extract("identity.arn", '{_ROLE}', 2), '')""",
    "iam_user": f"""nullif(regexp_extract("identity.arn", '{_USER}', 1), '')""",
    "tags": """case when json_valid("requestMetadata") then
        case when json_type("requestMetadata") = 'OBJECT' then "requestMetadata" end end""",
}


def _tag(name: str) -> str:
    """SQL of one of the caller's own `requestMetadata`."""
    path = quoted('$."' + name.replace('"', "") + '"')
    return f"nullif(trim(json_extract_string(tags, {path})), '')"


def _problems(tags: Mapping[str, str]) -> tuple[Problem, ...]:
    wrong = "is not a whole number of 0 or more (of at most 12 digits)"
    secret = " or ".join(f"coalesce({looks_secret(_tag(tag))}, false)" for tag in tags.values())
    return (
        Problem("schemaType", f"\"schemaType\" <> '{KIND}'", f"is not {KIND}"),
        Problem("requestId", '"requestId" is null', "is required"),
        Problem("modelId", '"modelId" is null', "is required"),
        *(
            Problem(column, f"not regexp_matches(\"{column}\", '{COUNT}')", wrong)
            for column in _COUNTS.values()
        ),
        Problem(
            "input.cacheWriteInputTokenCount",
            "written < greatest(ephemeral, detailed) or detailed < 0",
            "is less than its part that is kept for an hour",
        ),
        Problem("requestMetadata", secret, NOT_AN_ID),
    )


def _contract_sql(tags: Mapping[str, str]) -> dict[str, str]:
    """Bedrock counts what is read from and written to the cache beside `inputTokenCount`, not in it."""
    model = f"regexp_replace(\"modelId\", '{_ARN}(?:foundation-model/|inference-profile/)?', '')"
    person = "starts_with(regexp_extract(role, '[^/]+$'), 'AWSReservedSSO_') or contains(session, '@')"
    return {
        "started_at": '"timestamp"',
        "provider": f"'{PROVIDER}'",
        "model": model,
        "team": _tag(tags["team"]),
        "project": '"accountId"',
        "key_id": 'coalesce(role, "identity.arn")',
        "user": f"coalesce({_tag(tags['user'])}, iam_user, case when {person} then session end)",
        "feature": _tag(tags["feature"]),
        "region": '"region"',
        "service_tier": f"""case lower("performanceConfig.latency") when 'standard' then '{UNALLOCATED}'
            else lower("performanceConfig.latency") end""",
        "requests": "'1'",
        "failed_requests": "case when \"errorCode\" is null then '0' else '1' end",
        "input_tokens": "cast(input as varchar)",
        "cache_read_tokens": "cast(cached as varchar)",
        "cache_write_5m_tokens": "cast(written - greatest(ephemeral, detailed) as varchar)",
        "cache_write_1h_tokens": "cast(greatest(ephemeral, detailed) as varchar)",
        "output_tokens": "cast(output as varchar)",
        "record_id": '"requestId"',
    }


_SHOWN = {
    "started_at": "timestamp",
    "model": "modelId",
    "project": "accountId",
    "key_id": "identity.arn",
    "user": "identity.arn",
    "team": "requestMetadata",
    "feature": "requestMetadata",
    "record_id": "requestId",
    **{
        name: _COUNTS[of]
        for name, of in {
            "input_tokens": "input", "cache_read_tokens": "cached", "cache_write_5m_tokens": "written",
            "cache_write_1h_tokens": "written", "output_tokens": "output",
        }.items()
    },
}  # fmt: skip


def _adapt(connection: duckdb.DuckDBPyConnection, raw: RawTable, tags: Tags) -> ContractTable:
    """Make `adapted_rows`."""
    contract, problems = _contract_sql(tags), _problems(tags)
    connection.execute(
        f"""create or replace temp table adapted_rows as
        with derived as (select {raw.row} as row_number, *, {_selected(_DERIVED)} from {raw.relation})
        select row_number, {problem_sql(problems)} as problem, {_selected(contract)} from derived"""
    )
    return ContractTable(
        raw,
        relation="adapted_rows",
        row="row_number",
        types={name: "VARCHAR" for name in contract if name in COLUMN},
        problems=problems,
        shown=_SHOWN,
    )


def _any_columns(_file: UsageFile, _names: Sequence[str]) -> None:
    """AWS adds fields from time to time; those we know are read whether they are there or not."""


def _selected(columns: Mapping[str, str]) -> str:
    return ", ".join(f'{sql} as "{name}"' for name, sql in columns.items())


BEDROCK = Source(
    physical=("json", "jsonl"),
    required=("requestId", "timestamp", "modelId"),
    json_keys=(*_TOP, *_PATHS),
    other_json_keys="ignored",
    check_columns=_any_columns,
    adapt=_adapt,
    json_paths=_PATHS,
)
