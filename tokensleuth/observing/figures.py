"""The figures of the metrics, read from the casebook: right across restarts, child processes and replicas."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from ledger.window import HOUR, floor_hour
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import read_anchor
from tokensleuth.casebook.leaders import leader
from tokensleuth.casebook.schema import incidents, proposals
from tokensleuth.casebook.schema_acts import audit, executions, inbox, outbox
from tokensleuth.casebook.schema_runs import notices, runs
from tokensleuth.observing.run_tally import RunTally, added, forgotten, forgotten_runs, tally_runs

RECENT = timedelta(hours=24)
"""An incident that ended so long ago, with nothing to decide or to do, is not open any more."""
MOST_STREAMS = 100
"""Of the sources; a configuration error must not become thousands of series."""

_JUDGING, _PULLING = "detect", "sync"
"""The duties of `tokensleuth.schedule.duties` that tell how far the service is."""
_SEVERITIES = ("low", "medium", "high")


class StreamMark(NamedTuple):
    """How far one stream of a source was pulled."""

    source: str
    stream: str
    complete_until: datetime


class Waiting(NamedTuple):
    """What waits in a queue."""

    number: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One scrape."""

    ended: Mapping[str, RunTally]
    """Runs by duty, of all time."""
    open_runs: Mapping[tuple[str, str], int]
    """By duty and state, due or running."""
    hours_behind: float | None
    """None before the first hour was judged."""
    streams: Sequence[StreamMark]
    failures: Mapping[str, int]
    """By source, how often it began to fail for longer than the patience of the settings."""
    open_incidents: Mapping[str, int]
    open_notices: Mapping[tuple[str, str], int]
    """By kind and severity."""
    proposals_waiting: int
    letters: Waiting
    items: Waiting
    executions: Mapping[tuple[str, str], int]
    """By kind and state."""
    audit_entries: int
    leads: bool | None
    """None where the process takes no part in leading."""


def read_figures(casebook: Casebook, owner: str | None, now: datetime) -> Figures:
    """In one read transaction; `owner` is this process, as it calls itself when it takes the lead."""
    with casebook.reading() as connection:
        lead = leader(connection, now)
        return Figures(
            ended=added([tally_runs(connection), forgotten_runs(connection)]),
            open_runs=_counted(connection, runs.c.duty, runs.c.state, runs.c.state.in_(("due", "running"))),
            hours_behind=_hours_behind(connection, now),
            streams=_streams(connection),
            failures=_failures(connection),
            open_incidents=_open_incidents(connection, now),
            open_notices=_counted(
                connection, notices.c.kind, notices.c.severity, notices.c.closed_at.is_(None)
            ),
            proposals_waiting=_number(connection, _waits(now)),
            letters=_waiting(connection, outbox.c.created_at, outbox.c.state == "waiting", now),
            items=_waiting(connection, inbox.c.received_at, inbox.c.state == "new", now),
            executions=_counted(connection, executions.c.kind, executions.c.state),
            audit_entries=read_anchor(connection).count,
            leads=None if owner is None else lead == owner,
        )


def _hours_behind(connection: Connection, now: datetime) -> float | None:
    """From the end of the last hour that was judged, and every hour before it, to the last whole hour."""
    mine = runs.c.duty == _JUDGING
    judged = connection.scalar(select(runs.c.slot).where(mine, runs.c.state == "done").order_by(
        runs.c.slot.desc()).limit(1))  # fmt: skip
    undone = connection.scalar(select(runs.c.slot).where(mine, runs.c.state.in_(("due", "running"))).order_by(
        runs.c.slot).limit(1))  # fmt: skip
    reached = [at for at in (judged and judged + HOUR, undone) if at is not None]
    return max(0.0, (floor_hour(now) - min(reached)) / HOUR) if reached else None


def _streams(connection: Connection) -> list[StreamMark]:
    """As the last pull told them: `items` of its document, in the shape of `sync --json`."""
    last = select(runs.c.document).where(runs.c.duty == _PULLING, runs.c.document.is_not(None))
    document = connection.scalar(last.order_by(runs.c.slot.desc()).limit(1))
    items = document.get("items") if isinstance(document, dict) else None
    told = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return [
        StreamMark(str(item["source"]), str(item["stream"]), datetime.fromisoformat(item["complete_until"]))
        for item in told[:MOST_STREAMS]
        if item.get("stream") and isinstance(item.get("complete_until"), str)
    ]


def _failures(connection: Connection) -> dict[str, int]:
    """Also those that retention deleted."""
    statement = (
        select(notices.c.subject, func.count())
        .where(notices.c.kind == "source_failing")
        .group_by(notices.c.subject)
    )
    counts = Counter({str(source): int(count) for source, count in connection.execute(statement)})
    for gone in forgotten(connection, "source_failures"):
        counts.update(cast(Mapping[str, int], gone or {}))
    return dict(sorted(counts.items())[:MOST_STREAMS])


def _open_incidents(connection: Connection, now: datetime) -> dict[str, int]:
    """By the severity last told of each; `untold` where nobody was to be told."""
    asked = select(proposals.c.incident_id).where(
        or_(_waits(now), proposals.c.state.in_(("approved", "executing")))
    )
    statement = select(incidents.c.id).where(
        or_(
            incidents.c.id.in_(asked),
            and_(incidents.c.verdict != "benign", incidents.c.end_at > now - RECENT),
        )
    )
    found = list(connection.scalars(statement))
    told = _severities(connection, found)
    counts = dict.fromkeys((*_SEVERITIES, "untold"), 0)
    for incident_id in found:
        counts[told.get(incident_id, "untold")] += 1
    return counts


def _severities(connection: Connection, incident_ids: Sequence[str]) -> dict[str, str]:
    statement = (
        select(audit.c.subject, audit.c.document)
        .where(audit.c.subject.in_(incident_ids))
        .order_by(audit.c.number)
    )
    told = (
        (subject, cast(Mapping[str, object], document).get("severity"))
        for subject, document in connection.execute(statement)
    )
    return {subject: str(severity) for subject, severity in told if severity in _SEVERITIES}


def _waits(now: datetime) -> ColumnElement[bool]:
    return and_(proposals.c.state == "pending", proposals.c.expires_at > now)


def _waiting(
    connection: Connection, since: ColumnElement[datetime], condition: ColumnElement[bool], now: datetime
) -> Waiting:
    oldest = connection.scalar(select(since).where(condition).order_by(since).limit(1))
    return Waiting(
        _number(connection, condition), max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    )


def _number(connection: Connection, condition: ColumnElement[bool]) -> int:
    return int(connection.scalar(select(func.count()).where(condition)) or 0)


def _counted(
    connection: Connection,
    first: ColumnElement[str],
    second: ColumnElement[str],
    *conditions: ColumnElement[bool],
) -> dict[tuple[str, str], int]:
    statement = select(first, second, func.count()).where(*conditions).group_by(first, second)
    return {(str(one), str(other)): int(count) for one, other, count in connection.execute(statement)}
