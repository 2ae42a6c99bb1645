"""What runs by itself: the planner that looks at the clock, the runner that does what is due."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event

from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.runs import stuck_runs
from tokensleuth.clock import utc_now
from tokensleuth.schedule.duties import duties_of
from tokensleuth.schedule.performing import InChild
from tokensleuth.schedule.planner import Planner
from tokensleuth.schedule.runner import Runner
from tokensleuth.service.leading import RENEW_S, Leadership
from tokensleuth.service.workers import Worker

STUCK_TRIES = 3


@dataclass(frozen=True, slots=True)
class ScheduleParts:
    """Planner, runner and, where replicas share the casebook, the lead."""

    casebook: Casebook
    planner: Planner
    runner: Runner
    leadership: Leadership

    @property
    def workers(self) -> Sequence[Worker]:
        workers = [Worker("schedule", self.runner.step, idle_s=1.0)]
        if self.leadership.shared:
            workers.append(Worker("leader", self.leadership.step, idle_s=RENEW_S))
        return workers

    def failing(self) -> Mapping[str, str]:
        """Duties that failed several times in a row, with the last reason."""
        with self.casebook.reading() as connection:
            return stuck_runs(connection, STUCK_TRIES)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Plan what is due."""
        with self.planner.running():
            yield


def schedule_parts(
    app: App, casebook: Casebook, owner: str, *, shared: bool, stopping: Event
) -> ScheduleParts:
    """The duties that the settings ask for."""
    clock: Callable[[], datetime] = utc_now
    worker = f"{owner}-schedule"
    leadership = Leadership(casebook, f"{owner}-leader", clock, shared, worker)
    duties = duties_of(app.settings)
    runner = Runner(
        casebook=casebook,
        duties=duties,
        perform=InChild(app, stopping, leadership.leads),
        owner=worker,
        clock=clock,
        leads=leadership.leads,
    )
    return ScheduleParts(casebook, Planner(casebook, duties, clock, leadership.leads), runner, leadership)
