"""The table of lines the parser refused."""

from collections.abc import Sequence

import duckdb
import pandas as pd

from ledger.ingest.table import Unreadable

_COLUMNS = "line bigint, column_name varchar, text varchar, reason varchar, byte_at bigint, newlines bigint"


def create_unreadable(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"create or replace temp table unreadable ({_COLUMNS})")


def note_unreadable(connection: duckdb.DuckDBPyConnection, found: Sequence[Unreadable]) -> None:
    if found:
        connection.register("found", pd.DataFrame(found))
        connection.execute("insert into unreadable select * from found")
        connection.unregister("found")
