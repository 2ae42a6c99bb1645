"""Judges the hours that came in: spikes, incidents, their investigation, and the alert."""

from collections.abc import Sequence
from datetime import datetime

from ledger.errors import RefusedError
from ledger.scope import EVERYTHING
from ledger.store import Ledger
from ledger.window import HOUR, Window, instant_text, short_text
from tokensleuth.alerts import announce_found
from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.in_force import models_in_force
from tokensleuth.investigation import InvestigatedRange, investigate_range, investigate_subjects
from tokensleuth.kept_facts import LIVE_HOURS
from tokensleuth.live import LiveDetection, detect_live
from tokensleuth.own_calls import settle_own_calls
from tokensleuth.schedule.doing.changed import asked_of
from tokensleuth.schedule.doing.refitting import learn_until
from tokensleuth.schedule.report import DutyReport
from tokensleuth.tuning.in_force import thresholds_of


def perform(app: App, slots: Sequence[datetime], now: datetime) -> DutyReport:
    """Judge the hours that end at `slots`; the hourly path sees the last 72, older ones are read as a range.

    Raises TokensleuthError where it must be tried again. Too little usage to judge is no failure.
    """
    until = slots[-1]
    with app.casebook() as casebook:
        try:
            _learnt(app, until)
        except RefusedError as error:
            return DutyReport(f"not judged: {error}", _document(slots, None, ()))
        with app.reading_ledger() as ledger:
            earlier = _judge_earlier(app, ledger, casebook, slots, now)
            live = detect_live(ledger, app.settings.detection, now=until, thresholds=thresholds_of(app, now))
            found = _investigated(app, ledger, casebook, live, until, now)
        _settle(app, casebook)
    ids = [i.investigation.finding.incident_id for f in (earlier, found) if f for i in f.incidents]
    told = f"{len(ids)} investigated" if ids else "nothing new"
    note = f"hours until {short_text(until)}: {len(live.incidents)} incidents, {told}"
    return DutyReport(note, _document(slots, live, ids))


def _learnt(app: App, until: datetime) -> None:
    """See to it that a model serves these hours; raises RefusedError where there is too little usage."""
    with app.reading_ledger() as ledger:
        try:
            models_in_force(ledger.kept, app.settings.detection, until)
            return
        except RefusedError:
            pass
    with app.ledger() as ledger:
        # The hour that ends at a midnight is judged by the midnight before.
        learn_until(app, ledger, until - HOUR)


def _judge_earlier(
    app: App, ledger: Ledger, casebook: Casebook, slots: Sequence[datetime], now: datetime
) -> InvestigatedRange | None:
    """After a long outage: the hours that the hourly path looks back to no more."""
    edge = slots[-1] - LIVE_HOURS * HOUR
    missed = [slot for slot in slots if slot <= edge]
    if not missed:
        return None
    window = Window(missed[0] - HOUR, missed[-1])
    if ledger.reader.extent() is None or not ledger.reader.totals([window]):
        return None
    found = investigate_range(
        app,
        ledger.reader,
        window,
        where=EVERYTHING,
        explain=False,
        now=now,
        progress=lambda *_: None,
    )
    announce_found(app, casebook, ledger.reader, found, now)
    return found if found.detected else None


def _investigated(
    app: App, ledger: Ledger, casebook: Casebook, live: LiveDetection, until: datetime, now: datetime
) -> InvestigatedRange | None:
    """What is new, or has changed enough to look again; told of at once."""
    asked = asked_of(app, ledger.reader, casebook, live, until)
    if not asked.subjects:
        return None
    found = investigate_subjects(app, ledger.reader, asked, now=now, progress=lambda *_: None)
    announce_found(app, casebook, ledger.reader, found, now)
    return found


def _settle(app: App, casebook: Casebook) -> None:
    """What the investigations themselves cost becomes usage, where a model was asked."""
    if app.model is not None:
        with app.ledger() as ledger:
            settle_own_calls(app, ledger, casebook)


def _document(slots: Sequence[datetime], live: LiveDetection | None, ids: Sequence[str]) -> dict[str, object]:
    return {
        "hours": len(slots),
        "until": instant_text(slots[-1]),
        "series_scored": live.series_scored if live else 0,
        "spikes": len(live.spikes) if live else 0,
        "incidents": list(ids),
        "model_late_hours": live.in_force.late_hours if live else None,
    }
