"""Who has been told of an incident, and letters to them: messages are renewed, threads get what is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, func, insert, or_, select, update

from ledger.ids import fact_id
from tokensleuth.casebook.queues import Letter, put_in_outbox
from tokensleuth.casebook.schema_acts import messages, outbox


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a channel that tells of an incident, perhaps together with others."""

    incident_id: str
    channel: str
    kind: str
    """`alert`, or `storm` where it tells of many incidents."""
    ts: str | None
    """What Slack calls it; None until it is out."""
    outbox_id: str
    asked_at: datetime


def messages_of(connection: Connection, incident_id: str) -> Sequence[Message]:
    """Where an incident is told of."""
    statement = select(messages).where(messages.c.incident_id == incident_id).order_by(messages.c.channel)
    return [_message(row) for row in connection.execute(statement).mappings()]


def message_at(connection: Connection, channel: str, ts: str) -> Sequence[Message]:
    """The incidents that the message of that channel tells of: what a click on it may be about."""
    statement = select(messages).where(messages.c.channel == channel, messages.c.ts == ts)
    return [_message(row) for row in connection.execute(statement).mappings()]


def add_message(connection: Connection, message: Message) -> None:
    """Note that a channel is told of an incident."""
    values = {name: getattr(message, name) for name in Message.__dataclass_fields__}
    connection.execute(insert(messages).values(values))


def message_is_out(connection: Connection, outbox_id: str, ts: str) -> None:
    """What the channel calls the message that a letter became."""
    connection.execute(update(messages).where(messages.c.outbox_id == outbox_id).values(ts=ts))


def tell_incident(
    connection: Connection, incident_id: str, kind: str | None, body: Mapping[str, object], now: datetime
) -> None:
    """Renew every message that tells of the incident and add `kind` to its thread; none told, nothing."""
    for message in messages_of(connection, incident_id):
        if kind is not None:
            letter_id = fact_id("out", message.outbox_id, incident_id, kind, dict(body), now.isoformat())
            lane = _lane(connection, message)
            letter = Letter(letter_id, lane, kind, incident_id, _about(message) | dict(body))
            put_in_outbox(connection, letter, now)
        renew_message(connection, message, now)


def renew_message(connection: Connection, message: Message, now: datetime) -> None:
    """One waiting renewal is enough, and one not begun needs none: it shows the moment it is sent."""
    about = _about(message)
    same = and_(outbox.c.kind == "renew", outbox.c.letter == about)
    untouched = and_(outbox.c.state == "waiting", outbox.c.tries == 0)
    shows_it = or_(outbox.c.id == message.outbox_id, same)
    if connection.scalar(select(func.count()).select_from(outbox).where(untouched, shows_it)):
        return
    written = connection.scalar(select(func.count()).select_from(outbox)) or 0
    letter_id = fact_id("out", message.outbox_id, message.incident_id, "renew", written)
    lane = _lane(connection, message)
    put_in_outbox(connection, Letter(letter_id, lane, "renew", message.incident_id, about), now)


def told_in(connection: Connection, outbox_id: str) -> Sequence[str]:
    """The incidents that one message tells of: many in a storm."""
    statement = select(messages.c.incident_id).where(messages.c.outbox_id == outbox_id)
    return [str(found) for found in connection.scalars(statement.order_by(messages.c.incident_id))]


def _lane(connection: Connection, message: Message) -> str:
    """That of the message itself: what is in its thread never comes before it, nor holds up others."""
    lane = connection.scalar(select(outbox.c.lane).where(outbox.c.id == message.outbox_id))
    return str(lane or f"slack:{message.channel}")


def _about(message: Message) -> dict[str, object]:
    return {"channel": message.channel, "outbox_id": message.outbox_id}


def _message(row: RowMapping) -> Message:
    return Message(**{name: row[name] for name in Message.__dataclass_fields__})
