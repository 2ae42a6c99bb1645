"""Threads that do one step after the other until they are told to stop."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

from ledger.errors import TokensleuthError
from tokensleuth.clock import seconds_since, stopwatch

log = logging.getLogger(__name__)

AFTER_A_FAILURE_S = 5.0


@dataclass(slots=True)
class Worker:
    """One kind of work; `failing` says why it cannot be done at the moment."""

    name: str
    step: Callable[[], bool]
    """Does what is due; False where there was nothing."""
    idle_s: float = 0.5
    pace_s: float = 0.0
    """Between steps: leaves the casebook to what must be answered at once."""
    failing: str | None = None
    _stop: Event = field(default_factory=Event)

    def run(self) -> None:
        """Until `stop`; a failure is logged, and tried again a little later."""
        while not self._stop.is_set():
            self._stop.wait(self._once())

    def stop(self) -> None:
        """After the present step."""
        self._stop.set()

    def _once(self) -> float:
        """The seconds to wait before the next step."""
        try:
            did = self.step()
        except TokensleuthError as error:
            log.warning("%s: %s", self.name, error)
            self.failing = str(error)
            return AFTER_A_FAILURE_S
        except Exception as error:  # a worker that dies of one bad row would stop all others of its kind
            log.exception("%s failed", self.name)
            self.failing = f"{type(error).__name__}, see the log"
            return AFTER_A_FAILURE_S
        self.failing = None
        return self.pace_s if did else self.idle_s


@contextmanager
def running(workers: Sequence[Worker], *, drain_s: float) -> Iterator[None]:
    """Run them in threads; at the end each finishes its present step, all for `drain_s` seconds at most."""
    threads = [Thread(target=worker.run, name=worker.name, daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        began = stopwatch()
        for thread in threads:
            thread.join(max(0.0, drain_s - seconds_since(began)))
