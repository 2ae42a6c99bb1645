"""A PostgreSQL server of its own, on a free loopback port and in a temporary folder, while a block runs."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from threading import Event

from evals.litellm_peer.install import PeerAbsentError, PeerBrokenError

DEBIAN = Path("/usr/lib/postgresql")
START_S = 30


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, whose user postgres needs no password."""

    programs: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/litellm"

    def run_files(self, files: Sequence[Path]) -> None:
        """Run SQL files in their order; raises PeerBrokenError at the first mistake."""
        named = [part for file in files for part in ("-f", str(file))]
        _checked([self.programs / "psql", "-q", "-v", "ON_ERROR_STOP=1", self.url, *named])


@contextmanager
def postgres() -> Iterator[Server]:
    """With an empty database `litellm`; raises PeerAbsentError where PostgreSQL is not installed."""
    programs = _programs()
    folder = Path(mkdtemp(prefix="tokensleuth-postgres-"))
    owner = "postgres" if os.geteuid() == 0 else None
    try:
        if owner:
            shutil.chown(folder, owner)
        data = folder / "data"
        _checked([programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres"], owner)
        server = Server(programs, folder, free_port())
        process = _started(server, owner)
        try:
            _wait_for(server, process)
            _checked(
                [
                    programs / "createdb",
                    "-h",
                    "127.0.0.1",
                    "-p",
                    str(server.port),
                    "-U",
                    "postgres",
                    "litellm",
                ]
            )
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()
    finally:
        shutil.rmtree(folder)


def free_port() -> int:
    """One that nobody listened on a moment ago."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _programs() -> Path:
    found = sorted(DEBIAN.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    elsewhere = shutil.which("postgres")
    if not found and not elsewhere:
        raise PeerAbsentError("PostgreSQL is not installed; Debian's postgresql will do")
    return found[-1].parent if found else Path(str(elsewhere)).resolve().parent


def _started(server: Server, owner: str | None) -> subprocess.Popen[bytes]:
    settings = ("listen_addresses=127.0.0.1", "fsync=off", f"unix_socket_directories={server.folder}")
    options = [part for setting in settings for part in ("-c", setting)]
    command: list[str | Path] = [
        server.programs / "postgres",
        "-D",
        server.folder / "data",
        "-p",
        str(server.port),
        *options,
    ]
    with (server.folder / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=server.folder,
            stdout=log,
            stderr=log,
            user=owner,
            group=owner,
            extra_groups=_alone(owner),
        )


def _wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    ready: list[str | Path] = [
        server.programs / "pg_isready",
        "-q",
        "-h",
        "127.0.0.1",
        "-p",
        str(server.port),
    ]
    for _ in range(START_S * 5):
        if process.poll() is not None:
            raise PeerBrokenError(f"PostgreSQL ended at once with status {process.returncode}")
        if subprocess.run(ready, check=False).returncode == 0:
            return
        Event().wait(0.2)
    raise PeerBrokenError(f"PostgreSQL did not start within {START_S} s")


def _checked(command: Sequence[str | Path], owner: str | None = None) -> None:
    """PostgreSQL refuses to run as root, so root runs it as its own user."""
    done = subprocess.run(
        command, cwd="/", user=owner, group=owner, extra_groups=_alone(owner), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise PeerBrokenError(f"{Path(command[0]).name} failed: {done.stderr[-800:]}")


def _alone(owner: str | None) -> list[str] | None:
    return [] if owner else None
