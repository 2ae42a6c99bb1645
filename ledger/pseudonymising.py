"""Puts pseudonyms for the users that a ledger holds by name; done again, it finds nothing to do.

A record without an id is known by its texts, the user's among them: its identity changes with the name, so
that the same file loaded again is still a duplicate.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pandas as pd

from ledger.errors import RefusedError
from ledger.ingest.scopes import IDENTIFYING
from ledger.pseudonyms import (
    MARK_OF,
    Pseudonym,
    hidden_cells,
    hidden_names,
    is_pseudonym,
    set_mark,
    stored_mark,
)
from ledger.scope import UNALLOCATED

_WITH_USERS = ("scopes", "kept_series", "charges")
_WITH_IDENTITIES = ("usage", "usage_restated", "usage_funding")
_LEAST_IN_TEXT = 5


@dataclass(frozen=True, slots=True)
class Users:
    """Who a ledger names."""

    connection: duckdb.DuckDBPyConnection

    def named(self) -> list[str]:
        """Users who are stored by name, in order."""
        every = " union ".join(f'select "user" as name from {table}' for table in _WITH_USERS)
        found = self.connection.execute(
            f"select distinct name from ({every}) where name not in ('', '{UNALLOCATED}') order by name"
        ).fetchall()
        return [str(name) for (name,) in found if not is_pseudonym(str(name))]

    def hide(self, pseudonym: Pseudonym) -> dict[str, int]:
        """Rewrite them in one transaction; how many rows of each table changed, and how many people they are.

        Raises RefusedError for a ledger whose pseudonyms were made with another key.
        """
        if (mark := stored_mark(self.connection)) not in (None, pseudonym(MARK_OF)):
            raise RefusedError(f"the pseudonyms of this ledger were made with another key (mark {mark})")
        with self._transaction():
            return self._hide(pseudonym)

    def _hide(self, pseudonym: Pseudonym) -> dict[str, int]:
        users = self.named()
        rows = pd.DataFrame(
            [(name, pseudonym(name)) for name in users], columns=["raw", "hidden"], dtype=object
        )
        self.connection.register("hidden_users", rows)
        try:
            changed = {f"{table} (identities)": n for table, n in self._hide_identities().items()}
            for table in _WITH_USERS:
                changed[table] = self._hide_in(table)
        finally:
            self.connection.unregister("hidden_users")
        changed["source_names"] = self._hide_names(pseudonym)
        changed["pulled_rows"] = self._hide_pulled(pseudonym)
        set_mark(self.connection, pseudonym)
        return {"users": len(users)} | {name: count for name, count in changed.items() if count}

    def _hide_identities(self) -> dict[str, int]:
        old, new = (_identifying_text(user) for user in ('s."user"', "h.hidden"))
        self.connection.execute(
            f"""create or replace temp table renamed as
            select s.scope_id, {old} as old_text, {new} as new_text
            from scopes s join hidden_users h on h.raw = s."user" """
        )
        counts = {
            table: self._count(
                f"""update {table} u set identity = {_identity("r.new_text")} from renamed r
                where u.scope_id = r.scope_id and u.identity = {_identity("r.old_text")}"""
            )
            for table in _WITH_IDENTITIES
        }
        self.connection.execute("drop table renamed")
        return counts

    def _hide_in(self, table: str) -> int:
        texts = (
            f""", resource_id = case when t.resource_id = h.raw then h.hidden else t.resource_id end,
            resource_name = case when t.resource_name = h.raw then h.hidden else t.resource_name end,
            description = case when length(h.raw) < {_LEAST_IN_TEXT} then t.description
                else replace(t.description, h.raw, h.hidden) end"""
            if table == "charges"
            else ""
        )
        return self._count(
            f"""update {table} t set "user" = h.hidden {texts} from hidden_users h where t."user" = h.raw"""
        )

    def _hide_names(self, pseudonym: Pseudonym) -> int:
        found = self.connection.execute("select provider, dimension, id, name from source_names").fetchall()
        names = {(provider, dimension, id_): name for provider, dimension, id_, name in found}
        hidden = hidden_names(names, pseudonym)
        if hidden == names:
            return 0
        rows = [(*key, name) for key, name in hidden.items()]
        self.connection.execute("delete from source_names")
        self.connection.executemany("insert into source_names values (?, ?, ?, ?)", rows)
        return len(set(names.items()) - set(hidden.items()))

    def _hide_pulled(self, pseudonym: Pseudonym) -> int:
        """What is remembered of the last buckets of the sources."""
        found = self.connection.execute(
            """select rowid, cells from pulled_rows where contains(cells, '"user"')"""
        ).fetchall()
        rows = [(row, cells, _hidden_json(cells, pseudonym)) for row, cells in found]
        changed: Sequence[tuple[str, int]] = [(new, row) for row, old, new in rows if new != old]
        if changed:
            self.connection.executemany("update pulled_rows set cells = ? where rowid = ?", changed)
        return len(changed)

    def _count(self, sql: str) -> int:
        row = self.connection.execute(sql).fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute("begin")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")


def _identifying_text(user: str) -> str:
    """The text by which ingest knows a record of a stored scope, with another user."""
    return f"concat_ws(chr(31), {', '.join(_given(name, user) for name in IDENTIFYING)})"


def _given(name: str, user: str) -> str:
    """A dimension as it was given: an absent one was empty, but for the provider, which the model tells."""
    match name:
        case "named_team":
            return "s.given_team"
        case "user":
            return user
        case "model" | "provider":
            return f"s.{name}"
        case _:
            return f"case when s.{name} = '{UNALLOCATED}' then '' else s.{name} end"


def _identity(text: str) -> str:
    return f"md5_number(concat(epoch_us(u.started_at), chr(30), {text}))"


def _hidden_json(cells: str, pseudonym: Pseudonym) -> str:
    return json.dumps(hidden_cells(json.loads(cells), pseudonym), sort_keys=True)
