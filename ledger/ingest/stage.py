"""Raw rows into typed, attributed, identified rows in the temp table `staged`, wrong ones marked with their problem."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pandas as pd

from ledger.errors import RefusedError
from ledger.ingest.checks import Problem, accepted_type, problem_sql, problems, value_sql
from ledger.ingest.contract import COLUMN, MAX_TEXT, MEASURES, TEXT_COLUMNS
from ledger.ingest.raw import SECRET, RawTable
from ledger.scope import UNALLOCATED


@dataclass(frozen=True, slots=True)
class Owned:
    """The facts by which the owner map names a team; empty where the source said nothing."""

    provider: str
    project: str
    key_id: str
    user: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who made a model, and who owns a key that came without a team."""

    provider_of: Callable[[str], str]
    team_of: Callable[[Owned], str]


@dataclass(frozen=True, slots=True)
class Staged:
    """What `staged.problem` means: 0 is fine, n is the n-th of `problems`."""

    raw: RawTable
    problems: Sequence[Problem]
    columns: Sequence[str]
    """Columns of `staged` after row_number, identity, started_at, scope_id and problem."""


def stage(
    connection: duckdb.DuckDBPyConnection, raw: RawTable, attribution: Attribution, *, now: datetime
) -> Staged:
    """Fill `file_scopes` and `staged`; nothing outside the temp tables changes. `now` is naive UTC."""
    for name, kind in raw.types.items():
        if not accepted_type(COLUMN[name], kind):
            raise RefusedError(f"{raw.file.name}: column `{name}` has type {kind}, which cannot hold it")
    _collect_scopes(connection, raw)
    _attribute(connection, attribution)
    _number_scopes(connection)
    found = [*_SCOPE_PROBLEMS, *problems(dict(raw.types))]
    measures = [column for column in MEASURES if column.name in raw.types]
    values = {column.name: value_sql(column, raw.types[column.name]) for column in measures}
    if "cost_usd" in raw.types:
        values["billed_cost"] = value_sql(COLUMN["cost_usd"], raw.types["cost_usd"])
    select = "".join(f", {sql} as {name}" for name, sql in values.items())
    row_problem = problem_sql(found[len(_SCOPE_PROBLEMS) :])
    connection.execute(
        f"""create or replace temp table staged as
        select r.{raw.row} as row_number, {_identity_sql(raw)} as identity,
            {value_sql(COLUMN["started_at"], raw.types["started_at"])} as started_at, f.scope_id,
            case when f.problem > 0 then f.problem
                else coalesce(cast(nullif({row_problem}, 0) + {len(_SCOPE_PROBLEMS)} as utinyint), 0) end as problem
            {select}
        from {raw.relation} r
        join (select scope_id, problem, scope_text, provider as maker, columns('given_.*') from file_scopes) f
            on {" and ".join(f"{_text(raw, n)} = f.given_{n}" for n in _given(raw))}""",
        {"now": now} if "$now" in row_problem else None,
    )
    return Staged(raw, found, list(values))


_SCOPE_PROBLEMS: tuple[Problem, ...] = (
    Problem("model", "model = ''", "is required"),
    Problem(
        "key_id", f"regexp_matches(key_id, '^{SECRET}')", "looks like a secret; send an id or a hash instead"
    ),
    *(
        Problem(name, f"length({name}) > {MAX_TEXT}", f"is longer than {MAX_TEXT} characters")
        for name in TEXT_COLUMNS
    ),
    *(
        Problem(name, f"regexp_matches({name}, '[\\x00-\\x1f\\x7f]')", "has control characters")
        for name in TEXT_COLUMNS
    ),
)


def _given(raw: RawTable) -> list[str]:
    return [name for name in TEXT_COLUMNS if name in raw.types]


def _text(raw: RawTable, name: str) -> str:
    column = f'"{name}"' if raw.types[name] == "VARCHAR" else f'cast("{name}" as varchar)'
    return f"coalesce({column}, '')"


def _identity_sql(raw: RawTable) -> str:
    """128 bits of (provider, record_id), or of the instant and all text columns for rows without one."""
    instant = value_sql(COLUMN["started_at"], raw.types["started_at"])
    whole = f"md5_number(concat(epoch_us({instant}), chr(30), f.scope_text))"
    if "record_id" not in raw.types:
        return whole
    record_id = "cast(record_id as varchar)"
    return (
        f"case when record_id is null then {whole} else md5_number(concat(f.maker, chr(31), {record_id})) end"
    )


def _collect_scopes(connection: duckdb.DuckDBPyConnection, raw: RawTable) -> None:
    """`file_scopes`: the distinct text columns of the file as given (`given_*`) and to be resolved."""
    given = _given(raw)
    selected = ", ".join(f"{_text(raw, name)} as given_{name}" for name in given)
    resolved = ", ".join(
        f"trim(given_{name}) as {name}" if name in given else f"'' as {name}" for name in TEXT_COLUMNS
    )
    connection.execute(
        f"""create or replace temp table file_scopes as
        select *, {resolved}, 0::integer as scope_id, {_scope_problem_sql(given)} as problem, '' as scope_text
        from (select distinct {selected} from {raw.relation})"""
    )


def _scope_problem_sql(given: Sequence[str]) -> str:
    cases = " ".join(
        f"when {problem.when.replace(problem.column, f'given_{problem.column}', 1)} then {number}"
        for number, problem in enumerate(_SCOPE_PROBLEMS, start=1)
        if problem.column in given
    )
    return f"cast(case {cases} else 0 end as utinyint)"


def _attribute(connection: duckdb.DuckDBPyConnection, attribution: Attribution) -> None:
    """Resolve providers from models and teams from owners, once per distinct combination."""
    models = connection.execute("select distinct model from file_scopes where provider = ''").fetchall()
    makers = pd.DataFrame(
        [(m, attribution.provider_of(str(m))) for (m,) in models], columns=["model", "maker"]
    )
    _update_from(connection, makers, "provider = m.maker", "t.provider = '' and t.model = m.model")
    connection.execute(
        f"""update file_scopes set scope_text = concat_ws(chr(31), {", ".join(TEXT_COLUMNS)})"""
    )
    unowned = connection.execute(
        "select distinct provider, project, key_id, user from file_scopes where team in ('', $none)",
        {"none": UNALLOCATED},
    ).fetchall()
    owners = pd.DataFrame(
        [(*facts, attribution.team_of(Owned(*map(str, facts)))) for facts in unowned],
        columns=["provider", "project", "key_id", "user", "owner"],
    )
    same = " and ".join(f"t.{name} = m.{name}" for name in ("provider", "project", "key_id", "user"))
    connection.execute(
        f"""alter table file_scopes add column named_team varchar;
        update file_scopes set named_team = case when team = '{UNALLOCATED}' then '' else team end"""
    )
    _update_from(connection, owners, "team = m.owner", f"t.team in ('', '{UNALLOCATED}') and {same}")
    others = [name for name in TEXT_COLUMNS if name != "prompt_template"]
    connection.execute(
        "update file_scopes set "
        + ", ".join(f"{n} = coalesce(nullif({n}, ''), '{UNALLOCATED}')" for n in others)
    )


def _update_from(
    connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame, assignment: str, condition: str
) -> None:
    if frame.empty:
        return
    connection.register("attributed", frame)
    connection.execute(f"update file_scopes t set {assignment} from attributed m where {condition}")
    connection.unregister("attributed")


def _number_scopes(connection: duckdb.DuckDBPyConnection) -> None:
    """Give each file scope the id of the stored scope of the same facts, or the next free id."""
    keys = [name for name in TEXT_COLUMNS if name != "team"]
    same = " and ".join(f"s.{name} = t.{name}" for name in keys)
    connection.execute(
        f"""update file_scopes t set scope_id = s.scope_id from scopes s
        where {same} and s.given_team = t.named_team"""
    )
    group = ", ".join([*keys, "named_team"])
    connection.execute(
        f"""update file_scopes t set scope_id = n.scope_id from (
            select {group}, row_number() over (order by {group})
                + (select coalesce(max(scope_id), 0) from scopes) as scope_id
            from file_scopes where scope_id = 0 group by {group}) n
        where t.scope_id = 0 and {" and ".join(f"t.{name} = n.{name}" for name in [*keys, "named_team"])}"""
    )


def insert_new_scopes(connection: duckdb.DuckDBPyConnection) -> None:
    """Store the scopes that accepted rows use and the ledger lacks."""
    columns = ", ".join(TEXT_COLUMNS)
    connection.execute(
        f"""insert into scopes (scope_id, {columns}, given_team)
        select distinct scope_id, {columns}, named_team from file_scopes f
        where scope_id in (select scope_id from staged where problem = 0)
            and scope_id not in (select scope_id from scopes)"""
    )
