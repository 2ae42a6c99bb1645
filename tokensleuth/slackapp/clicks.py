"""What a click asks for, and whether it counts: its sender, its message and its button are checked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import Connection, and_, func, or_, select

from tokensleuth.casebook.decided import Asked, read_asked, words_of
from tokensleuth.casebook.executed import executions_of
from tokensleuth.casebook.feedback import feedback_of
from tokensleuth.casebook.records import JsonObject
from tokensleuth.casebook.schema_acts import messages, outbox
from tokensleuth.casebook.store import read_incident
from tokensleuth.casebook.telling import message_at
from tokensleuth.people import Identity
from tokensleuth.slackapp.buttons import Button, Verb, read_button
from tokensleuth.slackapp.incoming import Click, Slash
from tokensleuth.slackapp.placing import was_posted

MAY_STILL_COME: Final = timedelta(minutes=15)
"""How long a click waits for the casebook to learn that the message it is on went out."""

_FEEDBACK: Final[frozenset[Verb]] = frozenset({"expected", "not-an-issue", "real"})


@dataclass(frozen=True, slots=True)
class Refused:
    """It does not count."""

    why: str
    tell: bool = False
    """Whether the person is told; strangers are not."""
    incident_id: str | None = None
    not_ours: bool = False
    """Whether it is the button or the message that is not ours."""


@dataclass(frozen=True, slots=True)
class TooEarly:
    """The message may be out while the casebook does not know yet what it is called."""


@dataclass(frozen=True, slots=True)
class Meant:
    """A click that is what it says: on that button, under a message of ours about that incident."""

    button: Button
    by: Identity
    incident: JsonObject
    asked: Asked | None
    """The proposal; None for feedback."""

    @property
    def incident_id(self) -> str:
        return str(self.incident["id"])


def stranger(sent: Click | Slash, home: str | None) -> Refused | None:
    """Why this person cannot be listened to at all."""
    if home is None:
        return Refused("slack.team_id names no home workspace, so nobody in Slack is listened to")
    if sent.team != home:
        return Refused(f"it comes from the workspace {sent.team}; home is {home}")
    if isinstance(sent, Slash):
        return None
    if sent.user_team != home:
        return Refused(f"{sent.user} is a guest from the workspace {sent.user_team}; home is {home}")
    if sent.is_bot or sent.user == "USLACKBOT":
        return Refused(f"{sent.user} is a bot")
    return None


def identity_of(sent: Click | Slash) -> Identity:
    return Identity("slack", f"{sent.team}/{sent.user}")


def meaning(
    connection: Connection, click: Click, key: bytes, received_at: datetime, now: datetime
) -> Meant | Refused | TooEarly:
    """What the click is about, where everything about it is right."""
    button = read_button(click.value, key)
    if button is None:
        return Refused("the button is not one of ours", tell=True, not_ours=True)
    asked = None if button.verb in _FEEDBACK else read_asked(connection, button.subject_id)
    incident_id = asked.incident_id if asked else button.subject_id
    incident = read_incident(connection, incident_id, now=now)
    if incident is None:
        return Refused(f"there is no {button.subject_id}", tell=True)
    if not _is_under(connection, click, incident_id):
        early = now - received_at < MAY_STILL_COME and _may_be_out(connection, incident_id)
        why = f"no message of ours in {click.channel} about {incident_id} is called {click.message_ts}"
        return TooEarly() if early else Refused(why, True, incident_id, not_ours=True)
    return Meant(button, identity_of(click), incident, asked)


def hash_seen(button: Button, asked: Asked) -> str:
    """The whole hash where the button showed what is there now; else what it has, which is refused."""
    same = button.round == asked.round and button.saw(asked.payload_hash)
    return asked.payload_hash if same else button.seen


def said_already(connection: Connection, meant: Meant, person: str) -> bool:
    """Whether the casebook has this person's very word: it was killed before it noted that this was it."""
    if meant.asked is None:
        return False
    verdict: Literal["approve", "reject"] = "approve" if meant.button.verb == "approve" else "reject"
    said = words_of(connection, meant.asked.id, meant.asked.round)
    return any((s.decided_by, s.identity, s.verdict) == (person, str(meant.by), verdict) for s in said)


def undone_already(connection: Connection, meant: Meant, person: str) -> bool:
    """Whether an undo by this person is there: it was killed before it noted that this was it."""
    if meant.asked is None:
        return False
    names, asked = (person, str(meant.by)), meant.asked
    undone = (e for e in executions_of(connection, asked.id) if e.kind == "undo" and e.round == asked.round)
    return any(e.requested_by in names for e in undone)


def judged_already(connection: Connection, meant: Meant, person: str, since: datetime) -> bool:
    """Whether this person said this of the incident after they clicked."""
    said = (f for f in feedback_of(connection, meant.incident_id) if f.given_by == person)
    return any(f.verdict == meant.button.verb and f.given_at >= since for f in said)


def _is_under(connection: Connection, click: Click, incident_id: str) -> bool:
    """On the incident's message, on one in its thread, or on one that only this person sees.

    A direct message is known by the person's id where we asked for it, and by its own where it is clicked.
    """
    places = [click.channel, click.user] if click.channel.startswith("D") else [click.channel]
    told = [m for place in places for m in message_at(connection, place, click.message_ts)]
    return any(m.incident_id == incident_id for m in told) or was_posted(
        connection, incident_id, click.channel, click.message_ts
    )


def _may_be_out(connection: Connection, incident_id: str) -> bool:
    unnamed = select(func.count()).where(messages.c.incident_id == incident_id, messages.c.ts.is_(None))
    begun = and_(outbox.c.state == "waiting", or_(outbox.c.tries > 0, outbox.c.owner.is_not(None)))
    sending = select(func.count()).where(outbox.c.incident_id == incident_id, begun)
    return bool(connection.scalar(unnamed) or connection.scalar(sending))
