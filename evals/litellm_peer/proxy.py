"""Starts the proxy and waits until it answers."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import httpx2

from evals.litellm_peer.install import HERE, Installed, PeerBrokenError, installed
from evals.litellm_peer.postgres import Server, free_port, postgres

MASTER_KEY = "sk-peer-master"
START_S = 180


@dataclass(frozen=True, slots=True)
class Peer:
    """A running proxy."""

    url: str
    master_key: str
    database: str = ""
    """Where it is ours, as PostgreSQL's clients take it."""


@contextmanager
def litellm_peer(config: Path = HERE / "litellm.yaml") -> Iterator[Peer]:
    """A proxy with an empty database until the block ends; raises PeerAbsentError and PeerBrokenError."""
    peer = installed()
    with postgres() as server, TemporaryDirectory(prefix="tokensleuth-litellm-") as folder:
        server.run_files(peer.migrations)
        port, log = free_port(), Path(folder) / "log"
        process = _started(peer, server, port, log, config)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process, log)
            yield Peer(url, MASTER_KEY, server.url)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _started(peer: Installed, server: Server, port: int, log: Path, config: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PATH": f"{peer.bin}{os.pathsep}{os.environ.get('PATH', '')}",
        "DATABASE_URL": server.url,
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "LITELLM_SALT_KEY": "sk-peer-salt",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PRISMA_QUERY_ENGINE_BINARY": str(peer.shim),
        "DISABLE_SCHEMA_UPDATE": "true",
        "DISABLE_ADMIN_UI": "True",
    }
    command: list[str | Path] = [
        peer.bin / "litellm",
        "--config",
        config,
        "--host",
        "127.0.0.1",
    ]
    with log.open("wb") as out:
        return subprocess.Popen(
            [*command, "--port", str(port), "--num_workers", "1"],
            cwd=log.parent,
            env=environment,
            stdout=out,
            stderr=out,
        )


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    with httpx2.Client(timeout=2.0, trust_env=False) as client:
        for _ in range(START_S * 2):
            if process.poll() is not None:
                break
            try:
                if client.get(f"{url}/health/readiness").is_success:
                    return
            except httpx2.TransportError:
                pass
            Event().wait(0.5)
    raise PeerBrokenError(f"the proxy did not start within {START_S} s: {log.read_text()[-800:]}")
