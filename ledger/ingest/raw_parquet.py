"""Parquet as DuckDB reads it: scanned where it is, never copied into a table."""

from pathlib import Path

import duckdb

from ledger.ingest.preflight import UsageFile
from ledger.ingest.raw_csv import refuse_doubled
from ledger.ingest.table import RawTable, quoted
from ledger.ingest.unreadable import create_unreadable

_READ_AS = {'"NULL"': "VARCHAR", "UUID": "VARCHAR", "TIMESTAMPTZ_NS": "TIMESTAMP WITH TIME ZONE"}
"""Types read as another: a column of nothing, record ids, and pandas' nanoseconds."""


def read_parquet_rows(connection: duckdb.DuckDBPyConnection, file: UsageFile, path: Path) -> RawTable:
    scan = f"read_parquet({quoted(str(path))}, hive_partitioning = false, file_row_number = true)"
    described = connection.execute(
        f"describe select * from read_parquet({quoted(str(path))}, hive_partitioning = false)"
    ).fetchall()
    types = {str(name): str(kind) for name, kind, *_ in described}
    refuse_doubled(file, [name.lower() for name in types])
    values = "".join(f", {_value(name, kind)}" for name, kind in types.items())
    seen = {name.lower(): _READ_AS.get(kind, kind) for name, kind in types.items()}
    create_unreadable(connection)
    relation = f"(select file_row_number{values} from {scan})"
    return RawTable(file, path, relation, "file_row_number", "file_row_number + 1", seen)


def _value(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if kind in _READ_AS:
        return f"cast({column} as {_READ_AS[kind]}) as {column}"
    return f"nullif({column}, '') as {column}" if kind == "VARCHAR" else column
