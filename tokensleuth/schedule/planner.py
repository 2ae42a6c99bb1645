"""Puts slots of duties up when they are due; APScheduler keeps the time, the run ledger what is planned."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from tokensleuth.casebook import Casebook
from tokensleuth.casebook.runs import last_slot, plan_runs
from tokensleuth.clock import utc_instant
from tokensleuth.schedule.duties import Duty

LOOK_EVERY_S = 15
DRAIN_S = 1.0
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
            slots = duty.cadence.slots(last_slot(connection, duty.name, now), now)
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
        over = Event()
        Thread(target=_keep_awake, args=(scheduler, over), daemon=True).start()
        try:
            yield
        finally:
            over.set()
            # A look may wait for a busy casebook; the end of the service must not.
            ending = Thread(target=scheduler.shutdown, daemon=True)
            ending.start()
            ending.join(DRAIN_S)


def _keep_awake(scheduler: BackgroundScheduler, over: Event) -> None:
    while not over.wait(LOOK_EVERY_S):
        wake(scheduler)


def wake(scheduler: BackgroundScheduler) -> None:
    """Where the clock was set back, look now, not when it has caught up."""
    latest = utc_instant() + timedelta(seconds=2 * LOOK_EVERY_S)
    for job in scheduler.get_jobs():
        if job.next_run_time is not None and job.next_run_time > latest:
            log.warning("the clock was set back: %s was not due before %s", job.id, job.next_run_time)
            job.modify(next_run_time=utc_instant())
