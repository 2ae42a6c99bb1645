"""Which messages were begun lately or wait to be sent, for the budget of messages in an hour."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from tokensleuth.casebook.schema_acts import messages, outbox


@dataclass(frozen=True, slots=True)
class Storm:
    """One message that tells of all incidents there was no room for."""

    outbox_id: str
    channel: str
    ts: str | None
    asked_at: datetime
    """When it goes out, or went."""
    waits: bool
    """Nobody has begun to send it."""


def alerts_since(connection: Connection, since: datetime) -> list[datetime]:
    """When each message of its own was or is to be sent, after an instant."""
    statement = select(messages.c.asked_at).where(messages.c.kind == "alert", messages.c.asked_at > since)
    return list(connection.scalars(statement))


def storms_since(connection: Connection, since: datetime) -> list[Storm]:
    """Latest first; those that can never be sent are left out, so that nothing more goes into them."""
    storm = (messages.c.outbox_id, messages.c.channel, messages.c.ts, messages.c.asked_at)
    statement = (
        select(*storm, outbox.c.state, outbox.c.tries)
        .distinct()
        .join(outbox, outbox.c.id == messages.c.outbox_id)
        .where(messages.c.kind == "storm", messages.c.asked_at > since, outbox.c.state != "failed")
        .order_by(messages.c.asked_at.desc(), messages.c.outbox_id)
    )
    return [
        Storm(*row[:4], waits=row.state == "waiting" and row.tries == 0)
        for row in connection.execute(statement)
    ]


def bring_forward(connection: Connection, outbox_id: str, now: datetime) -> None:
    """Send now what waits for later."""
    connection.execute(update(outbox).where(outbox.c.id == outbox_id).values(next_at=now))
    connection.execute(update(messages).where(messages.c.outbox_id == outbox_id).values(asked_at=now))
