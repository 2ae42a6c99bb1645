"""Workers as the driver sees them: loaded ahead of time, started with a place to die, replaced when dead."""

import os
import signal
import subprocess
import sys
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from threading import Event
from time import monotonic

from evals.chaos.points import POINTS, RANDOM
from evals.chaos.worker import Order

SPARES = 2
LONGEST_RANDOM_S = 1.2
MOST_MISSES = 4
"""A point that is missed so often and never met is not there: the trials are told to be blind to it."""
ONCE = ("expiry", "refusal", "whisper", "undo asked")
"""What happens seldom in a trial is not waited for the second time."""


@dataclass(slots=True)
class Running:
    """A worker at work."""

    process: subprocess.Popen[bytes]
    point: str | None
    port: int
    dies_at: float | None = None
    """For a death at a random time."""


@dataclass(slots=True)
class Plan:
    """Where the next workers die: all points evenly, and every fourth time at random."""

    random: Random
    wanted: int
    landed: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    under_way: int = 0
    round: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.landed.values())

    @property
    def never_met(self) -> list[str]:
        return [p for p, times in self.missed.items() if times >= MOST_MISSES and not self.landed[p]]

    def next_point(self) -> str | None:
        """None where enough are dead or about to die."""
        if self.total + self.under_way >= self.wanted:
            return None
        self.under_way += 1
        if self.random.random() < 0.25:
            return RANDOM
        if not self.round:
            self.round = self.random.sample(POINTS, len(POINTS))
        return self.round.pop()

    def nth(self, point: str) -> int:
        return 1 if any(name in point for name in ONCE) else self.random.choice((1, 1, 1, 2, 3, 5))

    def landed_at(self, point: str) -> None:
        self.under_way -= 1
        self.landed[point] += 1

    def missed_at(self, point: str) -> None:
        """It is tried again at the end of this round of points, but not for ever."""
        self.under_way -= 1
        self.missed[point] += 1
        if point != RANDOM and self.missed[point] < MOST_MISSES:
            self.round.insert(0, point)


@dataclass(slots=True)
class Fleet:
    """So many workers at a time on one casebook."""

    order: Order
    log: Path
    plan: Plan
    size: int = 1
    spares: deque[subprocess.Popen[bytes]] = field(default_factory=deque)
    running: list[Running] = field(default_factory=list)
    ready_at: float = 0.0
    restarts_s: list[float] = field(default_factory=list)
    """From a death to the next worker's readiness."""
    faults: list[str] = field(default_factory=list)

    @property
    def port(self) -> int | None:
        """Of a living worker."""
        return next((r.port for r in self.running if r.process.poll() is None), None)

    def keep_up(self, *, is_busy: bool) -> None:
        """Count the dead and replace them; kill those whose time has come while there is work."""
        for worker in list(self.running):
            if worker.dies_at is not None and monotonic() > worker.dies_at and is_busy:
                os.kill(worker.process.pid, signal.SIGKILL)
                worker.process.wait()
            if worker.process.poll() is not None:
                self._bury(worker)
        while len(self.running) < self.size:
            self._start()

    def disarm(self) -> None:
        """Workers whose point does not come are ended in good order."""
        for worker in list(self.running):
            if worker.point is not None:
                self._end(worker)
                self.plan.missed_at(worker.point)

    def stop(self) -> None:
        for worker in list(self.running):
            self._end(worker)
        for process in self.spares:
            _close(process)
        self.spares.clear()

    def _bury(self, worker: Running) -> None:
        self.running.remove(worker)
        _close(worker.process)
        if worker.process.returncode == -signal.SIGKILL and worker.point is not None:
            self.plan.landed_at(worker.point)
            return
        self.faults.append(f"a worker ended with {worker.process.returncode} (to die {worker.point})")
        if worker.point is not None:
            self.plan.missed_at(worker.point)

    def _start(self) -> None:
        began = monotonic()
        point = self.plan.next_point()
        while len(self.spares) <= SPARES:
            self.spares.append(self._load())
        process = self.spares.popleft()
        in_worker = None if point in (None, RANDOM) else point
        nth = self.plan.nth(point) if point else 1
        order = replace(self.order, point=in_worker, nth=nth)
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a worker has no pipes")
        process.stdin.write(order.line().encode())
        process.stdin.flush()
        told = process.stdout.readline()
        if not told:
            # It died before it was ready: a point that is passed at once, or a fault.
            process.wait()
            self.running.append(Running(process, point, 0))
            return
        self.ready_at = monotonic()
        self.restarts_s.append(self.ready_at - began)
        dies_at = self.ready_at + self.plan.random.uniform(0.0, LONGEST_RANDOM_S) if point == RANDOM else None
        self.running.append(Running(process, point, int(told), dies_at))

    def _load(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "evals.chaos.worker"]
            return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)

    def _end(self, worker: Running) -> None:
        self.running.remove(worker)
        _close(worker.process)
        if worker.process.returncode != 0:
            self.faults.append(f"a worker that was to end ended with {worker.process.returncode}")


def _close(process: subprocess.Popen[bytes]) -> None:
    """The end of stdin tells a worker to finish."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait(seconds: float) -> None:
    Event().wait(seconds)
