"""npm `@copilotkit/aimock` on loopback: a server that speaks OpenAI's API and bills the tokens it is told to.

It is installed in the user's cache on first use.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from evals.child_process import free_port, listens, stop
from evals.npm_program import npm_program
from evals.unavailable import Unavailable

AIMOCK = "1.43.0"
START_S = 30.0
_PORT_TRIES = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """What it answers where the last message of a user has these words in it."""

    asked: str
    content: str
    input_tokens: int
    output_tokens: int

    def fixture(self) -> JsonValue:
        """In aimock's words."""
        tokens: JsonValue = {
            "prompt_tokens": self.input_tokens,
            "completion_tokens": self.output_tokens,
            "total_tokens": self.input_tokens + self.output_tokens,
        }
        return {"match": {"userMessage": self.asked}, "response": {"content": self.content, "usage": tokens}}


@contextmanager
def aimock_peer(replies: Sequence[Reply]) -> Iterator[str]:
    """The `api_base` until the block ends; what fits no reply is refused. Raises Unavailable."""
    script = npm_program("aimock", "@copilotkit/aimock", AIMOCK, "llmock")
    with tempfile.TemporaryDirectory(prefix="tokensleuth-aimock-") as name:
        folder = Path(name)
        fixtures = {"fixtures": [reply.fixture() for reply in replies]}
        (folder / "fixtures.json").write_text(json.dumps(fixtures), "utf-8")
        for _ in range(_PORT_TRIES):
            port = free_port()
            process = _start(script, folder, port)
            try:
                if listens(process, port, within_s=START_S):
                    yield f"http://127.0.0.1:{port}/v1"
                    return
            finally:
                stop(process)
        raise Unavailable(f"aimock did not start: {(folder / 'log').read_text('utf-8')[-1000:]}")


def _start(script: Path, folder: Path, port: int) -> subprocess.Popen[bytes]:
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [script, "--host", "127.0.0.1", "--port", str(port), "--fixtures", "fixtures.json", "--strict",
             "--metrics", "--log-level", "warn"],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
