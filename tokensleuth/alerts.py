"""Tells of what an investigation found, to those the settings name."""

from collections.abc import Sequence
from datetime import datetime

from ledger.reader import Reader
from ledger.scope import EVERYTHING
from tokensleuth.announcing.announce import AlertRules, Announced, announce
from tokensleuth.announcing.severity import Usual
from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.investigation import InvestigatedRange
from tokensleuth.materiality import average_day_usd
from tokensleuth.settings import Settings


def announce_found(
    app: App, casebook: Casebook, reader: Reader, found: InvestigatedRange, now: datetime
) -> Announced:
    """Only what was detected: a range that somebody asked about is answered to them alone."""
    day_usd = average_day_usd(reader, found.window, EVERYTHING)
    usual = Usual(day_usd=day_usd)
    detected: Sequence[str] = [i.investigation.finding.incident_id for i in found.incidents]
    return announce(casebook, detected if found.detected else [], alert_rules(app.settings, usual), now)


def alert_rules(settings: Settings, usual: Usual) -> AlertRules:
    return AlertRules(settings.slack, settings.route, usual)
