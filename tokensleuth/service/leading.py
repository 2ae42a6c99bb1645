"""Of several replicas on one casebook one leads: it owns the ledger and does what is scheduled."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ledger.errors import UnreachableError
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.leaders import TERM, database_time, give_up_lead, take_lead
from tokensleuth.casebook.runs import release_runs
from tokensleuth.clock import seconds_since, stopwatch

RENEW_S = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Taken:
    """When the lead was taken, by the clock and by a watch that nobody sets, but sleeps with the host."""

    at: datetime
    watch: float

    def age(self, now: datetime) -> timedelta:
        return max(now - self.at, timedelta(seconds=seconds_since(self.watch)))


@dataclass(slots=True)
class Leadership:
    """Whether this process leads; on a casebook that nobody shares it always does."""

    casebook: Casebook
    owner: str
    clock: Callable[[], datetime]
    shared: bool
    worker: str = ""
    """Who does what is scheduled in this process."""
    _taken: _Taken | None = field(default=None, init=False)

    def leads(self) -> bool:
        """Gives up a third of a term before another may take over."""
        taken = self._taken
        return not self.shared or (taken is not None and taken.age(self.clock()) < TERM * 2 / 3)

    def step(self) -> bool:
        """Lead, or go on leading; a step of a worker. What the leader before had begun is due again."""
        taken, led = _Taken(self.clock(), stopwatch()), self.leads()
        with self.casebook.writing() as connection:
            leads = take_lead(connection, self.owner, database_time(connection, taken.at))
            if leads and not led:
                release_runs(connection, keep=self.worker)
        self._taken = taken if leads else None
        if leads != led:
            log.info("%s %s", self.owner, "leads" if leads else "leads no more")
        return False

    @contextmanager
    def ending(self) -> Iterator[None]:
        """At the end let another lead at once; what this one did must be over."""
        try:
            yield
        finally:
            self._give_up()

    def _give_up(self) -> None:
        if not self.shared or self._taken is None:
            return
        self._taken = None
        try:
            with self.casebook.writing() as connection:
                give_up_lead(connection, self.owner, database_time(connection, self.clock()))
        except UnreachableError as error:
            log.warning("%s could not let another lead: %s", self.owner, error)
