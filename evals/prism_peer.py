"""npm `@stoplight/prism-cli` on loopback: a server that holds requests against OpenAI's schema, stateless.

It is installed in the user's cache on first use.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue

from evals.child_process import free_port, listens, stop
from evals.npm_program import npm_program
from evals.openai_contract import SCHEMA
from evals.unavailable import Unavailable

PRISM = "5.16.0"
START_S = 60.0
_PORT_TRIES = 3
EXAMPLES: Mapping[str, Mapping[str, JsonValue]] = {
    "ProjectRateLimit": {"model": "gpt-4o", "max_requests_per_1_minute": 500,
                         "max_tokens_per_1_minute": 200_000},
    "ProjectModelPermissions": {"model_ids": ["gpt-4o", "gpt-4o-mini"]},
    "ProjectSpendLimitResource": {"threshold_amount": 9_900, "currency": "USD", "interval": "month"},
}  # fmt: skip
"""Values to answer with, where those that Prism makes of the schema alone mean nothing."""


@contextmanager
def prism_peer() -> Iterator[str]:
    """The `base_url` until the block ends; raises Unavailable."""
    script = npm_program("prism", "@stoplight/prism-cli", PRISM, "prism")
    with tempfile.TemporaryDirectory(prefix="tokensleuth-prism-") as name:
        folder = Path(name)
        (folder / "schema.json").write_text(json.dumps(_with_examples()), "utf-8")
        for _ in range(_PORT_TRIES):
            port = free_port()
            process = _start(script, folder, port)
            try:
                if listens(process, port, within_s=START_S):
                    yield f"http://127.0.0.1:{port}"
                    return
            finally:
                stop(process)
        raise Unavailable(f"prism did not start: {(folder / 'log').read_text('utf-8')[-1000:]}")


def _start(script: Path, folder: Path, port: int) -> subprocess.Popen[bytes]:
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [script, "mock", "schema.json", "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def _with_examples() -> JsonValue:
    document = json.loads(SCHEMA.read_text("utf-8"))
    for name, values in EXAMPLES.items():
        fields = document["components"]["schemas"][name]["properties"]
        for field, value in values.items():
            # Beside a $ref, an example is not seen; those of currency and interval are any text.
            kind = {"type": "string"} if "$ref" in fields[field] else fields[field]
            fields[field] = {**kind, "example": value}
    return document  # type: ignore[no-any-return]  # of JSON
