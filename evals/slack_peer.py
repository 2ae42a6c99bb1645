"""A stateful Slack on loopback, npm `emulate`: what is posted there can be read back and changed.

It takes any token and any blocks, and knows no clicks, slash commands, Socket Mode or rate limits.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue

from evals.child_process import free_port, listens, stop
from evals.slack_install import Installed, installed
from evals.unavailable import Unavailable

START_S = 30.0
_PORT_TRIES = 3


@contextmanager
def slack_peer(seed: Mapping[str, JsonValue]) -> Iterator[str]:
    """The `base_url` for a WebClient, until the block ends; raises Unavailable.

    The seed is what `emulate` reads under `slack`: team, users, channels, bots.
    """
    found = installed()
    with tempfile.TemporaryDirectory(prefix="tokensleuth-slack-") as name:
        folder = Path(name)
        (folder / "seed.json").write_text(json.dumps({"slack": dict(seed)}), "utf-8")
        for _ in range(_PORT_TRIES):
            port = free_port()
            process = _start(found, folder, port)
            try:
                if listens(process, port, within_s=START_S):
                    yield f"http://127.0.0.1:{port}/api/"
                    return
            finally:
                stop(process)
        raise Unavailable(f"emulate did not start: {(folder / 'log').read_text('utf-8')[-1000:]}")


def _start(found: Installed, folder: Path, port: int) -> subprocess.Popen[bytes]:
    """With an address that names loopback by number: `localhost` may be another interface."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [found.node, found.script, "start", "--service", "slack", "--port", str(port),
             "--host", "127.0.0.1", "--base-url", f"http://127.0.0.1:{port}", "--seed", "seed.json"],
            cwd=folder, env={"PATH": os.defpath, "HOME": str(folder)},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
