"""Opens the database of a casebook: URL to engine, SQLite settings, the version check, plain errors."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from ledger.errors import RefusedError, UnreachableError
from tokensleuth.casebook.keyfile import key_in_file
from tokensleuth.casebook.schema import HEAD, VERSION_TABLE, metadata

LOCK_TIMEOUT_S = 10.0
"""How long a statement waits for another process's write before it gives up."""

_EXAMPLES = "sqlite:///path/to/casebook.sqlite or postgresql://user@host/database"
_SECRET_OPTIONS = ("password", "sslpassword")
_WAL_TRIES = 100
_MIGRATION_LOCK, _WRITE_LOCK = 7106151, 7106152
_IDLE_LIMIT = "idle_in_transaction_session_timeout=60000"
"""Of PostgreSQL, in ms: a host that dies while it holds the write lock would stop all others for hours."""
_REFUSED_SQLSTATES = ("42501", "25006")
"""Of PostgreSQL: insufficient privilege; a server or user that may only read."""


def open_engine(url: str, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> Engine:
    """An engine on an up-to-date casebook, created or migrated as needed.

    Raises RefusedError or UnreachableError.
    """
    parsed = parse_url(url)
    engine = (
        _sqlite_engine(parsed, lock_timeout_s)
        if _is_sqlite(parsed)
        else _postgresql_engine(parsed, lock_timeout_s)
    )
    try:
        with plain_errors(engine):
            if not _is_current(engine):
                _bring_to_head(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def is_there(url: str) -> bool:
    """Whether there is a database to look into; opening a file that does not exist would make it."""
    parsed = parse_url(url)
    return not _is_sqlite(parsed) or Path(str(parsed.database)).exists()


def key_beside(url: str) -> bytes:
    """The key of a casebook that was given none: a file beside it, 0600, made on first use."""
    refuse_without_key(url)
    return key_in_file(Path(f"{parse_url(url).database}.key"))


def refuse_without_key(url: str) -> None:
    """Raises RefusedError for PostgreSQL, where every replica must be given the same key."""
    if file_of(url) is None:
        raise RefusedError(
            "a casebook in PostgreSQL needs a secret: set TOKENSLEUTH_SECRET, 16 bytes or more"
        )


def file_of(url: str) -> Path | None:
    """The file of a casebook in SQLite; None in PostgreSQL."""
    parsed = parse_url(url)
    return Path(str(parsed.database)) if _is_sqlite(parsed) else None


def parse_url(url: str) -> URL:
    """The parsed URL with the driver we support; raises RefusedError, never showing a password."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        shown = re.sub(r"://.*@", "://***@", url)
        raise RefusedError(f"`{shown}` is not a database URL; write {_EXAMPLES}") from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if parsed.database in (None, "", ":memory:") or parsed.query.get("uri"):
            raise RefusedError(f"a casebook lives in a file: `{shown_url(parsed)}` names none")
        return parsed
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    raise RefusedError(f"a casebook cannot live in `{parsed.drivername}`; write {_EXAMPLES}")


def shown_url(url: URL) -> str:
    """Without a password, wherever it is written."""
    return url.difference_update_query(_SECRET_OPTIONS).render_as_string(hide_password=True)


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction that takes the write lock at its start, so that two writers queue instead of failing.

    In PostgreSQL too there is one lock: writes are small, and the audit trail puts them in one order anyway.
    """
    with engine.execution_options(immediate=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"select pg_advisory_xact_lock({_WRITE_LOCK})"))
        yield connection


@contextmanager
def plain_errors(engine: Engine) -> Iterator[None]:
    """Turn what the database says about the outside world into our errors; mistakes in our SQL pass."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error, OperationalError) or error.connection_invalidated:
            raise UnreachableError(_unreachable_message(engine.url, str(error.orig))) from error
        shown, reason = shown_url(engine.url), _one_line(str(error.orig))
        if type(error.orig) is sqlite3.DatabaseError:
            raise RefusedError(f"`{shown}` is not a casebook: {reason}") from error
        while_connecting = error.statement is None
        if while_connecting or getattr(error.orig, "sqlstate", None) in _REFUSED_SQLSTATES:
            raise RefusedError(f"the casebook `{shown}` cannot be used: {reason}") from error
        raise


def _unreachable_message(url: URL, reason: str) -> str:
    if "locked" in reason or "lock timeout" in reason:
        return f"the casebook `{shown_url(url)}` is locked by another process; try again when it is done"
    return f"the casebook `{shown_url(url)}` cannot be used: {_one_line(reason)}"


def _one_line(reason: str) -> str:
    return " ".join(reason.split())


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _postgresql_engine(url: URL, lock_timeout_s: float) -> Engine:
    """Asks each pooled connection whether it still lives, so that a restart of the server is survived."""
    limits = f"-c lock_timeout={round(lock_timeout_s * 1000)} -c {_IDLE_LIMIT}"
    given = {"connect_timeout": 10} | ({} if "options" in url.query else {"options": limits})
    try:
        return create_engine(url, connect_args=given, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise RefusedError("a casebook in PostgreSQL needs the package psycopg; install it") from None


def _sqlite_engine(url: URL, lock_timeout_s: float) -> Engine:
    _create_private_file(Path(str(url.database)))
    engine = create_engine(url, connect_args={"timeout": lock_timeout_s})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _create_private_file(path: Path) -> None:
    """Evidence and proposals concern the owner only: 0600, in a folder of 0700 when we make it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise UnreachableError(f"the casebook `{path}` cannot be opened: {error.strerror}") from None


def _prepare_sqlite(dbapi_connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection = cast(sqlite3.Connection, dbapi_connection)
    connection.isolation_level = None
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma synchronous = full")
    _switch_to_wal(connection)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Unlike a statement, the switch does not wait while others open the same new file, so it is retried."""
    for _ in range(_WAL_TRIES):
        try:
            connection.execute("pragma journal_mode = wal").fetchall()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            Event().wait(0.05)
    connection.execute("pragma journal_mode = wal").fetchall()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("begin immediate" if immediate else "begin")


def _is_current(engine: Engine) -> bool:
    with engine.begin() as connection:
        return _version(connection) == HEAD


def _bring_to_head(engine: Engine) -> None:
    from tokensleuth.casebook.upgrade import upgrade  # alembic is loaded only when a migration is due

    with write_transaction(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"select pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        version = _version(connection)
        if version is not None and version > HEAD:
            raise RefusedError(
                f"the casebook `{shown_url(engine.url)}` has schema {version}; "
                f"this program knows up to {HEAD}: upgrade it"
            )
        if version != HEAD:
            upgrade(connection)


def _version(connection: Connection) -> str | None:
    """The schema version; None for an empty database; raises RefusedError when it holds something else."""
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE in tables:
        return str(connection.scalar(text(f"select version_num from {VERSION_TABLE}")))  # noqa: S608
    foreign = tables if connection.dialect.name == "sqlite" else tables & set(metadata.tables)
    if foreign:
        shown, names = shown_url(connection.engine.url), ", ".join(sorted(foreign)[:5])
        raise RefusedError(f"`{shown}` is not a casebook: it holds {names}")
    return None
