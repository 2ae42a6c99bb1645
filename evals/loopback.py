"""HTTP on loopback for stateful fakes: any method, whole requests, and wrong answers on demand."""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from urllib.parse import parse_qs, urlsplit

from evals.fake_openai import Reply

WRITES = ("POST", "DELETE")


@dataclass(frozen=True, slots=True)
class Request:
    """One that arrived."""

    method: str
    path: str
    """As sent, still quoted."""
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """What the next request of a method gets instead of its answer."""

    reply: Reply
    method: str
    acts: bool
    """Whether the request takes effect all the same."""


@dataclass(slots=True)
class Loopback:
    """A running server; requests are answered one at a time."""

    answer: Callable[[Request], Reply]
    port: int = 0
    asked: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    closing: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def writes(self) -> list[Request]:
        return [request for request in self.asked if request.method in WRITES]

    def fail(self, reply: Reply, *, method: str = "POST", acts: bool = False) -> None:
        self.faults.append(Fault(reply, method, acts))

    def told(self, request: Request) -> Reply:
        with self.lock:
            self.asked.append(request)
            fault = next((f for f in self.faults if f.method == request.method), None)
            if fault is None:
                return self.answer(request)
            self.faults.remove(fault)
            if fault.acts:
                self.answer(request)
            return fault.reply


@contextmanager
def serving(answer: Callable[[Request], Reply]) -> Iterator[Loopback]:
    """Serve on a free port until the block ends."""
    served = Loopback(answer)
    http = _Http(("127.0.0.1", 0), _handler(served))
    served.port = http.server_address[1]
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        served.closing.set()
        http.shutdown()
        http.server_close()
        thread.join()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


def _handler(served: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            url = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length") or 0))
            request = Request(self.command, url.path, parse_qs(url.query), headers, body)
            self.close_connection = True
            with suppress(OSError):  # the client may be gone
                _send(self.connection, served.told(request), served.closing)

        do_GET = do_POST = do_DELETE = _any

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


def _send(connection: socket.socket, reply: Reply, closing: Event) -> None:
    closing.wait(reply.delay_s)
    headers = (
        *(() if reply.content_type is None else (("Content-Type", reply.content_type),)),
        ("Content-Length", str(len(reply.body))),
        ("Connection", "close"),
        *reply.headers,
    )
    head = "\r\n".join([f"HTTP/1.1 {reply.status} Told", *(f"{name}: {value}" for name, value in headers)])
    connection.sendall((f"{head}\r\n\r\n".encode("latin-1") + reply.body)[: reply.cut_after])
