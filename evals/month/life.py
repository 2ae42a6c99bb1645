"""One life of the service on the simulated clock: the real planner, runner and duties, hour after hour.

It is killed at any moment and started again by the driver; the clock and the journal are files.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from evals.month.plan import HOUR
from ledger.errors import TokensleuthError
from tokensleuth.app import App, Overrides
from tokensleuth.casebook.queues import release_all
from tokensleuth.casebook.runs import Batch, release_runs
from tokensleuth.clock import seconds_since, stopwatch
from tokensleuth.schedule.duties import duties_of
from tokensleuth.schedule.performing import perform
from tokensleuth.schedule.planner import Planner
from tokensleuth.schedule.runner import Done, Runner

CONFIG, LEDGER, CASEBOOK, CLOCK, JOURNAL = (
    "month.toml", "ledger.duckdb", "casebook.sqlite", "clock", "journal.jsonl",
)  # fmt: skip


def read_clock(folder: Path) -> datetime:
    return datetime.fromisoformat((folder / CLOCK).read_text())


def write_clock(folder: Path, now: datetime) -> None:
    """Whole or not at all."""
    fresh = folder / f"{CLOCK}.new"
    fresh.write_text(now.isoformat())
    fresh.replace(folder / CLOCK)


@dataclass(slots=True)
class Life:
    """Performs in this process, so that what it keeps in memory shows."""

    folder: Path
    app: App
    ended: bool = False
    performed: list[tuple[str, float]] = field(default_factory=list)
    last: Batch = field(default_factory=lambda: Batch("", (), 0))

    def live(self, until: datetime) -> None:
        """Tick for every hour until `until`, or the end."""
        with self.app.casebook() as casebook:
            with casebook.writing() as connection:
                release_all(connection)
                release_runs(connection)
            duties = duties_of(self.app.settings)
            clock: Callable[[], datetime] = lambda: read_clock(self.folder)  # noqa: E731
            planner = Planner(casebook, duties, clock)
            runner = Runner(casebook, duties, self._perform, str(os.getpid()), clock)
            while (now := clock()) < until and not self.ended:
                started = stopwatch()
                planner.look_at_all()
                while runner.step():
                    self._journal(closed=self.last.duty, slots=[s.isoformat() for s in self.last.slots])
                self._journal(tick=now.isoformat(), seconds=seconds_since(started))
                self.performed.clear()
                write_clock(self.folder, now + HOUR)

    def _perform(self, batch: Batch, now: datetime, hold: Callable[[], bool]) -> Done:  # noqa: ARG002
        self.last = batch
        slots = [slot.isoformat() for slot in batch.slots]
        started = stopwatch()
        try:
            report = perform(self.app, batch.duty, batch.slots, now)
        except TokensleuthError as error:
            self._journal(failed=batch.duty, slots=slots, why=str(error))
            return Done("failed", str(error))
        self.performed.append((batch.duty, seconds_since(started)))
        self._journal(performed=batch.duty, slots=slots, note=report.note)
        return Done("done", report.note, report.document)

    def _journal(self, **facts: object) -> None:
        told = {**facts, "pid": os.getpid(), "rss_mb": _rss_mb()}
        if "tick" in facts:
            told["duties"] = self.performed
        with (self.folder / JOURNAL).open("a") as file:
            file.write(json.dumps(told) + "\n")


def _rss_mb() -> float:
    """Of now, not of the highest ever."""
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6
    return 0.0


def main() -> int:
    folder, until = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
    casebook = f"sqlite:///{folder / CASEBOOK}"
    life = Life(folder, App.configured(Overrides(folder / CONFIG, folder / LEDGER, casebook)))

    def end(*_: object) -> None:
        life.ended = True

    signal.signal(signal.SIGTERM, end)
    life.live(until)
    return 0


if __name__ == "__main__":
    sys.exit(main())
