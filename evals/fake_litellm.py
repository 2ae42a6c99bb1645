"""A LiteLLM proxy on loopback that keeps keys and teams, fails on request and writes down what it applied.

    python -m evals.fake_litellm --port 0 --state FILE

prints its address. Each applied write is a line of FILE, on disk before the answer goes out; a later start
takes the state up from there. `POST /fake/fail` takes the fields of a Fault.
"""

import argparse
import json
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_hex
from threading import Event, Lock, Thread
from urllib.parse import parse_qsl, urlsplit

from pydantic import JsonValue

from evals.fake_litellm_calls import Used, call, serve_all
from evals.fake_litellm_journal import Fault, FaultKind, Write, append_write, fault_of, read_journal
from evals.fake_litellm_state import Proxy, Row, Told, without_plaintext

MASTER_KEY = "sk-fake-master"


@dataclass(slots=True)
class FakeLiteLlm:
    """A running proxy."""

    proxy: Proxy = field(default_factory=Proxy)
    journal: Path | None = None
    port: int = 0
    asked: list[str] = field(default_factory=list)
    """Method and path of all requests."""
    writes: list[Write] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    used: Used = field(default_factory=Counter)
    enforcing: bool = True
    """Whether calls meet what is written; if not, every one is served as asked."""
    closing: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)
    http: ThreadingHTTPServer | None = None
    thread: Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def effects(self) -> list[Write]:
        """The writes that changed something."""
        return [write for write in self.writes if write.changed]

    def fail(self, kind: FaultKind, **more: int | float | str) -> None:
        """The next requests fail so; faults wait in line."""
        self.faults.append(fault_of({"kind": kind, **more}))

    def add_key(self, token: str, **fields: JsonValue) -> str:
        """A key by its hash, outside the log of writes."""
        self.proxy.change("/key/generate", {"token": token, **fields})
        return token

    def add_team(self, team_id: str, **fields: JsonValue) -> str:
        self.proxy.change("/team/new", {"team_id": team_id, **fields})
        return team_id

    def start(self, port: int = 0) -> None:
        """Serve on loopback, after taking up the journal."""
        for write in read_journal(self.journal):
            self.proxy.change(write.path, write.body)
            self.writes.append(write)
        self.http = _Http(("127.0.0.1", port), _handler(self))
        self.port = self.http.server_address[1]
        self.thread = Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.closing.set()
        if self.http is not None and self.thread is not None:
            self.http.shutdown()
            self.http.server_close()
            self.thread.join()

    def take_fault(self, method: str, path: str) -> Fault | None:
        for place, fault in enumerate(self.faults):
            if fault.method == method and path.startswith(fault.path):
                left = replace(fault, times=fault.times - 1)
                self.faults[place : place + 1] = [left] if left.times else []
                return fault
        return None

    def apply(self, path: str, body: Row, headers: dict[str, str]) -> Told:
        """Carry a write out and note it."""
        before = self.proxy.snapshot()
        told = self.proxy.change(path, body)
        self._note(path, body, headers, applied=told.status == 200, changed=self.proxy.snapshot() != before)
        return told

    def _written(self, path: str, body: Row, headers: dict[str, str]) -> Told:
        """As `apply`; the plaintext of a new key is told once and kept nowhere."""
        if path != "/key/generate" or body.get("token"):
            return self.apply(path, without_plaintext(body), headers)
        secret = str(body.get("key") or f"sk-{token_hex(12)}")
        told = self.apply(path, without_plaintext({**body, "key": secret}), headers)
        made = told.document if isinstance(told.document, dict) else {}
        return told._replace(document={**made, "key": secret}) if told.status == 200 else told

    def _note(self, path: str, body: Row, headers: dict[str, str], *, applied: bool, changed: bool) -> None:
        by, key = headers.get("litellm-changed-by", ""), headers.get("idempotency-key", "")
        write = Write(path, body, key, by, applied, changed)
        self.writes.append(write)
        if self.journal is not None and applied:
            append_write(self.journal, write)

    def answer(self, method: str, target: str, headers: dict[str, str], body: Row) -> Told | bytes | None:
        """None: the connection ends without an answer."""
        url = urlsplit(target)
        secret = headers.get("authorization", "").removeprefix("Bearer ")
        if url.path == "/v1/chat/completions":
            return self._called(secret, str(body.get("model")))
        if secret != MASTER_KEY:
            return Told(401, {"error": {"message": "Authentication Error, Invalid proxy server token"}})
        if url.path == "/fake/fail":
            self.faults.append(fault_of(body))
            return Told(200, {})
        with self.lock:
            self.asked.append(f"{method} {url.path}")
            fault = self.take_fault(method, url.path)
        kind = fault.kind if fault else None
        if fault and kind == "delay":
            self.closing.wait(fault.seconds)
        early = _early(kind)
        if early is not None or kind == "drop_before":
            return early
        with self.lock:
            told = self._done(method, url.path, dict(parse_qsl(url.query)), headers, body)
        return _late(kind, told)

    def _called(self, secret: str, model: str) -> Told:
        with self.lock:
            if not self.enforcing:
                return serve_all(self.proxy, secret, model)
            return call(self.proxy, self.used, secret, model)

    def _done(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: Row
    ) -> Told:
        return self.proxy.ask(path, query) if method == "GET" else self._written(path, body, headers)


@contextmanager
def fake_litellm(journal: Path | None = None) -> Iterator[FakeLiteLlm]:
    """Serve on a free port until the block ends."""
    fake = FakeLiteLlm(journal=journal)
    fake.start()
    try:
        yield fake
    finally:
        fake.stop()


def _early(kind: FaultKind | None) -> Told | bytes | None:
    """An answer that is given without acting."""
    match kind:
        case "refuse":
            return Told(400, {"error": {"message": "refused, as asked", "type": "auth_error", "code": "400"}})
        case "error_before":
            return _broken()
        case "later":
            return Told(429, {"error": {"message": "later", "code": "429"}}, (("Retry-After", "7"),))
        case "html":
            return b"<html>signed out</html>"
        case _:
            return None


def _late(kind: FaultKind | None, told: Told) -> Told | None:
    """An answer after acting."""
    if kind == "drop_after":
        return None
    return _broken() if kind == "error_after" else told


def _broken() -> Told:
    return Told(500, {"error": {"message": "Internal Server Error", "type": "internal_server_error"}})


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


def _handler(fake: FakeLiteLlm) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve({})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
            self._serve(body)

        def _serve(self, body: Row) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.close_connection = True
            with suppress(OSError):  # the client may be gone
                _send(self.connection, fake.answer(self.command, self.path, headers, body))

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


def _send(connection: socket.socket, told: Told | bytes | None) -> None:
    if told is None:
        return
    answer = told if isinstance(told, Told) else Told(200, None)
    body = told if isinstance(told, bytes) else json.dumps(answer.document).encode()
    fixed = (("Content-Length", str(len(body))), ("Connection", "close"))
    lines = [f"{name}: {value}" for name, value in (*fixed, *answer.headers)]
    head = "\r\n".join((f"HTTP/1.1 {answer.status} Told", *lines, "", ""))
    connection.sendall(head.encode("latin-1") + body)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.fake_litellm", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, help="the journal of applied writes")
    given = parser.parse_args()
    fake = FakeLiteLlm(journal=given.state)
    fake.start(given.port)
    print(fake.url, flush=True)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: fake.closing.set())
    fake.closing.wait()
    fake.stop()


if __name__ == "__main__":
    main()
