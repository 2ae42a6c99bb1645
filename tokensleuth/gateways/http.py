"""JSON over HTTP for gateways: one bounded call each, whose outcome is an answer or a GatewayError.

Nothing is sent twice, no redirect is followed, and no message holds a header or what looks like a key.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias
from urllib.parse import quote

import httpx2
from pydantic import JsonValue, SecretStr

from agent.llm.bounded_transport import MAX_BYTES as TRANSPORT_BYTES
from agent.llm.bounded_transport import BoundedTransport
from ledger.errors import RefusedError
from tokensleuth.gateways.http_answer import MAX_BYTES, Answer, MissingError, read_answer, redacted
from tokensleuth.gateways.port import CannotError, GatewayError, NotSentError, UnsureError

CONNECT_S = 5.0
"""For name, connection and TLS together; a provider that takes longer is down."""

Params: TypeAlias = Mapping[str, str | int | Sequence[str]]
Method = Literal["GET", "POST", "PATCH", "DELETE"]


class JsonHttp:
    """One provider's API; every call ends within `timeout_s`, its answer included.

    A GET that fails changed nothing and raises NotSentError or RefusedCallError; the other methods raise
    UnsureError where the provider may have acted.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, SecretStr | str],
        timeout_s: float = 20.0,
        transport: httpx2.BaseTransport | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Raises RefusedError for an address that is none and a header value that HTTP cannot hold."""
        self._max_bytes = max_bytes
        self._base = _checked_base(base_url)
        self._host = httpx2.URL(self._base).netloc.decode("ascii", "replace")
        shown = {name: _header_value(name, value) for name, value in headers.items()}
        self._secrets = tuple(shown[n] for n, value in headers.items() if isinstance(value, SecretStr))
        # A kept connection that the provider closes meanwhile would make a write's outcome unsure.
        fresh = httpx2.HTTPTransport(limits=httpx2.Limits(max_keepalive_connections=0))
        self._client = httpx2.Client(
            transport=BoundedTransport(transport or fresh, max_bytes=max(max_bytes, TRANSPORT_BYTES)),
            headers={"Accept": "application/json", "User-Agent": "tokensleuth", **shown},
            timeout=httpx2.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
            follow_redirects=False,
            trust_env=False,
        )

    def __repr__(self) -> str:
        return f"JsonHttp({self._host!r})"

    def get(self, path: str, params: Params | None = None) -> JsonValue | None:
        """The answer; None on 404. A bare `null` is no answer: it must not read as if nothing were there."""
        try:
            answer = self._call("GET", path, params=params).json()
        except MissingError:
            return None
        if answer is None:
            raise NotSentError(f"GET {path}: the answer is null")
        return answer

    def post(
        self, path: str, body: JsonValue, *, idempotency_key: str, headers: Mapping[str, str] | None = None
    ) -> JsonValue:
        """The answer; MissingError on 404, and {} where it is 204."""
        return self._call("POST", path, body=body, key=idempotency_key, headers=headers).json()

    def post_bytes(self, path: str, content: bytes, *, headers: Mapping[str, str]) -> None:
        """Send bytes as they are, for bodies that are signed; any 2xx is a success, whatever it says."""
        self._call("POST", path, content=content, headers=headers)

    def patch(self, path: str, body: JsonValue, *, idempotency_key: str) -> JsonValue:
        """The answer; MissingError on 404, and {} where it is 204."""
        return self._call("PATCH", path, body=body, key=idempotency_key).json()

    def delete(self, path: str, *, idempotency_key: str) -> JsonValue | None:
        """The answer; None on 404, and {} where it is 204."""
        try:
            return self._call("DELETE", path, key=idempotency_key).json()
        except MissingError:
            return None

    def close(self) -> None:
        self._client.close()

    def _call(
        self,
        method: Method,
        path: str,
        *,
        params: Params | None = None,
        body: JsonValue = None,
        content: bytes | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        where = f"{method} {redacted(path)} at {self._host}"
        try:
            request = self._client.build_request(
                method,
                self._base + path,
                params=params,
                json=body,
                content=content,
                headers={**({"Idempotency-Key": key} if key else {}), **(headers or {})},
            )
        except (httpx2.InvalidURL, ValueError, TypeError):
            raise CannotError(f"{where}: the request cannot be put together; check its ids") from None
        try:
            response = self._client.send(request)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise _without_answer(error, where, reading=method == "GET") from None
        reading = method == "GET"
        return read_answer(response, where, reading=reading, secrets=self._secrets, most=self._max_bytes)


def path_of(*parts: str) -> str:
    """`/a/b` of parts that may hold any character; raises CannotError for one that would leave its place."""
    if any(part in ("", ".", "..") for part in parts):
        raise CannotError(f"an id in the path {parts!r} is empty or dots")
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _without_answer(error: Exception, where: str, *, reading: bool) -> GatewayError:
    """What a call that ended without a whole answer comes to; httpx2's own words name no header."""
    told = f"{where}: {type(error).__name__}"
    match error:
        case httpx2.ConnectError() | httpx2.ConnectTimeout() | httpx2.PoolTimeout():
            return NotSentError(f"{told}, it cannot be reached")
        case httpx2.LocalProtocolError() | httpx2.UnsupportedProtocol() | httpx2.InvalidURL():
            return CannotError(f"{told}, the request is not one that HTTP can carry")
        case _ if reading:
            return NotSentError(f"{told}, no whole answer came")
        case _:
            return UnsureError(f"{told}, it was sent and no whole answer came")


def _checked_base(base_url: str) -> str:
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise RefusedError(f"a gateway's address is no web address: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise RefusedError(f"a gateway's address must be http(s)://HOST, not {url.scheme!r} and {url.host!r}")
    if url.userinfo or url.query or url.fragment:
        raise RefusedError(f"the gateway's address of {url.host} must have no user, password, ? or #")
    return base_url.rstrip("/")


def _header_value(name: str, value: SecretStr | str) -> str:
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not (plain.isascii() and plain.isprintable() and plain.strip() == plain and plain):
        raise RefusedError(f"the value of header {name} is empty or has a line break, an odd character "
                           "or outer space in it")  # fmt: skip
    return plain
