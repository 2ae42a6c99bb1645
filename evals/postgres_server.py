"""A throw-away PostgreSQL on loopback for tests and the chaos harness, from Debian's package."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGQUIT
from threading import Event
from time import monotonic

import psycopg

from evals.child_process import free_port, stop
from evals.unavailable import Unavailable

BINARIES = Path("/usr/lib/postgresql")
START_S = 30.0
_PORT_TRIES = 5
GUARDED = "guarded"
"""The one user who needs a password to come in."""
_ACCESS = f"""host all {GUARDED} 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""
# Nothing here outlives the server, so nothing needs to reach the disk.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "autovacuum": "off",
    "unix_socket_directories": "",
}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server where everybody on this machine may do everything, but for the user `guarded`."""

    port: int
    pid: int
    numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template0") -> str:
        """The name of a new database, empty or like the template, to which nobody may be connected."""
        name = f"casebook_{next(self.numbers)}"
        self.execute(f"create database {name} template {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Also while somebody is connected to it."""
        self.execute(f"drop database {name} with (force)")

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The URL of a new database that is gone after the block."""
        name = self.create_database(template)
        try:
            yield self.url(name)
        finally:
            self.drop_database(name)

    def execute(self, sql: str) -> None:
        """In the database `postgres`, outside a transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.encode())


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A new, empty server on a free port until the block ends; raises Unavailable where there is none."""
    binaries = server_binaries()
    folder = Path(tempfile.mkdtemp(prefix="tokensleuth-postgres-"))
    try:
        owner = _owner()
        if owner is not None:
            shutil.chown(folder, owner, owner)
        _make_cluster(binaries, folder, owner)
        with _serving(binaries, folder, owner) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def server_binaries() -> Path:
    """The folder with the programs of the newest installed version."""
    found = sorted(BINARIES.glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise Unavailable(f"no PostgreSQL server under {BINARIES}; apt-get install postgresql")
    return found[-1].parent


def _owner() -> str | None:
    """PostgreSQL refuses to run as root; Debian's package makes a user for it."""
    return "postgres" if os.geteuid() == 0 else None


def _make_cluster(binaries: Path, folder: Path, owner: str | None) -> None:
    made = subprocess.run(
        [binaries / "initdb", "--pgdata", folder / "data", "--auth=trust", "--username=postgres",
         "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
        cwd=folder, user=owner, group=owner, extra_groups=_no_groups(owner), env=_environment(folder),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        raise Unavailable(f"initdb ended with {made.returncode}: {made.stderr.strip()}")
    (folder / "data" / "pg_hba.conf").write_text(_ACCESS, "utf-8")


@contextmanager
def _serving(binaries: Path, folder: Path, owner: str | None) -> Iterator[PostgresServer]:
    for _ in range(_PORT_TRIES):
        port = free_port()
        process = _start(binaries, folder, owner, port)
        try:
            if _answers(process, port):
                yield PostgresServer(port, process.pid)
                return
        finally:
            stop(process, (SIGINT, SIGQUIT, SIGKILL))  # a fast shutdown, an immediate one
    raise Unavailable(f"PostgreSQL did not start: {(folder / 'log').read_text('utf-8')[-1000:]}")


def _start(binaries: Path, folder: Path, owner: str | None, port: int) -> subprocess.Popen[bytes]:
    """In a session of its own, so that an interrupt from the keyboard reaches the tests first."""
    options = [option for name, value in _SETTINGS.items() for option in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [binaries / "postgres", "-D", folder / "data", "-p", str(port), *options],
            cwd=folder, user=owner, group=owner, extra_groups=_no_groups(owner), env=_environment(folder),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether it takes connections before it ends or the time is up."""
    deadline = monotonic() + START_S
    while process.poll() is None and monotonic() < deadline:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="postgres", connect_timeout=5).close()
        except psycopg.OperationalError:
            Event().wait(0.05)
        else:
            return process.poll() is None
    return False


def _no_groups(owner: str | None) -> list[str] | None:
    return None if owner is None else []


def _environment(folder: Path) -> Mapping[str, str]:
    """None of the caller's PG* variables, and a home that the owner may read."""
    return {"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
