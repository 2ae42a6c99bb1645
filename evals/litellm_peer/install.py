"""Installs LiteLLM, its Prisma client and the stand-in for Prisma's engine; from PyPI and npm only."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PYTHON_PACKAGES = ("litellm[proxy]==1.102.4", "prisma==0.15.0")
NPM_PACKAGES = (
    "@prisma/client@5.17.0",
    "@prisma/adapter-pg@5.17.0",
    "@prisma/driver-adapter-utils@5.17.0",
    "graphql@16",
    "pg@8",
)
ENGINE_COMMIT = "393aa359c9ad4a4bb28630fb5613f9c281cde053"
"""Of Prisma 5.17.0; the client that prisma 0.15.0 makes wants this very one."""


class PeerAbsentError(Exception):
    """A program that the proxy needs is not installed here."""


class PeerBrokenError(Exception):
    """Installing or starting it failed."""


@dataclass(frozen=True, slots=True)
class Installed:
    """Where things lie."""

    home: Path

    @property
    def bin(self) -> Path:
        return self.home / "venv" / "bin"

    @property
    def packages(self) -> Path:
        return next((self.home / "venv" / "lib").glob("python3.*/site-packages"))

    @property
    def shim(self) -> Path:
        """Beside the npm packages, so that it finds them."""
        return self.home / "npm" / "qe-shim.cjs"

    @property
    def migrations(self) -> list[Path]:
        """LiteLLM's own, in their order."""
        return sorted((self.packages / "litellm_proxy_extras" / "migrations").glob("*/migration.sql"))


def installed() -> Installed:
    """What an earlier call installed, else installs it, which takes some minutes; raises PeerAbsentError and
    PeerBrokenError."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            raise PeerAbsentError(f"{command} is not installed; Debian's nodejs and npm will do")
    peer = Installed(_cache() / "tokensleuth-litellm")
    stamp, wanted = peer.home / "installed.txt", "\n".join((*PYTHON_PACKAGES, *NPM_PACKAGES))
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(peer.home, ignore_errors=True)
        (peer.home / "npm").mkdir(parents=True)
        _install(peer)
        stamp.write_text(wanted)
    _put(HERE / "qe-shim.cjs", peer.shim)
    return peer


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _install(peer: Installed) -> None:
    print("installing LiteLLM, for the first time only ...", file=sys.stderr, flush=True)
    _run([sys.executable, "-m", "venv", peer.home / "venv"], peer.home)
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        _run([uv, "pip", "install", "--python", peer.bin / "python", *PYTHON_PACKAGES], peer.home)
    else:
        _run([peer.bin / "python", "-m", "pip", "install", "--quiet", *PYTHON_PACKAGES], peer.home)
    (peer.home / "npm" / "package.json").write_text('{"private": true}')
    npm = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    _run([*npm, *NPM_PACKAGES], peer.home / "npm")
    _put(HERE / "qe-shim.cjs", peer.shim)
    _make_client(peer)


def _make_client(peer: Installed) -> None:
    """Prisma asks its engines only for their version while it makes the client; scripts tell it."""
    model = (peer.packages / "litellm" / "proxy" / "schema.prisma").read_text()
    lines = [line for line in model.splitlines() if "binaryTargets" not in line]
    schema = peer.home / "schema.prisma"
    schema.write_text("\n".join(lines))
    settings = {
        "PRISMA_HOME_DIR": str(peer.home / "prisma"),
        "PRISMA_QUERY_ENGINE_BINARY": str(peer.shim),
        "PRISMA_SCHEMA_ENGINE_BINARY": str(_telling(peer, f"schema-engine-cli {ENGINE_COMMIT}")),
        "PRISMA_QUERY_ENGINE_LIBRARY": str(_telling(peer, ENGINE_COMMIT)),
    }
    _run([peer.bin / "prisma", "generate", "--schema", schema], peer.home, _with_path(peer, settings))


def _telling(peer: Installed, version: str) -> Path:
    script = peer.home / f"{version.split()[0]}.sh"
    script.write_text(f"#!/bin/sh\necho '{version}'\n")
    script.chmod(0o755)
    return script


def _with_path(peer: Installed, settings: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "PATH": f"{peer.bin}{os.pathsep}{os.environ.get('PATH', '')}", **settings}


def _put(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    target.chmod(0o755)


def _run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerBrokenError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout)[-800:]}")
