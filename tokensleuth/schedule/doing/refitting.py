"""The nightly refit: learns what the hourly path judges by."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ledger.errors import RefusedError
from ledger.store import Ledger
from ledger.window import short_text
from tokensleuth.app import App
from tokensleuth.in_force import complete_until
from tokensleuth.ranges import usage_extent
from tokensleuth.reconciling.completeness import completeness
from tokensleuth.refit import refit
from tokensleuth.schedule.report import DutyReport, NotYetError
from tokensleuth.sources_of import sources_of

LONGEST_WAIT = timedelta(hours=6)
"""For the end of the day before: later it is learnt as it is."""


def perform(app: App, slots: Sequence[datetime], now: datetime) -> DutyReport:
    """Learn the last whole day; too little usage for that is no failure. Raises NotYetError."""
    if not app.settings.store.ledger.exists():
        return DutyReport("there is no usage yet")
    if now < slots[-1] + LONGEST_WAIT:
        _wait_for_the_day(app, now)
    with app.ledger() as ledger:
        try:
            learnt_at = learn_until(app, ledger, now)
        except RefusedError as error:
            return DutyReport(str(error))
    return DutyReport(f"learnt until {short_text(learnt_at)}")


def _wait_for_the_day(app: App, now: datetime) -> None:
    with app.reading_ledger() as ledger:
        seen = completeness(ledger, sources_of(app), now, wait_hours=app.settings.reconciliation.wait_hours)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if seen.complete_until is not None and seen.complete_until < midnight:
        raise NotYetError(f"usage is complete until {short_text(seen.complete_until)}, not until midnight")


def learn_until(app: App, ledger: Ledger, now: datetime) -> datetime:
    """The midnight that was learnt. Raises RefusedError where there are too few whole days of usage."""
    until = complete_until(usage_extent(ledger.reader), now)
    done = refit(ledger, app.settings.detection, until=until, baselines=app.accepted_baselines())
    return done.model.fitted_at
