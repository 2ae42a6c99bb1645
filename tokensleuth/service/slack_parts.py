"""The parts that talk with Slack, where it is configured: sending, taking what comes in, Socket Mode."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from tokensleuth.app import App
from tokensleuth.approvals import Answer
from tokensleuth.authority import rules_of
from tokensleuth.casebook import Casebook
from tokensleuth.clock import utc_now
from tokensleuth.people import Identity
from tokensleuth.service.jobs import ask_investigation
from tokensleuth.service.workers import Worker
from tokensleuth.settings import Settings
from tokensleuth.slackapp.backlog import backlog
from tokensleuth.slackapp.handlers import InboxWorker
from tokensleuth.slackapp.ingress import SlackIngress
from tokensleuth.slackapp.letters import LetterRendering
from tokensleuth.slackapp.sender import OutboxSender
from tokensleuth.slackapp.socket_mode import SocketMode
from tokensleuth.slackapp.web_api import WebApi

Undo = Callable[[str, Identity], Answer]


@dataclass(frozen=True, slots=True)
class SlackParts:
    """What runs while Slack is configured."""

    sender: OutboxSender
    inbox: InboxWorker
    ingress: SlackIngress | None
    """Where there is a signing secret."""
    socket: SocketMode | None
    """Where there is an app token."""

    @property
    def workers(self) -> list[Worker]:
        return [
            Worker("slack sender", lambda: self.sender.send_one(utc_now())),
            Worker("slack inbox", lambda: self.inbox.handle_one(utc_now()), idle_s=0.2, pace_s=0.15),
        ]

    @property
    def unhealthy(self) -> str | None:
        """Why messages or clicks do not get through at the moment."""
        if why := self.sender.problem or (self.socket.problem if self.socket else None):
            return why
        with self.sender.casebook.reading() as connection:
            return backlog(connection, utc_now())

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Listen in Socket Mode, where it is configured."""
        if self.socket is None:
            yield
            return
        self.socket.start()
        try:
            yield
        finally:
            self.socket.stop()


def slack_parts(app: App, casebook: Casebook, owner: str, undo: Undo) -> SlackParts | None:
    """None where Slack is not configured."""
    slack = app.settings.slack
    if not slack.is_configured or slack.bot_token is None:
        return None
    sender = OutboxSender(
        casebook=casebook,
        api=WebApi.at(slack.base_url, slack.bot_token),
        render=_rendering(app.settings, casebook, utc_now),
        owner=f"{owner}-sender",
        clock=utc_now,
    )

    def investigate(time_range: str, by: Identity, channel: str, *, request_id: str) -> None:
        ask_investigation(casebook, time_range, by, channel, request_id, utc_now())

    inbox = InboxWorker(
        casebook=casebook,
        rules=rules_of(app.settings),
        undo=undo,
        investigate=investigate,
        owner=f"{owner}-inbox",
        clock=utc_now,
    )
    secret, app_token = slack.signing_secret, slack.app_token
    return SlackParts(
        sender=sender,
        inbox=inbox,
        ingress=SlackIngress(casebook, secret, utc_now) if secret else None,
        socket=SocketMode(casebook, app_token, slack.base_url, utc_now) if app_token else None,
    )


def _rendering(settings: Settings, casebook: Casebook, clock: Callable[[], datetime]) -> LetterRendering:
    return LetterRendering(
        key=casebook.key,
        rules=rules_of(settings),
        clock=clock,
        link_base=settings.web.public_url,
        dry_run=settings.actions.dry_run,
        limit_hours=settings.actions.limit_hours,
    )
