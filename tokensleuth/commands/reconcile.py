"""`tokensleuth reconcile`: computed costs held against the bill, and how complete the sources are."""

from ledger.store import Ledger
from ledger.window import parse_range
from tokensleuth.app import App
from tokensleuth.casebook.opening import is_there
from tokensleuth.checks import Check
from tokensleuth.clock import utc_now
from tokensleuth.connectors.choosing import configured_sources
from tokensleuth.output import Outcome
from tokensleuth.reconciling.completeness import completeness
from tokensleuth.reconciling.document import reconciliation_document
from tokensleuth.reconciling.reconciled import known_differences, reconcile, save_and_list
from tokensleuth.reconciling.settings import ReconciliationSettings
from tokensleuth.reconciling_parts import reconciling_parts
from tokensleuth.terminal.reconciliation import completeness_table, reconciliation_block

DEFAULT_RANGE = "last-7d"


def run(app: App, time_range: str | None, *, save: bool, settings: ReconciliationSettings) -> Outcome:
    """Show the differences; with `save` they are kept as incidents."""
    now = utc_now()
    window = parse_range(time_range or DEFAULT_RANGE, now=now)
    parts = reconciling_parts(app, settings)
    with app.ledger() as ledger:
        saved = []
        known = []
        if save or is_there(app.settings.store.casebook_url):
            with app.casebook() as casebook:
                saved = save_and_list(ledger, parts, casebook, window, now) if save else []
                known = known_differences(casebook, window, now)
        found = reconcile(ledger, parts, window, now, known=known)
    document = reconciliation_document(found, window, saved, now)
    return Outcome(document, [reconciliation_block(document)])


def run_completeness(app: App, settings: ReconciliationSettings) -> Outcome:
    """Of every source, at this moment."""
    sources = configured_sources(app.settings.source, app.settings.gateways)
    with app.ledger() as ledger:
        found = completeness(ledger, sources, utc_now(), wait_hours=settings.wait_hours)
    document = found.as_json()
    return Outcome(document, [completeness_table(document)])


def completeness_checks(app: App, ledger: Ledger, settings: ReconciliationSettings) -> list[Check]:
    """For `doctor`: one for each source that is pulled or pushed."""
    sources = configured_sources(app.settings.source, app.settings.gateways)
    found = completeness(ledger, sources, utc_now(), wait_hours=settings.wait_hours)
    fine = ("complete", "loaded")
    return [Check("sources", "ok" if s.standing in fine else "warn", s.text) for s in found.sources]
