"""Deletes what the settings keep no longer."""

from collections.abc import Sequence
from datetime import datetime

from ledger.compacting import compact, is_worth_compacting
from tokensleuth.app import App
from tokensleuth.retention.applying import apply
from tokensleuth.schedule.report import DutyReport


def perform(app: App, _slots: Sequence[datetime], now: datetime) -> DutyReport:
    """Bounded by what is open: nothing that waits for somebody is deleted."""
    if not app.settings.store.ledger.exists():
        return DutyReport("there is no usage yet")
    with app.ledger() as ledger, app.casebook() as casebook:
        found = apply(ledger, casebook, app.settings.retention, now)
    path = app.settings.store.ledger
    if is_worth_compacting(path):
        compact(path)
    return DutyReport(f"{found.rows:,} rows deleted", found.as_json())
