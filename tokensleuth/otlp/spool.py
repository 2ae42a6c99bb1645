"""The spool: an SQLite file beside the ledger; what clients pushed is safe in it before they are answered."""

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import RLock
from uuid import uuid4

from ledger.errors import RefusedError, UnreachableError
from tokensleuth.otlp.intake import Intake

_SCHEMA = Path(__file__).with_name("schema.sql")
_WAIT_S = 30
"""For another process that writes; it does so for less than a second at a time."""


@dataclass(slots=True)
class Spool:
    """One connection, for any thread. Raises UnreachableError where the file takes no more."""

    path: Path
    connection: sqlite3.Connection
    most_bytes: int
    lock: RLock = field(default_factory=RLock)
    pending_bytes: int = 0
    """As of the last count, and what came in since."""

    def receive(self, requests: Sequence[Intake], now: datetime) -> list[bool]:
        """Store them, all or none; tells of each whether it is new. Nothing is lost once this returned."""
        size, known = 0, []
        with self.writing() as connection:
            for request in requests:
                done = connection.execute(
                    "insert or ignore into digests values (?, ?)", (request.digest, int(now.timestamp()))
                )
                known.append(done.rowcount == 1)
                if done.rowcount == 1:
                    packed = zlib.compress(request.payload.encode(), 1)
                    connection.execute("insert into pending (payload) values (?)", (packed,))
                    size += len(packed)
        self.pending_bytes += size
        return known

    def is_full(self) -> bool:
        """Whether as much waits to be flushed as may."""
        if self.pending_bytes > self.most_bytes:
            self.count_pending()
        return self.pending_bytes > self.most_bytes

    def count_pending(self) -> None:
        """Also what other processes stored and flushed."""
        with self.reading() as connection:
            (found,) = connection.execute("select coalesce(sum(length(payload)), 0) from pending").fetchone()
        self.pending_bytes = int(found)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; no other process writes meanwhile."""
        with self.lock, _told_errors(self.path):
            self.connection.execute("begin immediate")
            try:
                yield self.connection
                self.connection.execute("commit")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("rollback")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self.lock, _told_errors(self.path):
            yield self.connection

    def fact(self, name: str, default: str = "") -> str:
        """One of the few things that are kept by name."""
        with self.reading() as connection:
            found = connection.execute("select value from facts where name = ?", (name,)).fetchone()
        return str(found[0]) if found else default

    def close(self) -> None:
        with self.lock:
            self.connection.close()


@contextmanager
def open_spool(path: Path, now: datetime, *, most_bytes: int = 10**9) -> Iterator[Spool]:
    """Open or make one; `now` is when a new one is born: cumulative series from before begin uncounted.

    Raises RefusedError where the file is none, UnreachableError where it cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _told_errors(path):
        connection = sqlite3.connect(
            path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False, cached_statements=64
        )
    try:
        spool = Spool(path, connection, most_bytes)
        with _told_errors(path):
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            connection.execute("pragma cache_size = -65536")
            connection.executescript(_SCHEMA.read_text("utf-8"))
        path.chmod(0o600)
        with spool.writing() as writing:
            born = {"born": str(int(now.timestamp())), "name": uuid4().hex[:12], "folds": "0"}
            writing.executemany("insert or ignore into facts values (?, ?)", born.items())
        spool.count_pending()
        yield spool
    finally:
        connection.close()


def put_fact(connection: sqlite3.Connection, name: str, value: object) -> None:
    connection.execute("insert or replace into facts values (?, ?)", (name, str(value)))


def spool_path(ledger: Path) -> Path:
    """Where the spool of a ledger lies."""
    return ledger.with_name(f"{ledger.name}.otlp.sqlite")


@contextmanager
def _told_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise UnreachableError(f"the OTLP spool {path} cannot be used now: {error}") from error
    except sqlite3.DatabaseError as error:
        raise RefusedError(f"{path} is no OTLP spool: {error}") from error
