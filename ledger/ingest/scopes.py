"""The scopes a file names: its distinct text columns, given providers and teams, numbered as stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb
import pandas as pd

from ledger.ingest.checks import CONTROL_CHARACTERS, HAS_CONTROL_CHARACTERS, TOO_LONG, problem_sql
from ledger.ingest.contract import MAX_TEXT, TEXT_COLUMNS
from ledger.ingest.secrets import NOT_AN_ID, looks_secret
from ledger.ingest.table import ContractTable, Problem
from ledger.pseudonyms import Pseudonym, refuse_two_names
from ledger.scope import DIMENSIONS, UNALLOCATED


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
    pseudonym: Pseudonym | None = None
    """What users are stored as; None: as they are. `team_of` sees them as they are in any case."""


SCOPE_PROBLEMS: tuple[Problem, ...] = (
    Problem("model", "model = ''", "is required"),
    Problem("key_id", looks_secret("key_id"), NOT_AN_ID),
    *(Problem(name, f"length({name}) > {MAX_TEXT}", TOO_LONG) for name in TEXT_COLUMNS),
    *(
        Problem(name, f"regexp_matches({name}, '{CONTROL_CHARACTERS}')", HAS_CONTROL_CHARACTERS)
        for name in TEXT_COLUMNS
    ),
)
"""What can be wrong with a scope; checked once per scope, not per row."""

_KEYS = [name for name in TEXT_COLUMNS if name != "team"] + ["named_team"]
"""What makes two rows one scope; `named_team` is the team the source named, empty where it named none."""


IDENTIFYING = ["named_team" if name == "team" else name for name in TEXT_COLUMNS]
"""Whose texts are the identity of a row without a `record_id`."""


def collect_scopes(
    connection: duckdb.DuckDBPyConnection, table: ContractTable, attribution: Attribution
) -> None:
    """Make `file_scopes`: each distinct combination as given (`given_*`), resolved, checked and numbered."""
    given = given_columns(table)
    selected = ", ".join(f"{given_text(table, name)} as given_{name}" for name in given)
    resolved = ", ".join(f"{_resolved(name, given)} as {name}" for name in TEXT_COLUMNS)
    connection.execute(
        f"""create or replace temp table file_scopes as
        select *, {problem_sql(SCOPE_PROBLEMS)} as problem, team as named_team,
            0::integer as scope_id, '' as scope_text
        from (select *, {resolved} from (select distinct {selected} from {table.relation}))"""
    )
    _attribute(connection, attribution)
    _number_scopes(connection)


def _resolved(name: str, given: Sequence[str]) -> str:
    """An absent text is empty here, and so is a dimension that was given as UNALLOCATED."""
    if name not in given:
        return "''"
    text = f"trim(given_{name})"
    return text if name == "model" else f"coalesce(nullif({text}, '{UNALLOCATED}'), '')"


def given_columns(table: ContractTable) -> list[str]:
    return [name for name in TEXT_COLUMNS if name in table.types]


def given_text(table: ContractTable, name: str) -> str:
    """SQL of a text column as the file gives it, empty where it is absent."""
    column = f'"{name}"' if table.types[name] == "VARCHAR" else f'cast("{name}" as varchar)'
    return f"coalesce({column}, '')"


def insert_new_scopes(connection: duckdb.DuckDBPyConnection) -> None:
    """Store the scopes that accepted rows use and the ledger lacks."""
    columns = ", ".join(TEXT_COLUMNS)
    connection.execute(
        f"""insert into scopes (scope_id, {columns}, given_team)
        select distinct scope_id, {columns}, named_team from file_scopes f
        where scope_id in (select scope_id from staged where problem = 0)
            and scope_id not in (select scope_id from scopes)"""
    )


def _attribute(connection: duckdb.DuckDBPyConnection, attribution: Attribution) -> None:
    """Resolve providers from models and teams from owners, once per distinct combination."""
    models = connection.execute("select distinct model from file_scopes where provider = ''").fetchall()
    makers = [(model, attribution.provider_of(str(model))) for (model,) in models]
    _update(connection, makers, ["model"], sets="provider", where="t.provider = ''")
    facts = ["provider", "project", "key_id", "user"]
    unowned = connection.execute(
        f"select distinct {', '.join(facts)} from file_scopes where named_team = ''"
    ).fetchall()
    owners = [(*owned, attribution.team_of(Owned(*map(str, owned)))) for owned in unowned]
    _update(connection, owners, facts, sets="team", where="t.named_team = ''")
    _hide_users(connection, attribution.pseudonym)
    connection.execute(f"update file_scopes set scope_text = concat_ws(chr(31), {', '.join(IDENTIFYING)})")
    connection.execute(
        "update file_scopes set "
        + ", ".join(f"{n} = coalesce(nullif({n}, ''), '{UNALLOCATED}')" for n in DIMENSIONS)
    )


def _hide_users(connection: duckdb.DuckDBPyConnection, pseudonym: Pseudonym | None) -> None:
    found = connection.execute("select distinct user from file_scopes where user <> ''").fetchall()
    users = [str(user) for (user,) in found]
    refuse_two_names(connection, pseudonym, users)
    if pseudonym is not None:
        _update(connection, [(user, pseudonym(user)) for user in users], ["user"], sets="user", where="true")


def _update(
    connection: duckdb.DuckDBPyConnection,
    rows: Sequence[tuple[object, ...]],
    keys: Sequence[str],
    *,
    sets: str,
    where: str,
) -> None:
    """Set one column of `file_scopes` from rows of the key columns and the value."""
    if not rows:
        return
    connection.register("attributed", pd.DataFrame(rows, columns=[*keys, "attributed_value"]))
    same = " and ".join(f"t.{key} = a.{key}" for key in keys)
    connection.execute(
        f"update file_scopes t set {sets} = a.attributed_value from attributed a where {where} and {same}"
    )
    connection.unregister("attributed")


def _number_scopes(connection: duckdb.DuckDBPyConnection) -> None:
    """Give each file scope the id of the stored scope of the same facts, or the next free id."""
    stored = " and ".join(f"s.{'given_team' if name == 'named_team' else name} = t.{name}" for name in _KEYS)
    connection.execute(f"update file_scopes t set scope_id = s.scope_id from scopes s where {stored}")
    keys = ", ".join(_KEYS)
    same = " and ".join(f"t.{name} = n.{name}" for name in _KEYS)
    connection.execute(
        f"""update file_scopes t set scope_id = n.scope_id from (
            select {keys}, row_number() over (order by {keys})
                + (select coalesce(max(scope_id), 0) from scopes) as scope_id
            from file_scopes where scope_id = 0 group by {keys}) n
        where t.scope_id = 0 and {same}"""
    )
