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
from tokensleuth.casebook.runs import last_done
from tokensleuth.in_force import models_in_force
from tokensleuth.investigation import InvestigatedRange, investigate_range
from tokensleuth.kept_facts import LIVE_HOURS
from tokensleuth.live import LiveDetection, detect_live
from tokensleuth.own_calls import settle_own_calls
from tokensleuth.schedule.doing.changed import asked_of
from tokensleuth.schedule.doing.investigating import investigate_each
from tokensleuth.schedule.doing.refitting import learn_until
from tokensleuth.schedule.duties import DETECT
from tokensleuth.schedule.report import DutyReport
from tokensleuth.tuning.in_force import thresholds_of


def perform(app: App, slots: Sequence[datetime], now: datetime) -> DutyReport:
    """Judge the hours that end at `slots`; the hourly path sees the last 72, older ones are read as a range.

    Raises TokensleuthError where it must be tried again. Too little usage to judge is no failure.
    """
    with app.casebook() as casebook:
        until = max(slots[-1], _judged_until(casebook, now) or slots[-1])
        if why := _not_learnt(app, until):
            return DutyReport(f"not judged: {why}", _document(slots, None, ()))
        with app.reading_ledger() as ledger:
            earlier = _judge_earlier(app, ledger, casebook, slots, until, now)
            live = detect_live(ledger, app.settings.detection, now=until, thresholds=thresholds_of(app, now))
            asked = asked_of(app, ledger.reader, casebook, live, until)
            found = investigate_each(app, ledger.reader, casebook, asked, now)
        _settle(app, casebook)
    ids = [*(i.investigation.finding.incident_id for f in [earlier] if f for i in f.incidents), *found.ids]
    told = f"{len(ids)} investigated" if ids else "nothing new"
    note = f"hours until {short_text(until)}: {len(live.incidents)} incidents, {told}"
    if found.failed:
        note += f"; {len(found.failed)} could not be investigated: {'; '.join(found.failed)}"
    return DutyReport(note, _document(slots, live, ids), gave_up=bool(found.failed))


def _judged_until(casebook: Casebook, now: datetime) -> datetime | None:
    """An hour that is judged after later ones is judged as they were: what goes on is not cut off again."""
    with casebook.reading() as connection:
        return last_done(connection, DETECT, now)


def _not_learnt(app: App, until: datetime) -> str | None:
    """See to it that a model serves these hours; says why none can be learnt where usage is too little."""
    with app.reading_ledger() as ledger:
        try:
            models_in_force(ledger.kept, app.settings.detection, until)
            return None
        except RefusedError:
            pass
    with app.ledger() as ledger:
        try:
            # The hour that ends at a midnight is judged by the midnight before.
            learn_until(app, ledger, until - HOUR)
        except RefusedError as error:
            return str(error)
    return None


def _judge_earlier(
    app: App, ledger: Ledger, casebook: Casebook, slots: Sequence[datetime], until: datetime, now: datetime
) -> InvestigatedRange | None:
    """After a long outage: the hours that the hourly path looks back to no more."""
    edge = until - LIVE_HOURS * HOUR
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
