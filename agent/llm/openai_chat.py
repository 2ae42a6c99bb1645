"""The adapter to Chat Completions, which every OpenAI-compatible server speaks; the only user of openai."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import cast

import httpx2
import openai
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolUnionParam

from agent.llm.bounded_transport import BoundedTransport
from agent.llm.port import Completion, Message, ModelError, ToolSpec
from agent.llm.wire import read_completion, sent_message, sent_tool
from ledger.errors import RefusedError

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 20.0
"""However long a server asks us to wait."""
RETRYABLE = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
SPENT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
"""Codes with status 429 that no waiting helps."""
MAX_TOLD = 200


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is served."""

    base_url: str
    model: str
    api_key: str = field(repr=False)
    request_seconds: float = 60.0
    """For one request, its whole answer included."""
    retries: int = 2

    def __post_init__(self) -> None:
        """Raises RefusedError for an address that is none and a key no HTTP header can hold."""
        if not (self.api_key.isascii() and self.api_key.isprintable() and " " not in self.api_key):
            raise RefusedError("the model's API key has a space, a line break or an odd character in it")
        try:
            host = httpx2.URL(self.base_url).host
        except httpx2.InvalidURL as error:
            raise RefusedError(f"llm.base_url is no web address: {error}") from None
        if not host:
            raise RefusedError(f"llm.base_url names no host: {self.base_url!r}")


class _FailedError(Exception):
    """One attempt gave no answer."""

    def __init__(self, message: str, *, retryable: bool, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.wait_s = wait_s


class OpenAIChat:
    """A model behind an OpenAI-compatible server."""

    def __init__(self, endpoint: Endpoint, *, transport: httpx2.BaseTransport | None = None) -> None:
        self._endpoint = endpoint
        self._client = openai.OpenAI(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            max_retries=0,
            http_client=httpx2.Client(transport=BoundedTransport(transport), follow_redirects=False),
        )

    @property
    def name(self) -> str:
        return self._endpoint.model

    def greet(self, seconds: float) -> None:
        """Ask for the list of models, which uses no tokens; raises ModelError where the server says no."""
        try:
            self._client.models.with_raw_response.list(timeout=seconds)
        except openai.APIStatusError as error:
            raise ModelError(self._told(_of_status(error))) from None
        except openai.APIConnectionError as error:
            raise ModelError(self._told(_FailedError(_of_connection(error), retryable=False))) from None

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        *,
        max_output_tokens: int,
        seconds: float,
    ) -> Completion:
        """Ask, and ask again where that may help, until the time is up; raises ModelError."""
        until = time.monotonic() + seconds
        for attempt in range(self._endpoint.retries + 1):
            try:
                return self._ask(messages, tools, max_output_tokens, until)
            except _FailedError as failed:
                wait = min(failed.wait_s if failed.wait_s is not None else 0.5 * 2**attempt, LONGEST_WAIT_S)
                last = attempt == self._endpoint.retries or time.monotonic() + wait >= until
                if not failed.retryable or last:
                    raise ModelError(self._told(failed), retryable=failed.retryable) from None
                log.warning("model %s: %s; asking again in %.1f s", self.name, self._told(failed), wait)
                Event().wait(wait)
        raise AssertionError("the last attempt returns or raises")

    def _told(self, failed: _FailedError) -> str:
        """On one line and without our key, which servers repeat in errors."""
        return _short(str(failed).replace(self._endpoint.api_key, "***"))

    def _ask(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], max_output_tokens: int, until: float
    ) -> Completion:
        left = min(until - time.monotonic(), self._endpoint.request_seconds)
        prompt = [sent_message(m) for m in messages]
        offered = [sent_tool(t) for t in tools]
        try:
            response = self._client.chat.completions.with_raw_response.create(
                model=self.name,
                messages=cast("list[ChatCompletionMessageParam]", prompt),
                tools=cast("list[ChatCompletionToolUnionParam]", offered) if offered else openai.omit,
                max_completion_tokens=max_output_tokens,
                timeout=max(left, 0.001),
            )
            content_type = response.headers.get("content-type", "")
            return read_completion(response.content, content_type, [*prompt, *offered])
        except openai.APIStatusError as error:
            raise _of_status(error) from None
        except openai.APITimeoutError:
            raise _FailedError(f"no answer within {left:.0f} s", retryable=True) from None
        except openai.APIConnectionError as error:
            raise _FailedError(_of_connection(error), retryable=True) from None
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _FailedError(str(error), retryable=False) from None
        except ModelError as error:
            raise _FailedError(str(error), retryable=error.retryable) from None


def _of_connection(error: openai.APIConnectionError) -> str:
    cause = error.__cause__ or error
    told = "not reachable" if isinstance(cause, httpx2.ConnectError) else "no whole answer"
    return f"{told}: {cause}"


def _of_status(error: openai.APIStatusError) -> _FailedError:
    """What the server said."""
    retryable = error.status_code in RETRYABLE and error.code not in SPENT
    wait_s = _asked_wait(error.response.headers.get("retry-after"))
    return _FailedError(f"status {error.status_code}: {error.message}", retryable=retryable, wait_s=wait_s)


def _asked_wait(text: str | None) -> float | None:
    """Seconds of a Retry-After header; None for a date or nonsense."""
    try:
        return max(float(text), 0.0) if text is not None else None
    except ValueError:
        return None


def _short(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MAX_TOLD else f"{line[:MAX_TOLD]}..."
