"""An OpenAI-compatible server on loopback that a function drives: right answers, and every wrong one.

It checks requests as strictly as the strictest servers do and answers 400 with the reason.
"""

import json
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread

from pydantic import JsonValue

from evals.strict_chat import fault_of

Document = Mapping[str, JsonValue]
JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Drip:
    """So many bytes at a time, and a pause after each."""

    chunk_bytes: int
    pause_s: float
    headers_too: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, as it goes over the wire."""

    body: bytes = b""
    status: int = 200
    content_type: str | None = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0
    drip: Drip | None = None
    cut_after: int | None = None
    """The connection ends after so many bytes, headers included; 0: before the answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that arrived."""

    document: Document
    headers: Mapping[str, str]
    """Names in lower case."""
    fault: str | None
    """Why a strict server refuses it."""


Driver = Callable[[Document, int], Reply]
"""From the request and its number, the first is 0, to the answer."""


@dataclass(slots=True)
class FakeOpenAI:
    """A running server."""

    driver: Driver
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    closing: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def faults(self) -> list[str]:
        """What was wrong with requests; empty where a strict server takes them all."""
        return [asked.fault for asked in self.asked if asked.fault]

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        document, fault = _parsed(body)
        if not headers.get("authorization", "").startswith("Bearer "):
            fault = "no key"
        if path != "/v1/chat/completions":
            fault = f"nothing is served at {path}"
        with self.lock:
            number = len(self.asked)
            self.asked.append(Asked(document, headers, fault))
        return refusal(400, fault) if fault else self.driver(document, number)


@contextmanager
def fake_openai(driver: Driver | Reply) -> Iterator[FakeOpenAI]:
    """Serve on a free port of the loopback interface until the block ends."""
    server = FakeOpenAI((lambda _document, _number: driver) if isinstance(driver, Reply) else driver)
    http = _Http(("127.0.0.1", 0), _handler(server))
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


def in_turn(*replies: Reply) -> Driver:
    """One answer after the other; the last one is repeated."""
    return lambda _document, number: replies[min(number, len(replies) - 1)]


def tool_call(name: str, arguments: JsonValue, call_id: str = "call_a") -> JsonValue:
    """A call as a server writes it; arguments that are text go out as they are."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": text}}


def message(text: str | None = None, *calls: JsonValue) -> dict[str, JsonValue]:
    """An assistant's message."""
    return {"role": "assistant", "content": text, **({"tool_calls": list(calls)} if calls else {})}


def completion(text: str | None = None, *calls: tuple[str, JsonValue], finish: str | None = None) -> Reply:
    """A right answer with text, calls by name and arguments, and 1000 tokens in and 50 out."""
    made = [tool_call(name, arguments, f"call_{i}") for i, (name, arguments) in enumerate(calls)]
    return answering(message(text, *made), finish=finish or ("tool_calls" if calls else "stop"))


def answering(told: JsonValue, *, finish: str = "stop", usage: JsonValue = None) -> Reply:
    """An answer with this message, right or not."""
    counted: JsonValue = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
    return json_reply({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "fake-1",
        "choices": [{"index": 0, "message": told, "finish_reason": finish}],
        "usage": counted if usage is None else usage,
    })  # fmt: skip


def json_reply(document: JsonValue, *, status: int = 200) -> Reply:
    return Reply(json.dumps(document).encode(), status)


def refusal(
    status: int, told: str, *, code: JsonValue = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """An error as OpenAI words it."""
    error: JsonValue = {"message": told, "type": "invalid_request_error", "param": None, "code": code}
    return replace(json_reply({"error": error}, status=status), headers=tuple((headers or {}).items()))


def _parsed(body: bytes) -> tuple[Document, str | None]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}, "the body is no JSON"
    return (document, fault_of(document)) if isinstance(document, dict) else ({}, "the body is no object")


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


def _handler(server: FakeOpenAI) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.close_connection = True
            with suppress(OSError):  # the client may be gone
                _send(self.connection, server.answer(self.path, headers, body), server.closing)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


def _send(connection: socket.socket, reply: Reply, closing: Event) -> None:
    closing.wait(reply.delay_s)
    head = _head(reply)
    whole = (head + reply.body)[: reply.cut_after]
    drip = reply.drip
    start = 0 if drip and drip.headers_too else len(head)
    step = drip.chunk_bytes if drip else max(len(whole), 1)
    connection.sendall(whole[:start])
    for i in range(start, len(whole), step):
        connection.sendall(whole[i : i + step])
        if drip and closing.wait(drip.pause_s):
            return


def _head(reply: Reply) -> bytes:
    typed = () if reply.content_type is None else (("Content-Type", reply.content_type),)
    fixed = (("Content-Length", str(len(reply.body))), ("Connection", "close"))
    lines = [f"HTTP/1.1 {reply.status} Told"]
    lines += [f"{name}: {value}" for name, value in (*typed, *fixed, *reply.headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def said_by(document: Document, role: str) -> Sequence[str]:
    """What a request holds of one role, for tests."""
    messages = document.get("messages")
    given = messages if isinstance(messages, list) else []
    return [str(m.get("content")) for m in given if isinstance(m, dict) and m.get("role") == role]
