"""`python -m evals.bare_load FILE DATABASE`: what DuckDB alone needs to copy a Parquet file into a table."""

import sys

import duckdb


def load(source: str, database: str) -> int:
    """`insert into ... select * from read_parquet`, into a fresh database file; returns the rows loaded."""
    with duckdb.connect(database) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            "create table usage as select * from read_parquet($source) limit 0", {"source": source}
        )
        loaded = connection.execute(
            "insert into usage select * from read_parquet($source)", {"source": source}
        ).fetchone()
    return int(loaded[0]) if loaded else 0


if __name__ == "__main__":
    print(load(sys.argv[1], sys.argv[2]))
