"""Users under pseudonyms: what is hidden on the way in, and what keeps one person from having two names."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import duckdb

from ledger.errors import RefusedError
from ledger.scope import UNALLOCATED

Pseudonym: TypeAlias = Callable[[str], str]
"""Gives a name's pseudonym, and a pseudonym back as it is."""
PATTERN = "u_[0-9a-f]{16}"
MARK_OF = "tokensleuth"
"""Whose pseudonym tells keys apart."""

_PSEUDONYM = re.compile(PATTERN)
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")


def is_pseudonym(name: str) -> bool:
    return _PSEUDONYM.fullmatch(name) is not None


def hidden_name(dimension: str, name: str, pseudonym: Pseudonym) -> str:
    """A user's name is hidden whole; of the name of a key or a project the addresses of people in it."""
    if dimension == "user":
        return pseudonym(name)
    return _EMAIL.sub(lambda found: pseudonym(found[0]), name)


def hidden_names(
    names: Mapping[tuple[str, str, str], str], pseudonym: Pseudonym | None
) -> dict[tuple[str, str, str], str]:
    """By provider, dimension and id, as they may be stored."""
    if pseudonym is None:
        return dict(names)
    return {
        (provider, dimension, pseudonym(id_) if dimension == "user" else id_): hidden_name(
            dimension, name, pseudonym
        )
        for (provider, dimension, id_), name in names.items()
    }


def open_names(
    names: Mapping[tuple[str, str, str], str], pseudonym: Pseudonym | None
) -> dict[tuple[str, str, str], str]:
    """Stored names without those that hide a person: owner maps ask for them anew."""
    if pseudonym is None:
        return dict(names)
    return {key: name for key, name in names.items() if not _PSEUDONYM.search(name)}


def hidden_cells(cells: Mapping[str, str | int], pseudonym: Pseudonym | None) -> dict[str, str | int]:
    """A row of a source as it may be remembered."""
    user = cells.get("user")
    if pseudonym is None or not isinstance(user, str) or user in ("", UNALLOCATED):
        return dict(cells)
    return {**cells, "user": pseudonym(user)}


def refuse_two_names(
    connection: duckdb.DuckDBPyConnection, pseudonym: Pseudonym | None, users: Iterable[str]
) -> None:
    """Keep a person from being stored under two names: their records would count twice.

    The first load under pseudonyms marks the ledger. Raises RefusedError.
    """
    mark = stored_mark(connection)
    named = any(user and not is_pseudonym(user) for user in users)
    if pseudonym is None:
        if mark is not None and named:
            raise RefusedError(
                "this ledger has users under pseudonyms, and privacy.pseudonymous_users is false: "
                "turn it on, else everybody would count under two names"
            )
        return
    if mark is None:
        refuse_known_users(connection)
        set_mark(connection, pseudonym)
    elif mark != pseudonym(MARK_OF):
        raise RefusedError(
            "the pseudonyms of this ledger were made with another key: give it the TOKENSLEUTH_SECRET, "
            "or the key file beside the casebook, that it had"
        )


def refuse_known_users(connection: duckdb.DuckDBPyConnection) -> None:
    """Raises RefusedError where users are stored by name."""
    row = connection.execute(
        f"""select count(distinct "user") from scopes
        where "user" <> '{UNALLOCATED}' and not regexp_full_match("user", '{PATTERN}')"""
    ).fetchone()
    if row and row[0]:
        raise RefusedError(
            f"{row[0]:,} users stand in this ledger by name; run tokensleuth pseudonymise first, "
            "else everybody would count under two names"
        )


def stored_mark(connection: duckdb.DuckDBPyConnection) -> str | None:
    rows = connection.execute("select mark from pseudonymous").fetchall()
    return str(rows[0][0]) if rows else None


def set_mark(connection: duckdb.DuckDBPyConnection, pseudonym: Pseudonym) -> None:
    connection.execute("delete from pseudonymous")
    connection.execute("insert into pseudonymous values (?)", [pseudonym(MARK_OF)])
