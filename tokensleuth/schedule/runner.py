"""Does what is due, one batch of slots after the other; what fails is tried again, later each time."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from ledger.errors import TokensleuthError
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.runs import (
    Batch,
    claim_runs,
    finish_runs,
    hold_runs,
    put_off_runs,
    something_due,
)
from tokensleuth.clock import seconds_since, stopwatch
from tokensleuth.schedule.duties import ORDER, Duty

LEASE = timedelta(seconds=120)
LATER = timedelta(minutes=10)
LONGEST_WAIT = timedelta(minutes=30)
_FIRST_WAIT_S = 15

log = logging.getLogger(__name__)


DoneState = Literal["done", "failed", "given_up", "interrupted", "waiting"]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a batch."""

    state: DoneState
    """`interrupted`: by the end of the service; due again at once. `waiting`: for what is still to come.

    `given_up`: failed, and not tried again.
    """
    note: str = ""
    document: Mapping[str, object] = field(default_factory=dict)


class Performing(Protocol):
    """Does a batch; `hold` keeps it ours and says whether it still is."""

    def __call__(self, batch: Batch, now: datetime, hold: Callable[[], bool]) -> Done: ...


@dataclass(slots=True)
class Runner:
    """One at a time: the ledger has one writer, and the machine other work."""

    casebook: Casebook
    duties: Sequence[Duty]
    perform: Performing
    owner: str
    clock: Callable[[], datetime]
    leads: Callable[[], bool] = lambda: True

    def step(self) -> bool:
        """Do one batch; False where nothing is due."""
        now = self.clock()
        if not self.leads() or not self._is_due(now):
            return False
        with self.casebook.writing() as connection:
            batch = claim_runs(connection, ORDER, self.owner, now, LEASE)
        if batch is None:
            return False
        started = stopwatch()
        done = self._performed(batch, now)
        self._close(batch, done, seconds_since(started))
        return done.state != "interrupted"

    def _performed(self, batch: Batch, now: datetime) -> Done:
        try:
            return self.perform(batch, now, lambda: self._hold(batch))
        except (TokensleuthError, OSError) as error:  # no process can be started: no memory, no file left
            return Done("failed", f"{type(error).__name__}: {error}")

    def _is_due(self, now: datetime) -> bool:
        """Looked at without the write lock, which others wait for."""
        with self.casebook.reading() as connection:
            return something_due(connection, now)

    def _hold(self, batch: Batch) -> bool:
        if not self.leads():
            return False
        with self.casebook.writing() as connection:
            return hold_runs(connection, batch, self.owner, self.clock() + LEASE)

    def _close(self, batch: Batch, done: Done, seconds: float) -> None:
        now, again = self.clock(), self._tries_again(batch.duty)
        with self.casebook.writing() as connection:
            match done.state:
                case "interrupted":
                    put_off_runs(connection, batch, self.owner, now, done.note, tries=batch.tries - 1)
                case "waiting":
                    put_off_runs(connection, batch, self.owner, now + LATER, done.note, tries=0)
                case "failed" if again:
                    put_off_runs(connection, batch, self.owner, now + wait_after(batch.tries), done.note)
                case "done" | "failed" | "given_up" as state:
                    finish_runs(
                        connection,
                        batch,
                        self.owner,
                        state="done" if state == "done" else "failed",
                        note=done.note,
                        document=done.document,
                        now=now,
                        seconds=seconds,
                    )
        level = logging.WARNING if done.state in ("failed", "given_up") else logging.INFO
        about = {"duty": batch.duty, "slots": len(batch.slots), "tries": batch.tries}
        log.log(level, "%s of %s: %s %s", batch.duty, batch.slots[-1], done.state, done.note, extra=about)

    def _tries_again(self, name: str) -> bool:
        return next((duty.again for duty in self.duties if duty.name == name), True)


def wait_after(tries: int) -> timedelta:
    """Longer each time: 15 s, 30 s, ... half an hour."""
    return min(timedelta(seconds=_FIRST_WAIT_S * 2 ** min(tries - 1, 10)), LONGEST_WAIT)
