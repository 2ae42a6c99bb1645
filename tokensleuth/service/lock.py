"""One process works on a casebook in a file; in PostgreSQL several share the work by leases."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import RefusedError, UnreachableError
from tokensleuth.casebook.opening import file_of


@contextmanager
def sole_worker(casebook_url: str) -> Iterator[None]:
    """Hold the lock of the casebook; raises RefusedError, naming the process, where another holds it.

    The system frees it when the process ends, however it ends.
    """
    path = file_of(casebook_url)
    if path is None:
        yield
        return
    real = path.resolve()  # two names of one file are one casebook
    lock = real.with_name(f"{real.name}.lock")
    descriptor = _opened(lock)
    try:
        _hold(descriptor, lock)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_shared(casebook_url: str) -> bool:
    """Whether several processes may work on it at once."""
    return file_of(casebook_url) is None


def _opened(lock: Path) -> int:
    try:
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UnreachableError(f"the lock `{lock}` cannot be opened: {error.strerror}") from None


def _hold(descriptor: int, lock: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "another"
        raise RefusedError(
            f"process {holder} works on this casebook already ({lock}); stop it, or use PostgreSQL"
        ) from None
