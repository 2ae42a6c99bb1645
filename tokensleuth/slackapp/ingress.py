"""The signed HTTP endpoint: verifies, stores what came in durably, answers at once, and does nothing else."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import SecretStr

from ledger.errors import RefusedError, TokensleuthError
from ledger.window import parse_range
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.queues import put_in_inbox
from tokensleuth.slackapp.answers import looking, wrong_range
from tokensleuth.slackapp.incoming import (
    USUAL_RANGE,
    Incoming,
    Odd,
    Slash,
    fields_of,
    read_command,
    read_interaction,
)
from tokensleuth.slackapp.signing import Headers, Unverified, Verified, verified

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to an HTTP request."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class SlackIngress:
    """Mount `respond` where Slack sends interactions and slash commands to."""

    casebook: Casebook
    secret: SecretStr = field(repr=False)
    """The app's signing secret."""
    clock: Callable[[], datetime]

    def respond(self, headers: Headers, body: bytes) -> Reply:
        """The answer; 200 only after what came in is safely stored, or was before."""
        now = self.clock()
        request = verified(headers, body, self.secret.get_secret_value(), now)
        if isinstance(request, Unverified):
            log.info("a request to the Slack endpoint was turned away: %s", request.why)
            return Reply(request.status)
        answer = _challenge(request.text)
        if answer is not None:
            return answer
        return self._stored(request, now)

    def _stored(self, request: Verified, now: datetime) -> Reply:
        incoming = read_form(request.text)
        if incoming is None:
            return Reply(200)
        try:
            store(self.casebook, request.request_id, "slack_http", incoming, now)
        except TokensleuthError as error:
            log.warning("a request from Slack could not be stored, so it was not taken: %s", error)
            return Reply(503)
        return _told(slash_answer(incoming, now)) if isinstance(incoming, Slash) else Reply(200)


def store(casebook: Casebook, item_id: str, source: str, incoming: Incoming, now: datetime) -> bool:
    """Into the inbox, once; raises UnreachableError or RefusedError where the casebook takes no more."""
    with casebook.writing() as connection:
        return put_in_inbox(connection, item_id, source, incoming.model_dump(mode="json"), now)


def read_form(text: str) -> Incoming | None:
    """What a verified form asks for; None for Slack's look at the certificate."""
    try:
        fields = fields_of(text)
    except ValueError as error:
        return Odd(why=f"no form: {type(error).__name__}")
    if fields.get("ssl_check") == "1":
        return None
    if "payload" in fields:
        return read_interaction(fields["payload"])
    return read_command(fields)


def slash_answer(slash: Slash, now: datetime) -> Mapping[str, object]:
    """What the person sees at once; nobody else does."""
    time_range = slash.text or USUAL_RANGE
    try:
        parse_range(time_range, now=now)
    except RefusedError as error:
        told = wrong_range(str(error))
    else:
        told = looking(time_range)
    return {"response_type": "ephemeral", "text": told.text, "blocks": told.blocks}


def _challenge(text: str) -> Reply | None:
    """Slack's question whether somebody is there, when the address is entered in its settings."""
    if not text.startswith("{"):
        return None
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(asked, dict) or asked.get("type") != "url_verification":
        return None
    challenge = asked.get("challenge")
    fits = isinstance(challenge, str) and len(challenge) <= 200 and challenge.isascii()
    return _told({"challenge": challenge}) if fits else Reply(200)


def _told(document: Mapping[str, object]) -> Reply:
    return Reply(200, json.dumps(document).encode(), "application/json")
