"""Where a letter goes: a channel, the thread of an incident's message, the message itself, or one person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, RowMapping, func, select, update

from tokensleuth.casebook.queues import Queued
from tokensleuth.casebook.schema_acts import messages, outbox

Way = Literal["post", "reply", "update", "whisper"]
TOP_LEVEL = frozenset({"alert", "storm", "result", "notice", "bulletin", "digest"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where it goes and what is known of the message it belongs to."""

    way: Way
    channel: str
    outbox_id: str
    """Of the message it is, changes or answers to."""
    ts: str | None = None
    """Of the message to be changed."""
    thread_ts: str | None = None
    user: str | None = None
    chart_file: str | None = None
    asked_at: datetime | None = None
    sent_at: datetime | None = None
    """Of the incident's message, where that is out."""
    message_kind: str = ""
    """Of the message it is, changes or answers to: alert, storm, result or notice."""
    mention: tuple[str, ...] = ()
    """Whom that message names."""


@dataclass(frozen=True, slots=True)
class NotYet:
    """What it belongs to is not out; it follows that in its lane, and holds up nothing else."""

    why: str
    lane: str


@dataclass(frozen=True, slots=True)
class Never:
    """It cannot be sent any more."""

    why: str


def place_of(connection: Connection, letter: Queued) -> Place | NotYet | Never:
    """Thread letters and renewals wait for the incident's message, and are dropped where it never came."""
    channel = letter.body.get("channel")
    if not isinstance(channel, str):
        return Never("its letter names no channel")
    if letter.kind == "ephemeral":
        user = letter.body.get("user")
        known = isinstance(user, str)
        return Place("whisper", channel, letter.id, user=str(user)) if known else Never("it names nobody")
    if letter.kind in TOP_LEVEL:
        due_at, mention = _due(connection, letter.id, letter.at), _mention(letter.body)
        return Place("post", channel, letter.id, asked_at=due_at, message_kind=letter.kind, mention=mention)
    return _belonging(connection, letter)


def _belonging(connection: Connection, letter: Queued) -> Place | NotYet | Never:
    message_id = str(letter.body.get("outbox_id"))
    row = _row(connection, message_id)
    if row is None or row["state"] == "failed":
        return Never("the message it belongs to could not be sent")
    if row["state"] != "sent":
        return NotYet("the message it belongs to is not out yet", row["lane"])
    reply = row["reply"]
    ts, chart_file = str(reply["ts"]), reply.get("chart_file")
    renews = letter.kind == "renew"
    return Place(
        way="update" if renews else "reply",
        channel=str(reply["channel"]),
        outbox_id=message_id,
        ts=ts if renews else None,
        thread_ts=None if renews else ts,
        chart_file=chart_file if isinstance(chart_file, str) else None,
        asked_at=_due(connection, message_id, row["created_at"]),
        sent_at=row["sent_at"],
        message_kind=row["kind"],
        mention=_mention(row["letter"]),
    )


def follow(connection: Connection, letter: Queued, owner: str, lane: str) -> bool:
    """Let a letter wait behind the message it belongs to: an alert of the quiet hours has its own lane."""
    mine = (outbox.c.number == letter.number, outbox.c.owner == owner)
    free = {"owner": None, "lease_until": None, "tries": letter.tries}
    return connection.execute(update(outbox).where(*mine).values(lane=lane, **free)).rowcount == 1


def was_posted(connection: Connection, incident_id: str, channel: str, ts: str) -> bool:
    """Whether that message is a letter of ours about the incident: in its thread, or to one person."""
    statement = select(outbox.c.reply, outbox.c.letter).where(
        outbox.c.incident_id == incident_id, outbox.c.state == "sent"
    )
    return any(
        _is_at(row["reply"], row["letter"], channel, ts) for row in connection.execute(statement).mappings()
    )


def _is_at(reply: Mapping[str, object], letter: Mapping[str, object], channel: str, ts: str) -> bool:
    """Also by the id of the conversation, where the letter names a person."""
    return reply.get("ts") == ts and channel in (reply.get("channel"), letter.get("channel"))


def _due(connection: Connection, outbox_id: str, written_at: datetime) -> datetime:
    """When it should be told: what waits for the end of the quiet hours is not late meanwhile."""
    asked = select(func.min(messages.c.asked_at)).where(messages.c.outbox_id == outbox_id)
    found: datetime | None = connection.scalar(asked)
    return max(written_at, found) if found else written_at


def _mention(letter: Mapping[str, object]) -> tuple[str, ...]:
    given = letter.get("mention")
    return tuple(str(user) for user in given) if isinstance(given, list) else ()


def _row(connection: Connection, outbox_id: str) -> RowMapping | None:
    return connection.execute(select(outbox).where(outbox.c.id == outbox_id)).mappings().first()
