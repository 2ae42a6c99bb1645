"""`tokensleuth forecast` and `tokensleuth budgets`: where the month will end; both save nothing."""

from collections.abc import Sequence
from datetime import datetime

from ledger.scope import EVERYTHING, Scope, parse_dimension
from ledger.window import parse_instant
from tokensleuth.app import App
from tokensleuth.budgets.document import budgets_document, forecast_document
from tokensleuth.budgets.evaluation import evaluate
from tokensleuth.budgets.known import known_hours
from tokensleuth.budgets.outlook import Known, known_until, outlooks, spending
from tokensleuth.budgets.pace import pace_alerts
from tokensleuth.budgets.settings import Budget
from tokensleuth.casebook.opening import is_there
from tokensleuth.clock import utc_now
from tokensleuth.output import Outcome
from tokensleuth.terminal.budgets import budgets_table, forecast_table
from tokensleuth.tuning.planning import calendar_in_force


def run_forecast(app: App, *, by: Sequence[str], where: Sequence[str], at: str | None) -> Outcome:
    """Of all spend, or of each scope of the dimensions in `by`."""
    scope, dimensions = Scope.parse(where), [parse_dimension(name) for name in by]
    with app.ledger() as ledger:
        moment = known_until(ledger.reader, _asked(at))
        found = outlooks(spending(ledger.reader, moment, dimensions, scope), _known(app, moment))
    document = forecast_document(found, moment)
    return Outcome(document, [forecast_table(document)])


def run_budgets(app: App, budgets: Sequence[Budget], *, at: str | None) -> Outcome:
    """Of every budget of the settings, with the alerts that hold now."""
    with app.ledger() as ledger:
        moment = known_until(ledger.reader, _asked(at))
        statuses = evaluate(ledger.reader, budgets, moment, _known(app, moment))
    document = budgets_document(statuses, pace_alerts(statuses), moment)
    return Outcome(document, [budgets_table(document)])


def _asked(at: str | None) -> datetime:
    return parse_instant(at) if at else utc_now()


def _known(app: App, at: datetime) -> list[Known]:
    """What the calendar and the casebook know; a casebook that does not exist yet is not made."""
    if not is_there(app.settings.store.casebook_url):
        return known_hours(app.settings.calendar, [], at)
    with app.casebook() as casebook:
        incidents = casebook.incidents(now=utc_now(), scope=EVERYTHING)
        calendar = calendar_in_force(casebook, app.settings.calendar, utc_now())
    return known_hours(calendar, incidents, at)
