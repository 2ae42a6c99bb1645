"""FOCUS 1.2 to 1.4 bills: token rows by the hour become usage, everything else is kept apart as charges."""

from collections.abc import Sequence

import duckdb

from ledger.errors import RefusedError
from ledger.ingest.contract import COLUMN
from ledger.ingest.preflight import UsageFile
from ledger.ingest.source import Source, Tags
from ledger.ingest.table import ContractTable, RawTable
from ledger.sources.focus_charges import STAGED_CHARGES, STAGED_FUNDING
from ledger.sources.focus_columns import DRAFT_COLUMNS, FOCUS_COLUMNS, NEEDED_COLUMNS
from ledger.sources.focus_sql import (
    FOCUS_PROBLEMS,
    HOURLY,
    TOKEN_CLASS,
    USAGE_ROW,
    USED_TOKENS,
    focus_problem_sql,
    identity_sql,
    parsed_sql,
    text_sql,
)
from ledger.usage import TOKEN_CLASSES

_KNOWN = {name.lower() for name in (*FOCUS_COLUMNS, *DRAFT_COLUMNS)}
_SELLERS = ("ServiceProviderName", "ProviderName")

_TOKEN_COLUMNS = tuple(f"{token_class}_tokens" for token_class in TOKEN_CLASSES)
_CONTRACT_SQL = {
    "started_at": "ChargePeriodStart",
    "provider": "provider",
    "model": "model",
    "team": "team",
    "project": "SubAccountId",
    "key_id": "credential",
    "user": '"user"',
    "feature": "feature",
    "region": "RegionId",
    "service_tier": "tier",
    "requests": "coalesce(x_Requests, '0')",
    "failed_requests": "coalesce(x_FailedRequests, '0')",
    "retried_requests": "coalesce(x_RetriedRequests, '0')",
    "reasoning_tokens": "x_ReasoningTokens",
    # Our own export says which costs no source billed: those are computed again, and unpriced stays unpriced.
    "cost_usd": """case when x_CostBasis in ('computed', 'unpriced') then null
        else cast(try_cast(EffectiveCost as decimal(38, 12)) as varchar) end""",
    "record_id": f"concat('focus:', md5({identity_sql(charge=False)}))",
    # A quantity is read as text so that what is no whole number is told as the file has it.
    **{
        f"{token_class}_tokens": f"""case when token_class <> '{token_class}' then '0'
            when quantity = floor(quantity) then cast(cast(quantity as decimal(38, 0)) as varchar)
            else ConsumedQuantity end"""
        for token_class in TOKEN_CLASSES
    },
}
_SHOWN = {
    "started_at": "ChargePeriodStart",
    "model": "x_Model",
    "project": "SubAccountId",
    "team": "Tags",
    "user": "Tags",
    "feature": "Tags",
    "region": "RegionId",
    "service_tier": "x_ServiceTier",
    "requests": "x_Requests",
    "failed_requests": "x_FailedRequests",
    "retried_requests": "x_RetriedRequests",
    "reasoning_tokens": "x_ReasoningTokens",
    "cost_usd": "EffectiveCost",
    "record_id": "ChargeDescription",
    **dict.fromkeys(_TOKEN_COLUMNS, "ConsumedQuantity"),
}
_KEPT_APART = (
    (f"not {HOURLY}", "cover more than an hour"),
    ("token_class is null", "do not say which kind of tokens they count"),
    ("model is null", "name no model"),
)


def _check(file: UsageFile, names: Sequence[str]) -> None:
    unknown = sorted(name for name in set(names) if name not in _KNOWN and not name.startswith("x_"))
    if unknown:
        listed = ", ".join(f"`{name}`" for name in unknown)
        raise RefusedError(
            f"{file.name}: {listed} is no column of FOCUS 1.2 to 1.4; custom columns begin with x_"
        )
    missing = [name for name in NEEDED_COLUMNS if name.lower() not in names]
    if not any(name.lower() in names for name in _SELLERS):
        missing.append(_SELLERS[0])
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        raise RefusedError(f"{file.name}: required FOCUS column {listed} is missing")


def _adapt(connection: duckdb.DuckDBPyConnection, raw: RawTable, tags: Tags) -> ContractTable:
    """Make `adapted_rows` (usage, and rows with a problem), `staged_charges` and `staged_funding`."""
    seller = next(name for name in _SELLERS if name.lower() in raw.types)
    credential = next(
        (name for name in ("CredentialId", "x_CredentialId") if name.lower() in raw.types), "key_id"
    )
    connection.execute(
        f"""create or replace temp table focus_rows as
        with texts as (select {raw.row} as row_number, {text_sql(raw.types)} from {raw.relation}),
        parsed as (select *, {parsed_sql(tags)} from texts),
        classed as (select *, {TOKEN_CLASS} as token_class from parsed)
        select *, {focus_problem_sql()} as problem, {USAGE_ROW} as is_usage from classed"""
    )
    contract = ", ".join(f'{sql} as "{name}"' for name, sql in _CONTRACT_SQL.items())
    connection.execute(
        f"""create or replace temp table adapted_rows as
        select row_number, problem, {contract} from focus_rows where problem > 0 or is_usage"""
    )
    connection.execute(STAGED_CHARGES)
    connection.execute(STAGED_FUNDING)
    warnings = _warnings(connection, raw.file)
    connection.execute("drop table focus_rows")
    return ContractTable(
        raw,
        relation="adapted_rows",
        row="row_number",
        types={name: "VARCHAR" for name in _CONTRACT_SQL if name in COLUMN},
        problems=FOCUS_PROBLEMS,
        shown={**_SHOWN, "provider": seller, "key_id": credential},
        extra=("model",),
        charges=True,
        warnings=warnings,
    )


def _warnings(connection: duckdb.DuckDBPyConnection, file: UsageFile) -> tuple[str, ...]:
    """Token rows that could not join the hourly series, counted by the first reason."""
    cases = " ".join(f"when {when} then {i}" for i, (when, _) in enumerate(_KEPT_APART))
    rows = connection.execute(
        f"""select case {cases} end as why, count(*) from focus_rows
        where problem = 0 and {USED_TOKENS} and not {USAGE_ROW} group by why order by why"""
    ).fetchall()
    return tuple(
        f"{file.name}: token rows that {_KEPT_APART[why][1]} are charges, not hourly usage: {number:,}"
        for why, number in rows
    )


FOCUS = Source(
    physical=("csv", "parquet"),
    required=NEEDED_COLUMNS,
    json_keys=(),
    other_json_keys="refused",
    check_columns=_check,
    adapt=_adapt,
)
