"""Work in processes of its own, so that people are answered while it runs, and what it used is given back.

The order goes to the child's stdin as one line of JSON, never to the command line, where every user of the
machine could read it. The pipe stays open: a child that reads its end knows that the service is gone.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from select import select
from threading import Event, Thread
from typing import IO

from ledger.errors import UnreachableError
from tokensleuth.app import App, Overrides

LONGEST_S = 1800
_POLL_S = 1.0
_WATCH_S = 0.2
_HOLD_EVERY = 30
"""Polls."""
POLITE = 10
"""Children run below the service itself, which has 3 seconds to answer a click."""
ORPHANED = 3
TOO_LONG = 124
_MOST_OUTPUT = 1 << 20
"""Bytes that are kept of what a child says: the end of it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended."""

    code: int
    output: bytes


def store_order(app: App) -> Mapping[str, object]:
    """Where a child finds settings and stores; secrets it has from the environment."""
    store = app.settings.store
    return {
        "config": str(app.config) if app.config else None,
        "ledger": str(store.ledger),
        "casebook": store.casebook_url,
    }


def run_child(
    module: str,
    order: Mapping[str, object],
    *,
    hold: Callable[[], bool],
    stopping: Event,
    longest_s: float = LONGEST_S,
    ours: Callable[[], bool] = lambda: True,
) -> Ended | None:
    """Run it to its end; None where the service stops, or `hold` or `ours` say that it is not ours any more.

    `hold` is asked now and then, `ours` all the time. A child that takes longer than `longest_s` is ended
    with code TOO_LONG.
    """
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    output = bytearray()
    reader = Thread(target=_drain, args=(process.stdout, output), daemon=True)
    reader.start()
    try:
        _give(process.stdin, order)
        code = _wait(process, hold, lambda: stopping.is_set() or not ours(), longest_s)
        if code is None:
            return None
        reader.join(_POLL_S)
        return Ended(code, bytes(output))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


@contextmanager
def taken_order() -> Iterator[dict[str, str]]:
    """In a child: the order without its nulls; meanwhile the child ends when the service does."""
    os.nice(POLITE)
    order = json.loads(sys.stdin.readline())
    over = Event()
    watcher = Thread(target=_end_with_the_service, args=(over,), daemon=True)
    watcher.start()
    try:
        yield {name: value for name, value in order.items() if value is not None}
    finally:
        over.set()
        watcher.join()


def ordered_app(order: Mapping[str, str]) -> App:
    """In a child: the settings and stores of the service."""
    config = Path(order["config"]) if "config" in order else None
    return App.configured(Overrides(config, Path(order["ledger"]), order["casebook"]))


def _end_with_the_service(over: Event) -> None:
    """Whatever is under way is idempotent: the service does it again when it is back."""
    while not over.is_set():
        readable, _, _ = select([sys.stdin], [], [], _WATCH_S)
        if readable and not over.is_set() and not sys.stdin.readline():
            os._exit(ORPHANED)


def _give(pipe: IO[bytes] | None, order: Mapping[str, object]) -> None:
    if pipe is None:
        return
    with suppress(BrokenPipeError):
        pipe.write(json.dumps(order).encode() + b"\n")
        pipe.flush()


def _drain(pipe: IO[bytes] | None, output: bytearray) -> None:
    if pipe is not None:
        with suppress(ValueError, OSError):
            while told := os.read(pipe.fileno(), 1 << 16):
                output += told
                del output[:-_MOST_OUTPUT]


def _wait(
    process: "subprocess.Popen[bytes]",
    hold: Callable[[], bool],
    over: Callable[[], bool],
    longest_s: float,
) -> int | None:
    for number in range(max(int(longest_s / _POLL_S), 1)):
        if over():
            return None
        try:
            return process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            if number % _HOLD_EVERY == _HOLD_EVERY - 1 and not _held(hold):
                return None
    return TOO_LONG


def _held(hold: Callable[[], bool]) -> bool:
    """A casebook that is busy for a while does not end hours of work."""
    try:
        return hold()
    except UnreachableError as error:
        log.warning("a child could not be held for longer: %s", error)
        return True
