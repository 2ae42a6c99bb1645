"""What of the outbox did not reach Slack, in one line for health and doctor."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from tokensleuth.casebook.schema_acts import outbox
from tokensleuth.slackapp.look import duration
from tokensleuth.terminal.text import counted

TOLD_FOR: Final = timedelta(hours=24)
LATE: Final = timedelta(minutes=15)


def backlog(connection: Connection, now: datetime) -> str | None:
    """None where everything due went out: else what was refused of late, or how long the oldest waits."""
    return _refused(connection, now) or _waiting(connection, now)


def _refused(connection: Connection, now: datetime) -> str | None:
    failed = (outbox.c.state == "failed", outbox.c.kind != "ephemeral", outbox.c.sent_at > now - TOLD_FOR)
    count = connection.scalar(select(func.count()).where(*failed)) or 0
    last = select(outbox.c.error).where(*failed).order_by(outbox.c.sent_at.desc(), outbox.c.number.desc())
    if not count:
        return None
    why = connection.scalar(last.limit(1))
    return f"{counted(count, 'letter')} could not be sent in the last 24 h; the last: {why}"


def _waiting(connection: Connection, now: datetime) -> str | None:
    """Letters that wait for the end of the quiet hours are not late."""
    tried = (outbox.c.state == "waiting", outbox.c.error.is_not(None), outbox.c.created_at < now - LATE)
    oldest = select(outbox.c.created_at, outbox.c.error).where(*tried).order_by(outbox.c.number).limit(1)
    row = connection.execute(oldest).first()
    return f"letters wait for {duration(now - row.created_at)}: {row.error}" if row else None
