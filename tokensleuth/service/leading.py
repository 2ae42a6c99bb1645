"""Of several replicas on one casebook one leads: it owns the ledger and does what is scheduled."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tokensleuth.casebook import Casebook
from tokensleuth.casebook.leaders import TERM, give_up_lead, take_lead

RENEW_S = 10.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Leadership:
    """Whether this process leads; on a casebook that nobody shares it always does."""

    casebook: Casebook
    owner: str
    clock: Callable[[], datetime]
    shared: bool
    _until: datetime | None = field(default=None, init=False)

    def leads(self) -> bool:
        """Gives up a third of a term before another may take over."""
        if not self.shared:
            return True
        return self._until is not None and self.clock() < self._until - TERM / 3

    def step(self) -> bool:
        """Lead, or go on leading; a step of a worker."""
        now, led = self.clock(), self.leads()
        with self.casebook.writing() as connection:
            taken = take_lead(connection, self.owner, now)
        self._until = now + TERM if taken else None
        if taken != led:
            log.info("%s %s", self.owner, "leads" if taken else "leads no more")
        return False

    def give_up(self) -> None:
        """Let another lead at once."""
        if self.shared and self._until is not None:
            self._until = None
            with self.casebook.writing() as connection:
                give_up_lead(connection, self.owner, self.clock())
