"""The ledger: one DuckDB file, opened by one process, brought to the current schema."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event

import duckdb

from ledger.engine import DuckDbEngine
from ledger.errors import RefusedError, UnreachableError
from ledger.ingest.load import LoadOptions, load_file
from ledger.ingest.result import IngestResult
from ledger.ingest.scopes import Attribution
from ledger.kept.store import Kept
from ledger.migrations import migrate, refuse_other_schema
from ledger.prices.book import PriceBook
from ledger.prices.coverage import PricingSummary, unpriced_usage
from ledger.prices.repricing import RepriceReport, reprice
from ledger.pseudonymising import Users
from ledger.pulled import Pulled
from ledger.reader import Reader
from ledger.retention import Retention
from ledger.sources import SOURCES

_POLL_S = 0.1
MEMORY_LIMIT = "2GB"
"""Enough for files of tens of millions of rows; DuckDB spills beyond it."""


class Ledger:
    """Owns the connection; reading goes through `reader`, writing through the methods here."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.reader = Reader(DuckDbEngine(connection))
        self.kept = Kept(connection)
        self.pulled = Pulled(connection)
        self.retention = Retention(connection)
        self.users = Users(connection)

    def load(
        self, path: Path, options: LoadOptions, *, attribution: Attribution, book: PriceBook
    ) -> IngestResult:
        """Load one usage file; see `ledger.ingest.load.load_file`."""
        return load_file(
            self._connection,
            path,
            options,
            source=SOURCES[options.format],
            attribution=attribution,
            book=book,
        )

    def reprice(self, book: PriceBook, *, now: datetime, apply: bool) -> RepriceReport:
        """What stored usage would cost by this book; `apply` re-costs it and keeps what it cost before."""
        self._connection.execute("begin")
        try:
            report = reprice(self._connection, book, now=now, apply=apply)
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")
        return report

    def limit_memory(self, megabytes: int) -> None:
        """Hold fewer blocks of the file in memory; a query that needs more writes to disk on its way."""
        self._connection.execute(f"set memory_limit = '{int(megabytes)}MB'")

    def pricing(self, book: PriceBook) -> PricingSummary:
        """What has no price and why, and which models have long-context prices that are not applied."""
        return unpriced_usage(self._connection, book)


@contextmanager
def open_ledger(path: Path, *, create: bool = True, wait_s: float = 0) -> Iterator[Ledger]:
    """Open a ledger; raises RefusedError where the file is none, UnreachableError where another has it.

    For `wait_s` seconds it waits for another process to be done with it.
    """
    if not create:
        _refuse_missing(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _waiting(lambda: _connect(path), wait_s)
    # The lock on the file is ours: what lies here was spilled by a process that was killed.
    shutil.rmtree(f"{path}.tmp", ignore_errors=True)
    try:
        migrate(connection)
        yield Ledger(connection)
    finally:
        connection.close()


@contextmanager
def read_ledger(path: Path, *, wait_s: float = 0) -> Iterator[Ledger]:
    """Open a ledger beside others who read it; raises as `open_ledger` does, and writing to it fails."""
    _refuse_missing(path)
    connection = _waiting(lambda: _connect(path, read_only=True), wait_s)
    try:
        refuse_other_schema(connection)
        yield Ledger(connection)
    finally:
        connection.close()


def _refuse_missing(path: Path) -> None:
    if not path.exists():
        raise RefusedError(f"no ledger at {path}; load usage first: tokensleuth ingest FILE")


def _waiting(connect: Callable[[], duckdb.DuckDBPyConnection], wait_s: float) -> duckdb.DuckDBPyConnection:
    for _ in range(int(wait_s / _POLL_S)):
        try:
            return connect()
        except UnreachableError:
            Event().wait(_POLL_S)
    return connect()


def _connect(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "allocator_background_threads": "false",
    }
    try:
        connection = duckdb.connect(str(path), read_only=read_only, config=config)
        connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
        return connection
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise UnreachableError(
                f"the ledger {path} is in use by another process; stop it or use another --ledger"
            ) from None
        raise UnreachableError(f"{path} cannot be opened: {str(error).splitlines()[0]}") from None
    except duckdb.Error as error:
        raise RefusedError(f"{path} is not a ledger: {str(error).splitlines()[0]}") from None
