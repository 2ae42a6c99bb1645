"""A stateful Slack Web API over HTTP on loopback that fails on demand, for tests and the chaos harness.

`python -m evals.fake_slack --port 0 --journal FILE` prints its URL and serves until it is told to stop.
"""

import argparse
import json
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Literal, cast
from urllib.parse import parse_qsl

from evals.fake_workspace import Answer, FakeWorkspace, Refusal

How = Literal["lost_reply", "lost_request", "busy", "broken", "html", "refuse", "slow"]
Headers = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Failure:
    """What goes wrong with the next calls of a method."""

    method: str
    """`*` for every one."""
    how: How
    times: int = 1
    word: str = "invalid_auth"
    """What `refuse` says."""
    seconds: float = 1
    """How long `busy` asks to wait, and `slow` takes."""


@dataclass(slots=True)
class FakeSlack:
    """A running server."""

    workspace: FakeWorkspace
    failures: list[Failure] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """The methods that were called, failures included."""
    socket_url: str = ""
    """What apps.connections.open gives."""
    port: int = 0
    lock: Lock = field(default_factory=Lock)
    closing: Event = field(default_factory=Event)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    def fail(self, method: str, how: How, **more: object) -> None:
        """Also over HTTP: POST these as JSON to /control/fail."""
        self.failures.append(Failure(method, how, **more))  # type: ignore[arg-type]

    def answer(self, method: str, fields: Mapping[str, object], token: str) -> Answer:
        if not token.startswith(("Bearer xoxb-", "Bearer xapp-")):
            return {"ok": False, "error": "not_authed"}
        if method == "apps.connections.open":
            return {"ok": True, "url": self.socket_url}
        try:
            done = self.workspace.call(method, fields)
        except Refusal as refusal:
            return {"ok": False, "error": str(refusal)}
        if "upload_url" in done:
            done["upload_url"] = f"http://127.0.0.1:{self.port}/{done['upload_url']}"
        return {"ok": True, **done}

    def failure_of(self, method: str) -> Failure | None:
        self.asked.append(method)
        for failure in self.failures:
            if failure.method in ("*", method) and failure.times > 0:
                failure.times -= 1
                return failure
        return None


@contextmanager
def fake_slack(
    journal: Path, *, workspace: FakeWorkspace | None = None, port: int = 0
) -> Iterator[FakeSlack]:
    """Serve on a free port of the loopback interface until the block ends."""
    server = FakeSlack(workspace or FakeWorkspace(journal))
    http = _Http(server, port)
    server.port = http.server_address[1]
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        http.shutdown()
        http.server_close()
        thread.join()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, fake: FakeSlack, port: int) -> None:
        self.fake = fake
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    @property
    def fake(self) -> FakeSlack:
        return cast(_Http, self.server).fake

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.close_connection = True
        with suppress(OSError):  # the client may be gone
            self._serve(body)

    def _serve(self, body: bytes) -> None:
        if self.path == "/control/fail":
            self.fake.fail(**json.loads(body))
            self._reply(200, {"ok": True})
        elif file := re.fullmatch(r"/upload/(F\d+)", self.path):
            self.fake.workspace.put_file(file[1], body)
            self._reply(200, {"ok": True})
        else:
            self._call(self.path.removeprefix("/api/"), body)

    def _call(self, method: str, body: bytes) -> None:
        with self.fake.lock:
            failure = self.fake.failure_of(method)
            if failure is not None and failure.how not in ("lost_reply", "slow"):
                self._fail(failure)
                return
            answer = self.fake.answer(method, self._fields(body), self.headers.get("authorization", ""))
        if failure is not None and failure.how == "slow":
            self.fake.closing.wait(failure.seconds)
        if failure is None or failure.how != "lost_reply":
            self._reply(200, answer)

    def _fields(self, body: bytes) -> Mapping[str, object]:
        if body[:1] == b"{":
            return dict(json.loads(body))
        return dict(parse_qsl(body.decode(), keep_blank_values=True))

    def _fail(self, failure: Failure) -> None:
        match failure.how:
            case "busy":
                wait = (("Retry-After", str(int(failure.seconds))),)
                self._reply(429, {"ok": False, "error": "ratelimited"}, wait)
            case "broken":
                self._reply(500, {"ok": False, "error": "internal_error"})
            case "html":
                self._send(200, b"<html>Sign in to the network</html>", "text/html")
            case "refuse":
                self._reply(200, {"ok": False, "error": failure.word})
            case _:
                return

    def _reply(self, status: int, answer: Answer, headers: Headers = ()) -> None:
        self._send(status, json.dumps(answer).encode(), "application/json", headers)

    def _send(self, status: int, body: bytes, kind: str, headers: Headers = ()) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--journal", type=Path, required=True)
    asked = parser.parse_args()
    stopping = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with fake_slack(asked.journal, port=asked.port) as server:
        print(server.base_url, flush=True)
        stopping.wait()


if __name__ == "__main__":
    main()
