"""Programs from npm that peers run on, installed in the user's cache on first use."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from evals.unavailable import Unavailable

_INSTALL_S = 600


def npm_program(name: str, package: str, version: str, program: str) -> Path:
    """The program of a package in this version; raises Unavailable where something is missing."""
    for needed in ("node", "npm"):
        if shutil.which(needed) is None:
            raise Unavailable(f"there is no {needed} on the path, and {name} needs it")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / f"tokensleuth-{name}"
    script = home / version / "node_modules" / ".bin" / program
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not script.exists():
            _install(home / version, f"{package}@{version}")
    return script


def _install(folder: Path, package: str) -> None:
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save",
               "--prefix", str(folder), package]  # fmt: skip
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"`{' '.join(command)}`: {error}") from None
    if ran.returncode != 0:
        raise Unavailable(f"`{' '.join(command)}` ended with {ran.returncode}: {ran.stderr.strip()[-500:]}")
