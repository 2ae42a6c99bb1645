"""Calls to OpenAI's admin API through its SDK, each once, with an outcome as for any gateway.

The SDK takes a web page for an answer, so the answers' bytes are read here and checked by shape.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

import httpx2
import openai
from pydantic import JsonValue, SecretStr

from agent.llm.bounded_transport import MAX_BYTES as TRANSPORT_BYTES
from agent.llm.bounded_transport import BoundedTransport
from ledger.errors import RefusedError
from tokensleuth.gateways.http_answer import MAX_BYTES, MissingError, read_answer
from tokensleuth.gateways.openai_answers import Named, Page
from tokensleuth.gateways.port import CannotError, GatewayError, NotSentError, RefusedCallError, UnsureError
from tokensleuth.gateways.shapes import taken

CONNECT_S = 5.0
PAGE = 100
MAX_PAGES = 20
"""Of one list: a server that always says there is more must not hold the executor."""


class Raw(Protocol):
    """What the SDK returns of a raw call."""

    @property
    def http_response(self) -> httpx2.Response: ...


class OpenAiCalls:
    """One organisation, by its admin key."""

    def __init__(
        self,
        base_url: str,
        admin_key: SecretStr,
        timeout_s: float,
        transport: httpx2.BaseTransport | None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._secrets = (_checked(admin_key),)
        self._max_bytes = max_bytes
        # A kept connection that the provider closes meanwhile would make a write's outcome unsure.
        fresh = httpx2.HTTPTransport(limits=httpx2.Limits(max_keepalive_connections=0))
        self._client = openai.OpenAI(
            admin_api_key=self._secrets[0],
            api_key=None,
            base_url=_checked_url(base_url),
            timeout=httpx2.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
            max_retries=0,
            http_client=httpx2.Client(
                transport=BoundedTransport(transport or fresh, max_bytes=max(max_bytes, TRANSPORT_BYTES)),
                follow_redirects=False,
                trust_env=False,
            ),
        )
        # The environment's, which belong to the model's key.
        self._client.organization = self._client.project = None
        self.host = self._client.base_url.host
        self.projects = self._client.admin.organization.projects
        self.usage = self._client.admin.organization.usage
        self.users = self._client.admin.organization.users

    def close(self) -> None:
        self._client.close()

    def sent(self, call: Callable[[], Raw], where: str, *, reading: bool = False) -> JsonValue:
        """The answer's JSON; raises GatewayError, MissingError on 404."""
        try:
            response = call().http_response
        except openai.APIStatusError as error:
            response = error.response
        except openai.APIConnectionError as error:
            raise _without_answer(error, where, reading) from None
        except ValueError:  # of the SDK, for a path with dots or an empty id
            raise CannotError(f"{where}: an id is empty or leaves its place in the path") from None
        return read_answer(
            response, where, reading=reading, secrets=self._secrets, most=self._max_bytes
        ).json()

    def read(self, call: Callable[[], Raw], where: str) -> JsonValue | None:
        """The answer's JSON; None on 404 and only then."""
        try:
            answer = self.sent(call, where, reading=True)
        except MissingError:
            return None
        if answer is None:
            raise NotSentError(f"{where}: the answer is null")
        return answer

    def delete(self, call: Callable[[], Raw], where: str) -> None:
        """What is no longer there is deleted."""
        try:
            self.sent(call, where)
        except MissingError:
            return

    def listed(self, ask: Callable[[str | openai.Omit], Raw], where: str) -> Iterator[JsonValue]:
        """Items page by page, each page asked for by what it comes after, and no more than MAX_PAGES."""
        after: str | openai.Omit = openai.omit
        for _ in range(MAX_PAGES):
            page = taken(Page, self.sent(partial(ask, after), where, reading=True), where)
            yield from page.data
            if not page.has_more or not page.data:
                return
            after = taken(Named, page.data[-1], where).id
        raise RefusedCallError(f"{where}: not found in the first {MAX_PAGES} pages of {PAGE}")


def _without_answer(error: openai.APIConnectionError, where: str, reading: bool) -> GatewayError:
    cause = error.__cause__ or error
    told = f"{where}: {type(cause).__name__}"
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return NotSentError(f"{told}, it cannot be reached")
    if isinstance(cause, httpx2.LocalProtocolError | httpx2.UnsupportedProtocol):
        return CannotError(f"{told}, the request is not one that HTTP can carry")
    if reading:
        return NotSentError(f"{told}, no whole answer came")
    return UnsureError(f"{told}, it was sent and no whole answer came")


def _checked_url(base_url: str) -> str:
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise RefusedError(f"OpenAI's base_url is no web address: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise RefusedError(f"OpenAI's base_url must be http(s)://HOST, not {url.scheme!r} and {url.host!r}")
    return base_url


def _checked(key: SecretStr) -> str:
    plain = key.get_secret_value()
    if not (plain and plain.isascii() and plain.isprintable() and " " not in plain):
        raise RefusedError("the admin key of OpenAI is empty or has a space or an odd character in it")
    return plain
