"""People who click: signed as Slack signs, again and again until a worker says 200."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from itertools import count
from threading import Event, Lock
from urllib.parse import urlencode

from evals.chaos.clock import SharedClock
from evals.chaos.incidents import Asked, Case
from evals.chaos.people import TEAM
from tokensleuth.slackapp.buttons import Verb
from tokensleuth.slackapp.signing import sign

TRIES = 400


@dataclass(frozen=True, slots=True)
class Click:
    """What one person presses on one message."""

    user: str
    verb: Verb
    asked: Asked
    case: Case
    ts: str

    @property
    def told(self) -> str:
        return f"{self.user} {self.verb} {self.asked.role} {self.asked.id} in {self.case.channel}"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A click that was answered with 200, as the inbox knows it."""

    click: Click
    request_id: str


@dataclass(slots=True)
class People:
    """Clicks at once, by several people."""

    key: bytes
    """Of the casebook: signs buttons."""
    secret: str
    clock: SharedClock
    port: Callable[[], int | None]
    pool: ThreadPoolExecutor
    acknowledged: list[Acknowledged] = field(default_factory=list)
    sent: int = 0
    numbers: "count[int]" = field(default_factory=count)
    lock: Lock = field(default_factory=Lock)
    giving_up: Event = field(default_factory=Event)

    def press(self, clicks: Sequence[Click]) -> list["Future[None]"]:
        return [self.pool.submit(self._press, click) for click in clicks]

    def _press(self, click: Click) -> None:
        for _ in range(TRIES):
            body = self._body(click)
            stamp = str(int(self.clock().timestamp()))
            signature = sign(body, self.secret, stamp)
            if self._answer(body, stamp, signature) == 200:
                request_id = f"slack_{sha256(signature.encode()).hexdigest()[:48]}"
                with self.lock:
                    self.acknowledged.append(Acknowledged(click, request_id))
                return
            if self.giving_up.wait(0.05):
                return
        raise RuntimeError(f"nobody took the click: {click.told}")

    def _answer(self, body: bytes, stamp: str, signature: str) -> int | None:
        """None where no answer came: it may have been stored all the same."""
        port = self.port()
        if not port:
            return None
        with self.lock:
            self.sent += 1
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
        try:
            connection.request("POST", "/slack", body, headers)
            return connection.getresponse().status
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()

    def _body(self, click: Click) -> bytes:
        """Never the same twice, as when a person presses again."""
        payload = {
            "type": "block_actions",
            "team": {"id": TEAM},
            "user": {"id": click.user, "team_id": TEAM},
            "channel": {"id": click.case.channel},
            "container": {"message_ts": click.ts},
            "trigger_id": str(next(self.numbers)),
            "actions": [{"type": "button", "value": click.asked.button(click.verb, self.key)}],
        }
        return urlencode({"payload": json.dumps(payload)}).encode()
