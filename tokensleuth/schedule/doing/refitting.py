"""The nightly refit: learns what the hourly path judges by."""

from collections.abc import Sequence
from datetime import datetime

from ledger.errors import RefusedError
from ledger.store import Ledger
from ledger.window import short_text
from tokensleuth.app import App
from tokensleuth.in_force import complete_until
from tokensleuth.ranges import usage_extent
from tokensleuth.refit import refit
from tokensleuth.schedule.report import DutyReport


def perform(app: App, _slots: Sequence[datetime], now: datetime) -> DutyReport:
    """Learn the last whole day; too little usage for that is no failure."""
    if not app.settings.store.ledger.exists():
        return DutyReport("there is no usage yet")
    with app.ledger() as ledger:
        try:
            learnt_at = learn_until(app, ledger, now)
        except RefusedError as error:
            return DutyReport(str(error))
    return DutyReport(f"learnt until {short_text(learnt_at)}")


def learn_until(app: App, ledger: Ledger, now: datetime) -> datetime:
    """The midnight that was learnt. Raises RefusedError where there are too few whole days of usage."""
    until = complete_until(usage_extent(ledger.reader), now)
    done = refit(ledger, app.settings.detection, until=until, baselines=app.accepted_baselines())
    return done.model.fitted_at
