"""The HTTP caller of gateways: which outcome is which error, and that no secret gets out."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread

import httpx2
import pytest
from pydantic import JsonValue, SecretStr

from ledger.errors import RefusedError
from tokensleuth.gateways.http import JsonHttp, path_of
from tokensleuth.gateways.http_answer import MissingError, redacted
from tokensleuth.gateways.port import (
    CannotError,
    GatewayError,
    NotSentError,
    RefusedCallError,
    UnsureError,
)

SECRET = "sk-master-1234"  # noqa: S105
Wire = bytes | None
"""All bytes of an answer; None: the connection ends."""


@dataclass(slots=True)
class Provider:
    """A server that sends what a test wants, after a while."""

    wire: Wire = None
    wait_s: float = 0.0
    port: int = 0
    closing: Event = field(default_factory=Event)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


def answer(status: int, body: bytes = b"{}", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Told", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def serving() -> Iterator[Provider]:
    told = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            told.requests.append((self.command, self.path, dict(self.headers.items()), body))
            self.close_connection = True
            told.closing.wait(told.wait_s)
            if told.wire is not None and not told.closing.is_set():
                self.wfile.write(told.wire)

        do_GET = do_PATCH = do_DELETE = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    told.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        told.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving() as told:
        yield told


@contextmanager
def calling(port: int, timeout_s: float = 5.0) -> Iterator[JsonHttp]:
    headers: dict[str, SecretStr | str] = {"Authorization": SecretStr(f"Bearer {SECRET}"), "X-By": "us"}
    caller = JsonHttp(f"http://127.0.0.1:{port}/v1/", headers, timeout_s)
    try:
        yield caller
    finally:
        caller.close()


@pytest.fixture
def http(provider: Provider) -> Iterator[JsonHttp]:
    with calling(provider.port) as caller:
        yield caller


def read(http: JsonHttp) -> JsonValue:
    return http.get("/keys")


def write(http: JsonHttp) -> JsonValue:
    return http.post("/keys", {"a": 1}, idempotency_key="exec-1")


def delete(http: JsonHttp) -> JsonValue:
    return http.delete("/keys/1", idempotency_key="exec-1")


def test_a_write_carries_headers_body_and_idempotency_key(provider: Provider, http: JsonHttp) -> None:
    provider.wire = answer(200, b'{"done": [1]}')
    assert write(http) == {"done": [1]}
    method, path, headers, body = provider.requests[0]
    assert (method, path, body) == ("POST", "/v1/keys", b'{"a":1}')
    assert headers["Idempotency-Key"] == "exec-1"
    assert headers["Authorization"] == f"Bearer {SECRET}"


def test_a_patch_is_a_write_too(provider: Provider, http: JsonHttp) -> None:
    provider.wire = answer(200)
    assert http.patch("/keys/1", {"a": 1}, idempotency_key="exec-1") == {}
    assert [request[0] for request in provider.requests] == ["PATCH"]


def test_bytes_go_out_as_they_are_and_any_2xx_will_do(provider: Provider, http: JsonHttp) -> None:
    provider.wire = answer(202, b"accepted")
    http.post_bytes("/hook", b'{ "a" : 1 }', headers={"X-Signature": "v0=1"})
    _, _, headers, body = provider.requests[0]
    assert (body, headers["X-Signature"]) == (b'{ "a" : 1 }', "v0=1")


def test_a_read_takes_parameters(provider: Provider, http: JsonHttp) -> None:
    provider.wire = answer(200)
    http.get("/keys", {"limit": 5, "id": ["a", "b&c"]})
    assert provider.requests[0][1] == "/v1/keys?limit=5&id=a&id=b%26c"


def test_204_is_an_empty_answer(provider: Provider, http: JsonHttp) -> None:
    provider.wire = b"HTTP/1.1 204 Gone\r\nConnection: close\r\n\r\n"
    assert delete(http) == {}


def test_404_in_json_means_that_it_is_not_there(provider: Provider, http: JsonHttp) -> None:
    provider.wire = answer(404, b'{"error": {"message": "no key"}}')
    assert read(http) is None
    assert delete(http) is None
    with pytest.raises(MissingError, match="no key"):
        write(http)


@pytest.mark.parametrize("body", [b"<html>", b'{"detail":"Not Found"}', b""])
def test_404_of_another_server_is_no_proof_of_absence(
    provider: Provider, http: JsonHttp, body: bytes
) -> None:
    provider.wire = answer(404, body)
    for call in (read, delete):
        with pytest.raises(RefusedCallError, match="check the gateway's address") as caught:
            call(http)
        assert not isinstance(caught.value, MissingError)


def test_later_is_not_sent_and_says_when(provider: Provider, http: JsonHttp) -> None:
    provider.wire = answer(429, b"{}", "Retry-After: 7")
    with pytest.raises(NotSentError) as caught:
        write(http)
    assert caught.value.retry_after_s == 7.0


def test_a_503_may_come_from_a_proxy_that_had_passed_the_write_on(provider: Provider, http: JsonHttp) -> None:
    provider.wire = answer(503, b"{}", "Retry-After: 7")
    with pytest.raises(UnsureError):
        write(http)


@pytest.mark.parametrize("when", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "nan", "1e9"])
def test_a_retry_after_that_is_no_number_of_seconds_counts_as_none(
    provider: Provider, http: JsonHttp, when: str
) -> None:
    provider.wire = answer(429, b"{}", f"Retry-After: {when}")
    with pytest.raises(NotSentError) as caught:
        write(http)
    assert caught.value.retry_after_s is None


@pytest.mark.parametrize("status", [400, 401, 403, 409, 422])
def test_other_4xx_are_refusals_with_the_reason(provider: Provider, http: JsonHttp, status: int) -> None:
    provider.wire = answer(status, b'{"detail": [{"msg": "rpm must be\\na number"}]}')
    with pytest.raises(RefusedCallError, match=f"status {status}, 'rpm must be a number'"):
        write(http)


def test_a_redirect_is_not_followed(provider: Provider, http: JsonHttp) -> None:
    provider.wire = answer(302, b"", f"Location: http://127.0.0.1:{provider.port}/v1/else")
    with pytest.raises(RefusedCallError, match="redirect"):
        write(http)
    assert len(provider.requests) == 1


UNCLEAR: dict[str, Wire] = {
    "closed": None,
    "cut off": answer(200, b'{"done": 1}')[:-4],
    "500": answer(500, b'{"error": "broken"}'),
    "408": answer(408),
    "a page": answer(200, b"<html>sign in</html>"),
    "empty": answer(200, b""),
    "not a number": answer(200, b'{"a": NaN}'),
    "too deep": answer(200, b"[" * 100_000),
    "too large": answer(200, b'"' + b"a" * (1 << 20) + b'"'),
    "no http": b"SSH-2.0-OpenSSH\r\n",
}


@pytest.mark.parametrize("wire", UNCLEAR.values(), ids=UNCLEAR.keys())
@pytest.mark.parametrize(
    ("call", "outcome"), [(write, UnsureError), (delete, UnsureError), (read, NotSentError)]
)
def test_an_unclear_answer_is_unsure_for_a_write_only(
    provider: Provider,
    http: JsonHttp,
    wire: Wire,
    call: Callable[[JsonHttp], JsonValue],
    outcome: type[GatewayError],
) -> None:
    provider.wire = wire
    with pytest.raises(outcome):
        call(http)
    assert len(provider.requests) == 1


def test_a_call_ends_in_time(provider: Provider) -> None:
    provider.wire, provider.wait_s = answer(200), 5.0
    started = time.monotonic()
    with calling(provider.port, 0.2) as http, pytest.raises(UnsureError, match="ReadTimeout"):
        write(http)
    assert time.monotonic() - started < 2.0


def test_nobody_listening_means_not_sent() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with calling(bound.getsockname()[1]) as http, pytest.raises(NotSentError, match="cannot be reached"):
            write(http)


BEFORE_AN_ANSWER: dict[type[httpx2.RequestError], type[GatewayError]] = {
    httpx2.ConnectTimeout: NotSentError,
    httpx2.PoolTimeout: NotSentError,
    httpx2.LocalProtocolError: CannotError,
    httpx2.WriteError: UnsureError,
    httpx2.WriteTimeout: UnsureError,
    httpx2.ReadTimeout: UnsureError,
    httpx2.ReadError: UnsureError,
}


@pytest.mark.parametrize(
    ("fault", "outcome"), BEFORE_AN_ANSWER.items(), ids=[fault.__name__ for fault in BEFORE_AN_ANSWER]
)
def test_how_far_a_write_came_decides_whether_it_is_unsure(
    fault: type[httpx2.RequestError], outcome: type[GatewayError]
) -> None:
    def fail(request: httpx2.Request) -> httpx2.Response:
        raise fault("no answer", request=request)

    with (
        closing(JsonHttp("http://provider", {}, transport=httpx2.MockTransport(fail))) as http,
        pytest.raises(outcome, match=fault.__name__),
    ):
        write(http)


def test_a_server_without_tls_means_not_sent(provider: Provider) -> None:
    provider.wire = answer(200)
    with (
        closing(JsonHttp(f"https://127.0.0.1:{provider.port}", {}, 5.0)) as http,
        pytest.raises(NotSentError),
    ):
        write(http)


def test_a_path_that_no_address_can_hold_is_refused_before_sending(
    provider: Provider, http: JsonHttp
) -> None:
    with pytest.raises(CannotError, match="cannot be put together"):
        http.get("/keys/\x00")
    assert provider.requests == []


def test_no_message_holds_the_secret(provider: Provider, http: JsonHttp) -> None:
    provider.wire = answer(401, f'{{"error": {{"message": "bad key {SECRET}, api_key=abcd1234"}}}}'.encode())
    with pytest.raises(RefusedCallError) as caught:
        read(http)
    told = f"{caught.value!r} {http!r} {caught.value.__cause__!r}"
    assert SECRET not in told
    assert "abcd1234" not in told


def test_no_message_holds_a_path_that_is_a_secret(provider: Provider, http: JsonHttp) -> None:
    provider.wire = answer(400)
    with pytest.raises(RefusedCallError, match=r"POST /hooks/\*\*\* at"):
        http.post_bytes("/hooks/qJ8vXz0pL4nR7tW2yB5mC9dF1gH3kS6a", b"", headers={})


SHA256 = "cd5283b67ca6d3a88311c373d3e698777f3fb551f318e9a990e3d03ffb48b864"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Bearer abcdefgh12345678", "***"),
        ('{"client_secret": "hunter22"}', '{"***"}'),
        ("key qJ8vXz0pL4nR7tW2yB5mC9dF1gH3kS6a", "key ***"),
        (f"no key {SHA256}", f"no key {SHA256}"),
        ("model gpt-4o-mini at 12:30", "model gpt-4o-mini at 12:30"),
        ("a\n\x1b[31mb\u202e", "a [31mb"),
    ],
)
def test_what_looks_like_a_key_is_left_out_and_hashes_stay(text: str, told: str) -> None:
    assert redacted(text) == told


def test_long_messages_are_shortened() -> None:
    assert len(redacted("word " * 1000)) == 300


@pytest.mark.parametrize("value", ["", "hush\nb", " hush", "hush\u00e9"])
def test_a_header_value_that_http_cannot_hold_is_refused_without_the_value(value: str) -> None:
    with pytest.raises(RefusedError, match="header X-Key") as caught:
        JsonHttp("http://127.0.0.1", {"X-Key": SecretStr(value)})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["ftp://h", "h:1", "http://", "http://u:hush@h", "http://h?a=1", "http://h:x"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(RefusedError) as caught:
        JsonHttp(address, {})
    assert "hush" not in str(caught.value)


def test_ids_cannot_leave_their_place_in_a_path() -> None:
    assert path_of("keys", "a/../b?c#d é") == "/keys/a%2F..%2Fb%3Fc%23d%20%C3%A9"
    for part in ("", ".", ".."):
        with pytest.raises(CannotError):
            path_of("keys", part)
