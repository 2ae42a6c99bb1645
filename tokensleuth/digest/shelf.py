"""Reads what the casebook tells one audience."""

from dataclasses import replace
from datetime import datetime

from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import read_anchor
from tokensleuth.digest.case_facts import CaseFacts
from tokensleuth.digest.decided import Belongs, alert_quality, waiting_proposals, week_incidents
from tokensleuth.digest.standing import notices_open, tunings_in_force
from tokensleuth.digest.week import KnownWeek


def case_facts(
    casebook: Casebook | None, week: KnownWeek, belongs: Belongs, now: datetime, *, whole: bool
) -> CaseFacts:
    """Of the `whole` organisation, notices too; a casebook that does not exist yet tells nothing."""
    if casebook is None:
        return CaseFacts()
    with casebook.reading() as connection:
        standing = CaseFacts(
            tunings=tuple(t for t in tunings_in_force(connection, now) if belongs([t.scope])),
            notices=tuple(notices_open(connection)) if whole else (),
            anchor=read_anchor(connection),
        )
    return replace(
        standing,
        incidents=week_incidents(casebook, week.week.window, belongs, now),
        waiting=waiting_proposals(casebook, belongs, now),
        alerts=alert_quality(casebook, week.at, belongs, now),
    )
