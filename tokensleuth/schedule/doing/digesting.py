"""Writes the digests of the weeks that ended, once their hours are complete, and puts them in the outbox."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tokensleuth.app import App
from tokensleuth.digest.week import Week
from tokensleuth.digesting import post_digests
from tokensleuth.reconciling.completeness import completeness
from tokensleuth.schedule.report import DutyReport, NotYetError
from tokensleuth.sources_of import sources_of

_LONGEST_WAIT = timedelta(hours=36)
"""After the end of the week: by then a digest that says what is missing is better than none."""


def perform(app: App, slots: Sequence[datetime], now: datetime) -> DutyReport:
    """One week after the other; what was told before is not told again. Raises NotYetError."""
    sources, may_wait = sources_of(app), now < slots[-1] + _LONGEST_WAIT
    if not app.settings.store.ledger.exists():
        if sources and may_wait:
            raise NotYetError("nothing was pulled yet")
        return DutyReport("there is no usage yet")
    posted = []
    with app.reading_ledger() as ledger, app.casebook() as casebook:
        seen = completeness(ledger, sources, now, wait_hours=app.settings.reconciliation.wait_hours)
        until = seen.complete_until
        if until is not None and until < slots[-1] and may_wait:
            raise NotYetError(f"the week until {slots[-1]:%Y-%m-%d} is not complete: {'; '.join(seen.waits)}")
        for slot in slots:
            posted += post_digests(app, casebook, ledger.reader, Week.of(slot).before, now)
    told = sum(len(each.channels) for each in posted)
    document = {"digests": [each.as_json() for each in posted]}
    return DutyReport(f"{len(posted)} digests, {told} letters", document)
