"""Letters in a casebook, a clock that is set by hand, and a rendering that only says what it was given."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Connection, RowMapping, select

from evals.fake_slack import FakeSlack, fake_slack
from evals.fake_workspace import Answer, FakeWorkspace
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.queues import Letter, Queued, put_in_outbox
from tokensleuth.casebook.schema_acts import outbox
from tokensleuth.casebook.telling import Message, add_message
from tokensleuth.slackapp.limits import Rendered
from tokensleuth.slackapp.placing import Place
from tokensleuth.slackapp.sender import OutboxSender, Rendering
from tokensleuth.slackapp.web_api import WebApi

NOW = datetime(2026, 11, 4, 9, tzinfo=UTC)
TOKEN = SecretStr("xoxb-of-tests")


@dataclass(slots=True)
class HandClock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def tick(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(slots=True)
class EchoRendering:
    """Says the id of the letter, and the chart it was given."""

    picture: bytes | None = None
    silent: set[str] = field(default_factory=set)
    """Ids of letters that say nothing."""

    def rendered(self, _: Connection, letter: Queued, place: Place) -> Rendered | None:
        if letter.id in self.silent:
            return None
        text = f"{letter.kind} {letter.id} {place.chart_file or 'bare'}"
        return Rendered(text, [{"type": "section", "text": {"type": "mrkdwn", "text": text}}])

    def chart(self, _: Connection, letter: Queued) -> bytes | None:
        return self.picture if letter.kind == "alert" else None


@dataclass(slots=True)
class Office:
    """A casebook, a Slack and a sender between them."""

    casebook: Casebook
    slack: FakeSlack
    clock: HandClock = field(default_factory=HandClock)
    render: EchoRendering = field(default_factory=EchoRendering)
    sender: OutboxSender = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self, *, timeout_s: int = 5) -> None:
        """A sender that remembers nothing."""
        api = WebApi.at(self.slack.base_url, TOKEN, timeout_s=timeout_s)
        render: Rendering = self.render
        self.sender = OutboxSender(self.casebook, api, render, "sender", self.clock)

    def write(
        self,
        letter_id: str,
        kind: str = "alert",
        *,
        channel: str = "C1",
        incident_id: str | None = "inc_1",
        lane: str | None = None,
        not_before: datetime | None = None,
        **body: object,
    ) -> None:
        body = {"channel": channel, **body}
        letter = Letter(letter_id, lane or f"slack:{channel}", kind, incident_id, body)
        with self.casebook.writing() as connection:
            put_in_outbox(connection, letter, self.clock(), not_before=not_before)
            if kind == "alert" and incident_id is not None:
                message = Message(incident_id, channel, "alert", None, letter_id, self.clock())
                add_message(connection, message)

    def send_all(self) -> int:
        """All whose time has come."""
        sent = 0
        while self.sender.send_one(self.clock()):
            sent += 1
        return sent

    def later(self, seconds: float) -> int:
        self.clock.tick(seconds)
        return self.send_all()

    def texts(self, channel: str = "C1") -> list[object]:
        return [message["text"] for message in self.posted(channel)]

    def posted(self, channel: str = "C1") -> Sequence[Answer]:
        return self.slack.workspace.messages(channel)

    def row(self, letter_id: str) -> RowMapping:
        with self.casebook.reading() as connection:
            return connection.execute(select(outbox).where(outbox.c.id == letter_id)).mappings().one()


@contextmanager
def office_at(folder: Path) -> Iterator[Office]:
    clock = HandClock()
    workspace = FakeWorkspace(folder / "slack.jsonl", clock=clock)
    url = f"sqlite:///{folder}/casebook.sqlite"
    with (
        Casebook.open(url, key=b"the casebook key of the tests") as casebook,
        fake_slack(workspace.journal, workspace=workspace) as slack,
    ):
        yield Office(casebook, slack, clock)
