"""Asks every source for what is new, sees which hours are complete, and puts those up to be judged."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ledger.window import HOUR, floor_hour, instant_text, short_text
from tokensleuth.announcing.notices import tell_notices
from tokensleuth.app import App
from tokensleuth.casebook.notices import Notice, NoticeKind, keep_notices
from tokensleuth.casebook.runs import last_slot, plan_runs, reopen_runs
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.settings import SourceSettings
from tokensleuth.connectors.syncing import Into, StreamOutcome
from tokensleuth.otlp.flushing import FlushRules, flush_spool
from tokensleuth.otlp.spool import open_spool, spool_path
from tokensleuth.pulling import Pull, into_ledger, pull_sources
from tokensleuth.reconciling.completeness import Completeness, completeness
from tokensleuth.schedule.doing.late import Before, Late
from tokensleuth.schedule.duties import DETECT, REJUDGE
from tokensleuth.schedule.report import DutyReport
from tokensleuth.sources_of import sources_of

REJUDGE_EVERY = timedelta(minutes=10)
PATIENCE = Patience(tries=3, longest_wait_s=10)
"""The next pull comes in minutes: meanwhile one provider that is down must not hold up what others told."""
KINDS: tuple[NoticeKind, ...] = ("data_stopped", "source_failing")


def perform(app: App, slots: Sequence[datetime], now: datetime) -> DutyReport:
    """What one source cannot tell keeps no other out; the failure becomes a notice."""
    sources = sources_of(app)
    into, before = into_ledger(app), _before(app, now)
    outcomes = pull_sources(sources, into, Pull(now, lookback=_lookback(app, slots), patience=PATIENCE))
    outcomes += _received(app, into, now)
    late = before.changed(app, outcomes) if before else Late()
    found, until = _seen(app, sources, now)
    holding = [*_failing(outcomes), *_stopped(found)]
    with app.casebook() as casebook, casebook.writing() as connection:
        planned = 0 if until is None else _plan(connection, until, late, now)
        keep_notices(connection, KINDS, holding, now)
        tell_notices(connection, app.settings, now)
    note = "; ".join([*_told(outcomes, until, planned), *found.waits])
    return DutyReport(note, _document(outcomes, until, planned) | {"completeness": found.as_json()})


def _before(app: App, now: datetime) -> Before | None:
    with app.casebook() as casebook, casebook.reading() as connection:
        last = last_slot(connection, DETECT, now)
    return Before.read(app, last)


def _plan(connection: Connection, until: datetime, late: Late, now: datetime) -> int:
    """Put up the hours that are complete, and those that are not what they were when they were judged."""
    hours = hours_to_judge(last_slot(connection, DETECT, until), until)
    planned = plan_runs(connection, DETECT, hours, now)
    reopened = reopen_runs(connection, DETECT, late.older, now) if late.older else 0
    if late.live and not planned:
        plan_runs(connection, REJUDGE, [_last_step(now)], now)
    return planned + reopened


def _received(app: App, into: Into, now: datetime) -> list[StreamOutcome]:
    """What clients pushed meanwhile."""
    path, otlp = spool_path(app.settings.store.ledger), app.settings.otlp
    if not path.exists():
        return []
    with open_spool(path, now, most_bytes=otlp.max_spool_bytes) as spool:
        return [flush_spool(spool, into, now, FlushRules.of(otlp))]


def hours_to_judge(last: datetime | None, until: datetime) -> list[datetime]:
    """The ends of the complete hours that were never put up; of a ledger that is new only the last."""
    if last is None:
        return [until]
    return [last + number * HOUR for number in range(1, (until - last) // HOUR + 1)]


def _last_step(now: datetime) -> datetime:
    """Late usage often comes bit by bit: it is judged every few minutes, not every time."""
    hour = floor_hour(now)
    return hour + (now - hour) // REJUDGE_EVERY * REJUDGE_EVERY


def _lookback(app: App, slots: Sequence[datetime]) -> timedelta | None:
    """Once an hour everything that may still change is pulled again."""
    schedule = app.settings.schedule
    whole = any(slot - floor_hour(slot) < timedelta(minutes=schedule.sync_minutes) for slot in slots)
    return None if whole else timedelta(hours=schedule.fresh_hours)


def _seen(app: App, sources: Sequence[SourceSettings], now: datetime) -> tuple[Completeness, datetime | None]:
    """How complete the ledger is, and until when its hours may be judged; files are taken as they come."""
    if not app.settings.store.ledger.exists():
        return Completeness(now, None, ()), None
    with app.reading_ledger() as ledger:
        found = completeness(ledger, sources, now, wait_hours=app.settings.reconciliation.wait_hours)
        extent = ledger.reader.extent()
    if extent is None:
        return found, None
    return found, found.complete_until or min(extent.end_at, floor_hour(now))


def _stopped(found: Completeness) -> list[Notice]:
    return [
        Notice(
            kind="data_stopped",
            subject=state.source,
            severity="high",
            title=f"No usage from {state.source} any more",
            lines=(f"{state.text}.", "Its spend since then is not known, and cannot be judged."),
            facts=state.as_json(),
        )
        for state in found.stopped
    ]


def _failing(outcomes: Sequence[StreamOutcome]) -> list[Notice]:
    """One for each source, with what every stream of it said."""
    errors: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.error:
            told = f"{outcome.stream}: {outcome.error}" if outcome.stream else outcome.error
            errors.setdefault(outcome.source, []).append(told)
    return [
        Notice(
            kind="source_failing",
            subject=source,
            severity="medium",
            title=f"{source} cannot be read",
            lines=(*dict.fromkeys(told), "Hours that are missing are not judged until they are there."),
        )
        for source, told in errors.items()
    ]


def _told(outcomes: Sequence[StreamOutcome], until: datetime | None, planned: int) -> list[str]:
    new = sum(o.result.new + o.result.restated for o in outcomes)
    failed = sorted({o.source for o in outcomes if o.error})
    told = [f"{new} rows new or restated"] if outcomes else ["no source is configured"]
    told += [f"complete until {short_text(until)}"] if until else []
    told += [f"{planned} hours to judge"] if planned else []
    told += [f"failed: {', '.join(failed)}"] if failed else []
    return told


def _document(outcomes: Sequence[StreamOutcome], until: datetime | None, planned: int) -> dict[str, object]:
    return {
        "complete_until": instant_text(until) if until else None,
        "hours_planned": planned,
        "items": [
            {
                "source": o.source,
                "stream": o.stream or None,
                "complete_until": instant_text(o.complete_until) if o.complete_until else None,
                "new": o.result.new,
                "restated": o.result.restated,
                "rejected": o.result.rejected,
                "error": o.error,
            }
            for o in outcomes
        ],
    }
