"""Investigates one incident after the other: each is told of when it is done; one that fails stops none."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agent.investigation import Subject
from ledger.errors import UnreachableError
from ledger.reader import Reader
from ledger.scope import EVERYTHING
from tokensleuth.alerts import alert_rules
from tokensleuth.announcing.announce import AlertRules, announce
from tokensleuth.announcing.severity import Usual
from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.investigation import Asked, investigate_subjects
from tokensleuth.materiality import average_day_usd

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Each:
    """What became of the incidents."""

    ids: tuple[str, ...] = ()
    """Investigated, and told of."""
    failed: tuple[str, ...] = ()
    """Those that were not, each with the reason; the next hour tries them again."""


def investigate_each(app: App, reader: Reader, casebook: Casebook, asked: Asked, now: datetime) -> Each:
    """In the order given. Raises UnreachableError, after which all that is left may be tried again."""
    if not asked.subjects:
        return Each()
    rules = alert_rules(app.settings, Usual(average_day_usd(reader, asked.window, EVERYTHING)))
    done, failed, rest = list[str](), list[str](), asked.subjects
    while rest:
        told = _Told(casebook, rules, now, rest)
        try:
            investigate_subjects(app, reader, replace(asked, subjects=rest), now=now, progress=told)
            told.tell(len(rest))
        except UnreachableError:
            raise
        except Exception as error:  # one incident that cannot be investigated would hide all others
            broken = rest[told.begun].incident_id
            log.exception("%s could not be investigated", broken)
            failed.append(f"{broken}: {type(error).__name__}: {error}")
        done += [subject.incident_id for subject in rest[: told.told]]
        rest = rest[told.begun + 1 :]
    return Each(tuple(done), tuple(failed))


@dataclass(slots=True)
class _Told:
    """Tells of what is done whenever the next one begins."""

    casebook: Casebook
    rules: AlertRules
    now: datetime
    subjects: Sequence[Subject]
    begun: int = 0
    told: int = 0

    def __call__(self, number: int, _total: int, _what: str) -> None:
        self.begun = number
        self.tell(number)

    def tell(self, count: int) -> None:
        ids = [subject.incident_id for subject in self.subjects[self.told : count]]
        if ids:
            announce(self.casebook, ids, self.rules, self.now)
        self.told = count
