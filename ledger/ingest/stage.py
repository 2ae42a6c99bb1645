"""Contract rows into typed, attributed, identified rows in `staged`, wrong ones with their problem."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from ledger.errors import RefusedError
from ledger.ingest.checks import accepted_type, problem_cases, problems, value_sql
from ledger.ingest.contract import COLUMN, MEASURES
from ledger.ingest.scopes import SCOPE_PROBLEMS, collect_scopes, given_columns, given_text
from ledger.ingest.scopes import Attribution as Attribution
from ledger.ingest.scopes import Owned as Owned
from ledger.ingest.table import ContractTable, Problem


@dataclass(frozen=True, slots=True)
class Staged:
    """What `staged.problem` means: 0 is fine, n is the n-th of `problems`."""

    table: ContractTable
    problems: Sequence[Problem]
    columns: Sequence[str]
    """Columns of `staged` after row_number, identity, started_at, scope_id and problem."""


def stage(
    connection: duckdb.DuckDBPyConnection, table: ContractTable, attribution: Attribution, *, now: datetime
) -> Staged:
    """Fill `file_scopes` and `staged`; nothing outside the temp tables changes. `now` is naive UTC."""
    _check_types(table)
    collect_scopes(connection, table, attribution)
    of_columns = [*problems(dict(table.types)), *_too_old(connection, table)]
    values = _values(table)
    selected = "".join(f", {sql} as {name}" for name, sql in values.items())
    problem = _row_problem_sql(table, of_columns)
    matches = " and ".join(f"{given_text(table, n)} = f.given_{n}" for n in given_columns(table))
    connection.execute(
        f"""create or replace temp table staged as
        select r.{table.row} as row_number, {_identity_sql(table)} as identity,
            {_instant_sql(table)} as started_at, f.scope_id, {problem} as problem {selected}
        from {table.relation} r
        join (select scope_id, problem as scope_problem, scope_text, provider as maker, columns('given_.*')
            from file_scopes) f on {matches}""",
        {"now": now} if "$now" in problem else None,
    )
    return Staged(table, [*table.problems, *SCOPE_PROBLEMS, *of_columns], list(values))


def _too_old(connection: duckdb.DuckDBPyConnection, table: ContractTable) -> Sequence[Problem]:
    """What retention has deleted may come again: nobody can tell any more whether it was counted."""
    return [
        Problem(
            "started_at",
            f"{_instant_sql(table)} < timestamp '{edge}'",
            f"is before {edge.date()}: so old usage is deleted by retention.usage_days and not taken again",
        )
        for (edge,) in connection.execute("select usage_from from kept_from").fetchall()
    ]


def _check_types(table: ContractTable) -> None:
    for name, kind in table.types.items():
        if accepted_type(COLUMN[name], kind):
            continue
        file = table.raw.file.name
        if name == "started_at" and kind.startswith("TIMESTAMP"):
            raise RefusedError(f"{file}: column `{name}` has no time zone; store it as a UTC timestamp")
        raise RefusedError(f"{file}: column `{name}` has type {kind}, which cannot hold it")


def _values(table: ContractTable) -> dict[str, str]:
    """SQL of every measure the file has, by its name in the ledger."""
    values = {c.name: value_sql(c, table.types[c.name]) for c in MEASURES if c.name in table.types}
    if "cost_usd" in table.types:
        values["billed_cost"] = value_sql(COLUMN["cost_usd"], table.types["cost_usd"])
    return values


def _row_problem_sql(table: ContractTable, of_columns: list[Problem]) -> str:
    """The format's own problems come first, then those of the scope, then those of the columns."""
    of_format = len(table.problems)
    own = "when r.problem > 0 then r.problem" if of_format else ""
    cases = problem_cases(of_columns, after=of_format + len(SCOPE_PROBLEMS))
    return f"""cast(case {own} when f.scope_problem > 0 then f.scope_problem + {of_format}
        {cases} else 0 end as usmallint)"""


def _instant_sql(table: ContractTable) -> str:
    return value_sql(COLUMN["started_at"], table.types["started_at"])


def _identity_sql(table: ContractTable) -> str:
    """128 bits of (provider, record_id), or of the instant and all text columns for rows without one."""
    whole = f"md5_number(concat(epoch_us({_instant_sql(table)}), chr(30), f.scope_text))"
    if "record_id" not in table.types:
        return whole
    record_id = "cast(record_id as varchar)"
    return (
        f"case when record_id is null then {whole} else md5_number(concat(f.maker, chr(31), {record_id})) end"
    )
