"""Gives the disk back what a ledger's file holds of deleted rows: DuckDB only uses it again for new ones."""

from pathlib import Path
from threading import Event

import duckdb

from ledger.errors import UnreachableError
from ledger.ingest.table import quoted

LEAST_FREE = 1 / 3
"""Of the file; below it the space is soon used again."""
LEAST_BYTES = 64 * 1024 * 1024
_SETTLE_S = 1.0
"""A process that opened the old file just before finds it locked for so long, and opens the new one."""


def is_worth_compacting(path: Path) -> bool:
    """Whether a third of a large file is free; raises UnreachableError where another process writes to it."""
    if not path.exists() or path.stat().st_size < LEAST_BYTES:
        return False
    with _reading(path) as connection:
        row = connection.execute("select total_blocks, free_blocks from pragma_database_size()").fetchone()
    return row is not None and row[1] >= LEAST_FREE * row[0]


def compact(path: Path) -> int:
    """Copy the ledger into a new file that takes its place; returns the bytes given back.

    Readers are not disturbed; writers wait. A kill leaves the old file, and a copy the next one writes over.
    """
    aside = path.with_name(f"{path.name}.compacted")
    before = path.stat().st_size
    with _reading(path):
        for stale in (aside, Path(f"{aside}.wal")):
            stale.unlink(missing_ok=True)
        _copy(path, aside)
        if Path(f"{path}.wal").exists():
            aside.unlink()
            return 0
        aside.chmod(path.stat().st_mode)
        aside.replace(path)
        Event().wait(_SETTLE_S)
    return before - path.stat().st_size


def _reading(path: Path) -> duckdb.DuckDBPyConnection:
    """Holds the lock that keeps writers out."""
    try:
        return duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise UnreachableError(
            f"the ledger {path} cannot be compacted now: {str(error).splitlines()[0]}"
        ) from None


def _copy(path: Path, aside: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
        connection.execute(
            f"attach {quoted(str(path))} as old (read_only); attach {quoted(str(aside))} as new"
        )
        connection.execute("copy from database old to new")
        connection.execute("checkpoint new")
        connection.execute("detach new; detach old")
