"""Puts slots of duties up when they are due; APScheduler keeps the time, the run ledger what is planned."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from tokensleuth.casebook import Casebook
from tokensleuth.casebook.runs import last_slot, plan_runs
from tokensleuth.clock import utc_instant
from tokensleuth.schedule.duties import Duty

LOOK_EVERY_S = 15
GRACE_S = 3600
"""A look that was late for so long is still made; what it finds due does not depend on when it is made."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans what is due; does nothing of it."""

    casebook: Casebook
    duties: Sequence[Duty]
    clock: Callable[[], datetime]
    leads: Callable[[], bool] = lambda: True
    """Of several replicas only the leader plans."""

    def look(self, duty: Duty) -> int:
        """Plan the slots of a duty that are due now; returns how many are new."""
        if duty.cadence is None or not self.leads():
            return 0
        now = self.clock()
        with self.casebook.reading() as connection:
            slots = duty.cadence.slots(last_slot(connection, duty.name), now)
        if not slots:
            return 0
        with self.casebook.writing() as connection:
            return plan_runs(connection, duty.name, slots, now)

    def look_at_all(self) -> int:
        """The same for every duty."""
        return sum(self.look(duty) for duty in self.duties)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look every few seconds, on threads of the scheduler, until the end."""
        scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": GRACE_S},
        )
        every = IntervalTrigger(seconds=LOOK_EVERY_S, timezone=UTC)
        for duty in self.duties:
            scheduler.add_job(self.look, every, args=[duty], id=duty.name, next_run_time=utc_instant())
        scheduler.start()
        try:
            yield
        finally:
            scheduler.shutdown(wait=True)
