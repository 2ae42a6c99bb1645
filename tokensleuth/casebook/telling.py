"""Who has been told of an incident, and letters to them: messages are renewed, threads get what is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, insert, select, update

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


def asked_since(connection: Connection, since: datetime) -> int:
    """How many messages of their own were begun at or after an instant; a storm counts once per channel."""
    statement = select(func.count(messages.c.outbox_id.distinct())).where(messages.c.asked_at >= since)
    return int(connection.scalar(statement) or 0)


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
        lane = f"slack:{message.channel}"
        about = {"channel": message.channel, "outbox_id": message.outbox_id}
        if kind is not None:
            letter_id = fact_id("out", message.outbox_id, incident_id, kind, dict(body), now.isoformat())
            letter = Letter(letter_id, lane, kind, incident_id, about | dict(body))
            put_in_outbox(connection, letter, now)
        _renew(connection, message, lane, about, now)


def _renew(
    connection: Connection, message: Message, lane: str, about: Mapping[str, object], now: datetime
) -> None:
    """One waiting renewal is enough: it shows the state of the moment it is sent."""
    waiting = select(func.count()).where(
        outbox.c.kind == "renew",
        outbox.c.letter == dict(about),
        outbox.c.state == "waiting",
        outbox.c.tries == 0,
    )
    if connection.scalar(waiting):
        return
    written = connection.scalar(select(func.count()).select_from(outbox)) or 0
    letter_id = fact_id("out", message.outbox_id, message.incident_id, "renew", written)
    put_in_outbox(connection, Letter(letter_id, lane, "renew", message.incident_id, dict(about)), now)


def _message(row: RowMapping) -> Message:
    return Message(**{name: row[name] for name in Message.__dataclass_fields__})
