"""`python -m evals.warm_call DAY OPTION...`: times the second `investigate` of a process.

The first call asks about the day before, so that nothing but imports is warm for the second.
"""

import contextlib
import io
import json
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta

from tokensleuth.__main__ import main


def call(arguments: Sequence[str]) -> None:
    """One run of the command line in this process; its output is dropped, a failure is not."""
    sys.argv = ["tokensleuth", *arguments]
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            main()
        except SystemExit as stop:
            if stop.code not in (0, None):
                raise


def time_second_call(day: str, options: Sequence[str]) -> dict[str, float]:
    """Wall and CPU seconds of `investigate day`."""
    before = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
    call(["investigate", f"{before}..{before}", *options])
    wall, cpu = time.perf_counter(), time.process_time()
    call(["investigate", f"{day}..{day}", *options])
    return {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}


if __name__ == "__main__":
    print(json.dumps(time_second_call(sys.argv[1], sys.argv[2:])))
