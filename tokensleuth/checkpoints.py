"""Where the graph keeps its steps: a disposable SQLite file that only this user may read."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from langgraph.checkpoint.sqlite import SqliteSaver

from ledger.errors import UnreachableError


@contextmanager
def open_checkpoints(path: Path) -> Iterator[SqliteSaver]:
    """Open or make the file with mode 0600: loading a checkpoint builds the types that are named in it.

    Raises UnreachableError where the file is no SQLite database or cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        yield _set_up(connection, path)
    finally:
        connection.close()


def _set_up(connection: sqlite3.Connection, path: Path) -> SqliteSaver:
    saver = SqliteSaver(connection)
    try:
        saver.setup()
    except sqlite3.DatabaseError as error:
        raise UnreachableError(
            f"{path} cannot be used: {error}; it only holds steps of investigations, so it may be deleted"
        ) from None
    return saver
