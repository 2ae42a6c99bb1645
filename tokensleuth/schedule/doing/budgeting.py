"""Looks at the budgets every hour: what was crossed, and what will be, becomes a notice."""

from collections.abc import Sequence
from datetime import datetime

from ledger.errors import RefusedError
from tokensleuth.announcing.notices import tell_notices
from tokensleuth.app import App
from tokensleuth.budgets.evaluation import BudgetStatus, evaluate
from tokensleuth.budgets.known import known_hours
from tokensleuth.budgets.notices import budget_notice, ids_in_force
from tokensleuth.budgets.outlook import known_until
from tokensleuth.budgets.pace import pace_alerts
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.notices import keep_notices, open_notices
from tokensleuth.schedule.report import DutyReport
from tokensleuth.tuning.planning import calendar_in_force


def perform(app: App, _slots: Sequence[datetime], now: datetime) -> DutyReport:
    """Evaluate every budget of the settings up to the last complete hour."""
    if not app.settings.budget:
        return _closed(app, now)
    with app.casebook() as casebook:
        try:
            statuses = _statuses(app, casebook, now)
        except RefusedError as error:
            return DutyReport(str(error))
        with casebook.writing() as connection:
            in_force = ids_in_force(open_notices(connection))
            alerts = pace_alerts(statuses, in_force)
            by_name = {status.budget.name: status for status in statuses}
            holding = [budget_notice(alert, by_name[alert.budget]) for alert in alerts]
            keep_notices(connection, ["budget"], holding, now)
            tell_notices(connection, app.settings, now)
    return DutyReport(f"{len(statuses)} budgets, {len(alerts)} alerts", {"alerts": [a.id for a in alerts]})


def _closed(app: App, now: datetime) -> DutyReport:
    """What was told of budgets that were taken out of the settings holds no more."""
    with app.casebook() as casebook:
        with casebook.reading() as connection:
            left = ids_in_force(open_notices(connection))
        if left:
            with casebook.writing() as connection:
                keep_notices(connection, ["budget"], [], now)
    return DutyReport("no budget is set")


def _statuses(app: App, casebook: Casebook, now: datetime) -> list[BudgetStatus]:
    calendar = calendar_in_force(casebook, app.settings.calendar, now)
    known = known_hours(calendar, casebook.incidents(now=now), now)
    with app.reading_ledger() as ledger:
        return evaluate(ledger.reader, app.settings.budget, known_until(ledger.reader, now), known)
