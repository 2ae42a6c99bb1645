"""Tells of notices: when one opens, after the patience of its kind, and when what was told of is over."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from sqlalchemy import Connection

from ledger.ids import fact_id
from tokensleuth.announcing.quiet_hours import quiet_until
from tokensleuth.announcing.severity import SEVERITIES
from tokensleuth.casebook.notices import KeptNotice, notices_since
from tokensleuth.casebook.queues import Letter, is_in_outbox, put_in_outbox
from tokensleuth.settings import Settings

BULLETIN = "bulletin"
_PATIENT = frozenset({"data_stopped", "source_failing", "service"})
"""Kinds that often pass by themselves; they are told of when they last, and again when they are over."""
_BACK = timedelta(days=7)
"""What closed longer ago is no news."""


def tell_notices(connection: Connection, settings: Settings, now: datetime) -> int:
    """Put letters of notices in the outbox, each once; returns how many. Without Slack none are written."""
    if not settings.slack.is_configured:
        return 0
    return sum(_tell(connection, kept, settings, now) for kept in notices_since(connection, now - _BACK))


def bulletin_id(kept: KeptNotice, what: str, channel: str) -> str:
    """One letter for each notice, event and channel."""
    return fact_id("out", kept.id, what, channel)


def _tell(connection: Connection, kept: KeptNotice, settings: Settings, now: datetime) -> int:
    return sum(_tell_in(connection, kept, channel, settings, now) for channel in _channels(kept, settings))


def _tell_in(
    connection: Connection, kept: KeptNotice, channel: str, settings: Settings, now: datetime
) -> bool:
    patient = kept.notice.kind in _PATIENT
    patience = timedelta(minutes=settings.schedule.patience_minutes if patient else 0)
    if kept.closed_at is None:
        return now >= kept.opened_at + patience and _put(connection, kept, "opened", channel, settings, now)
    told = is_in_outbox(connection, bulletin_id(kept, "opened", channel))
    return told and patient and _put(connection, kept, "closed", channel, settings, now)


def _put(
    connection: Connection, kept: KeptNotice, what: str, channel: str, settings: Settings, now: datetime
) -> bool:
    slack, letter_id = settings.slack, bulletin_id(kept, what, channel)
    low = kept.notice.severity == "low"
    waits = quiet_until(now, slack.quiet_hours, slack.zone) if low else None
    lane = f"slack:{channel}:{letter_id}" if waits else f"slack:{channel}"
    body = {"channel": channel, "notice": kept.id, "what": what}
    return put_in_outbox(connection, Letter(letter_id, lane, BULLETIN, None, body), now, not_before=waits)


def _channels(kept: KeptNotice, settings: Settings) -> Iterator[str]:
    """The routes of its owner, else the default channel."""
    routed = dict.fromkeys(
        route.channel
        for route in settings.route
        if kept.notice.owner is not None
        and route.owner is not None
        and fnmatchcase(kept.notice.owner, route.owner)
        and SEVERITIES.index(kept.notice.severity) >= SEVERITIES.index(route.min_severity)
    )
    if routed:
        yield from routed
    elif settings.slack.channel is not None:
        yield settings.slack.channel
