"""Judges the last hours anew: usage of hours that were judged came late, or was corrected."""

from collections.abc import Sequence
from datetime import datetime

from tokensleuth.app import App
from tokensleuth.casebook.runs import last_slot
from tokensleuth.schedule.doing import detecting
from tokensleuth.schedule.duties import DETECT
from tokensleuth.schedule.report import DutyReport


def perform(app: App, _slots: Sequence[datetime], now: datetime) -> DutyReport:
    """The same hours as last time; an incident that is told of is brought up to date, and told once."""
    with app.casebook() as casebook, casebook.reading() as connection:
        last = last_slot(connection, DETECT, now)
    return detecting.perform(app, [last], now) if last else DutyReport("nothing was judged yet")
