"""Reads what the casebook tells one audience."""

from dataclasses import replace
from datetime import datetime, timedelta

from ledger.window import Window
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import read_anchor
from tokensleuth.casebook.quality import alert_quality
from tokensleuth.digest.case_facts import CaseFacts
from tokensleuth.digest.decided import Belongs, waiting_proposals, week_incidents
from tokensleuth.digest.standing import notices_open, tuning_facts
from tokensleuth.digest.week import KnownWeek

JUDGED = timedelta(weeks=4)
"""Of how long the alerts are judged."""


def case_facts(
    casebook: Casebook | None, week: KnownWeek, belongs: Belongs, now: datetime, *, whole: bool
) -> CaseFacts:
    """Of the `whole` organisation, notices too; a casebook that does not exist yet tells nothing."""
    if casebook is None:
        return CaseFacts()
    with casebook.reading() as connection:
        standing = CaseFacts(
            tunings=tuple(t for t in tuning_facts(connection, now) if belongs([t.scope])),
            notices=tuple(notices_open(connection)) if whole else (),
            anchor=read_anchor(connection),
            alerts=alert_quality(connection, Window(week.at - JUDGED, week.at)) if whole else None,
        )
    return replace(
        standing,
        incidents=week_incidents(casebook, week.week.window, belongs, now),
        waiting=waiting_proposals(casebook, belongs, now),
    )
