"""Brings a ledger file to the current schema: numbered SQL files, each applied once, in one transaction."""

from importlib.resources import files

import duckdb

from ledger.errors import RefusedError


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Apply what is missing; raises RefusedError for a file of something else or of a newer program."""
    tables = {
        str(name) for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()
    }
    if tables and "schema_migrations" not in tables:
        raise RefusedError(f"the file is no ledger: it holds other tables ({', '.join(sorted(tables)[:3])})")
    connection.execute(
        "create table if not exists schema_migrations (number integer not null, name varchar not null)"
    )
    row = connection.execute("select coalesce(max(number), 0) from schema_migrations").fetchone()
    current = int(row[0]) if row else 0
    known = _migrations()
    if current > len(known):
        raise RefusedError(
            f"the ledger has schema {current}; this program knows up to {len(known)}: upgrade it"
        )
    for number, (name, sql) in enumerate(known, start=1):
        if number > current:
            connection.execute("begin")
            connection.execute(sql)
            connection.execute("insert into schema_migrations values (?, ?)", [number, name])
            connection.execute("commit")


def refuse_other_schema(connection: duckdb.DuckDBPyConnection) -> None:
    """For a connection that cannot migrate; raises RefusedError for any schema but the current one."""
    try:
        row = connection.execute("select coalesce(max(number), 0) from schema_migrations").fetchone()
    except duckdb.CatalogException:
        raise RefusedError("the file is no ledger, or an empty one") from None
    current, known = int(row[0]) if row else 0, len(_migrations())
    if current != known:
        raise RefusedError(
            f"the ledger has schema {current} and this program {known}: run any command that writes to it, "
            "such as tokensleuth ingest"
        )


def _migrations() -> list[tuple[str, str]]:
    """Names and texts in order; the numbers must be 1, 2, 3, ..."""
    found = sorted(f.name for f in files("ledger").joinpath("schema").iterdir() if f.name.endswith(".sql"))
    for number, name in enumerate(found, start=1):
        if not name.startswith(f"{number:04d}_"):
            raise RuntimeError(f"migration {name} should be number {number:04d}")
    return [(name, files("ledger").joinpath("schema", name).read_text("utf-8")) for name in found]
