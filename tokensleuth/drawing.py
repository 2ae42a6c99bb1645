"""Draws a chart in a process of its own: the renderer keeps all threads waiting.

`python -m tokensleuth.drawing` reads a specification as JSON and writes the PNG.
"""

import json
import logging
import subprocess
import sys

from tokensleuth.charts import Spec, drawn_png

LONGEST_S = 60

log = logging.getLogger(__name__)


def png_apart(spec: Spec) -> bytes | None:
    """The PNG; None where it could not be drawn, which the log says: a chart is good to have, no more."""
    command = [sys.executable, "-m", "tokensleuth.drawing"]
    try:
        ran = subprocess.run(  # noqa: S603 - our own interpreter
            command, input=json.dumps(spec).encode(), capture_output=True, timeout=LONGEST_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("a chart could not be drawn: %s", error)
        return None
    if ran.returncode != 0:
        log.warning("a chart could not be drawn: %s", ran.stderr.decode(errors="replace")[-500:])
        return None
    return ran.stdout


def main() -> None:
    """From stdin to stdout."""
    sys.stdout.buffer.write(drawn_png(json.load(sys.stdin)))


if __name__ == "__main__":
    main()
