"""Over Socket Mode the same inbox is filled: stored before it is acknowledged, connected again when cut."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging import LogRecord
from logging.handlers import QueueHandler
from pathlib import Path
from queue import Empty, Queue

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from evals.fake_slack import FakeSlack, fake_slack
from tests.slack_letters import NOW
from tests.slack_socket import WAIT_S, SocketSide, socket_side
from tests.test_tokensleuth_slackapp_ingress import CLICK, COMMAND
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.schema_acts import inbox
from tokensleuth.slackapp import socket_mode
from tokensleuth.slackapp.socket_mode import SocketMode


@dataclass(frozen=True, slots=True)
class Wire:
    casebook: Casebook
    slack: FakeSlack
    side: SocketSide
    mode: SocketMode

    def stored(self) -> list[tuple[str, object]]:
        with self.casebook.reading() as connection:
            return [(row.source, row.body["kind"]) for row in connection.execute(select(inbox))]


@contextmanager
def wire_at(folder: Path, *, started: bool = True) -> Iterator[Wire]:
    with (
        Casebook.open(f"sqlite:///{folder}/c.sqlite", key=b"k" * 32, lock_timeout_s=0.1) as casebook,
        fake_slack(folder / "slack.jsonl") as slack,
        socket_side() as side,
    ):
        slack.socket_url = side.url
        token = SecretStr("xapp-of-tests")
        mode = SocketMode(casebook, token, slack.base_url, lambda: NOW, again_s=0.05, ping_s=0.2)
        if started:
            mode.start()
        try:
            yield Wire(casebook, slack, side, mode)
        finally:
            mode.stop()


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    with wire_at(tmp_path) as made:
        made.side.wait_for_client()
        yield made


@pytest.fixture
def warnings() -> Iterator["Queue[LogRecord]"]:
    """As they come, from whichever thread."""
    told: Queue[LogRecord] = Queue()
    handler = QueueHandler(told)
    socket_mode.log.addHandler(handler)
    yield told
    socket_mode.log.removeHandler(handler)


def test_a_click_is_stored_and_then_acknowledged(wire: Wire) -> None:
    wire.side.send("interactive", "e1", CLICK)
    assert wire.side.ack() == {"envelope_id": "e1"}
    assert wire.stored() == [("slack_socket", "click")]


def test_the_command_is_answered_with_the_acknowledgement(wire: Wire) -> None:
    wire.side.send("slash_commands", "e1", COMMAND)
    ack = wire.side.ack()
    assert isinstance(ack["payload"], dict)
    assert ack["payload"]["text"].startswith("Looking at `last-24h`")
    assert wire.stored() == [("slack_socket", "slash")]


def test_an_envelope_that_is_sent_again_is_stored_once(wire: Wire) -> None:
    for _ in range(2):
        wire.side.send("interactive", "e1", CLICK)
        assert wire.side.ack() == {"envelope_id": "e1"}
    assert len(wire.stored()) == 1


def test_what_has_another_form_is_stored_to_be_refused(wire: Wire) -> None:
    for kind in ("events_api", "interactive", "slash_commands", "other"):
        wire.side.send(kind, f"e_{kind}", {"type": "view_submission", "text": "\ud800"})
        wire.side.ack()
    assert wire.stored() == [("slack_socket", "odd")] * 4


def test_what_cannot_be_stored_is_not_acknowledged(wire: Wire, warnings: "Queue[LogRecord]") -> None:
    with Casebook.open(str(wire.casebook.engine.url), key=b"k" * 32) as other, other.writing():
        wire.side.send("interactive", "e1", CLICK)
        assert "could not be stored" in warnings.get(timeout=WAIT_S).getMessage()
        with pytest.raises(Empty):
            wire.side.acks.get(timeout=0.5)
    wire.side.send("interactive", "e1", CLICK)
    assert wire.side.ack() == {"envelope_id": "e1"}
    assert len(wire.stored()) == 1


@pytest.mark.parametrize("how", ["cut", "ask_to_leave"])
def test_it_connects_again(wire: Wire, how: str) -> None:
    getattr(wire.side, how)()
    wire.side.wait_for_client()
    wire.side.send("interactive", "e2", CLICK)
    assert wire.side.ack() == {"envelope_id": "e2"}


def test_a_slack_that_is_not_there_at_the_start_is_tried_again(tmp_path: Path) -> None:
    with wire_at(tmp_path, started=False) as wire:
        wire.slack.socket_url = ""
        wire.mode.start()
        wire.slack.socket_url = wire.side.url
        wire.side.wait_for_client()
        wire.side.send("interactive", "e1", CLICK)
        assert wire.side.ack() == {"envelope_id": "e1"}


def test_the_token_is_not_shown(wire: Wire) -> None:
    assert "xapp" not in repr(wire.mode)
