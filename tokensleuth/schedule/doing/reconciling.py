"""Holds what was computed against what providers charge, every day; differences are told as incidents."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ledger.errors import RefusedError
from ledger.scope import EVERYTHING
from ledger.window import Window
from tokensleuth.alerts import alert_rules
from tokensleuth.announcing.announce import announce
from tokensleuth.announcing.severity import Usual
from tokensleuth.app import App
from tokensleuth.materiality import average_day_usd
from tokensleuth.reconciling.reconciled import save_and_list
from tokensleuth.reconciling_parts import reconciling_parts
from tokensleuth.schedule.report import DutyReport


def perform(app: App, slots: Sequence[datetime], now: datetime) -> DutyReport:
    """The last days, of those sources that tell what a day cost."""
    try:
        parts = reconciling_parts(app, app.settings.reconciliation)
    except RefusedError:
        return DutyReport("no source tells what a day cost")
    if not app.settings.store.ledger.exists():
        return DutyReport("there is no usage yet")
    end_at = slots[-1].replace(hour=0, minute=0, second=0, microsecond=0)
    window = Window(end_at - timedelta(days=app.settings.schedule.reconcile_days), end_at)
    with app.reading_ledger() as ledger, app.casebook() as casebook:
        records = save_and_list(ledger, parts, casebook, window, now)
        usual = Usual(average_day_usd(ledger.reader, window, EVERYTHING))
        ids = [record.incident_id for record in records]
        announce(casebook, ids, alert_rules(app.settings, usual), now)
    return DutyReport(f"{len(ids)} differences in {window}", {"incidents": ids})
