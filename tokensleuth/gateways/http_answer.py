"""What a provider's HTTP answer comes to: its JSON, or a GatewayError with its words and without keys."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import httpx2
from pydantic import JsonValue
from pydantic_core import from_json

from tokensleuth.gateways.port import GatewayError, NotSentError, RefusedCallError, UnsureError

MAX_BYTES = 1 << 20
"""Of one answer; what gateways ask for has some kB."""
MAX_TOLD = 300
PERHAPS = frozenset({408})
"""Proxies answer so for a request that they had passed on."""

_SECRETS = (
    re.compile(r"\b(?:sk|pk|rk|xox[a-z]|whsec|ghp)[-_][^\s\"',;}\]]{4,}"),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[^\s\"',;}\]]{6,}"),
    re.compile(
        r"(?i)\b[\w-]*(?:api[-_ ]?key|secret|passw(?:or)?d|credential)[\"']?\s*[:=]"
        r"\s*[\"']?[^\s\"',;}\]]{4,}"
    ),
)
_LONG = re.compile(r"[A-Za-z0-9_+=-]{32,}")
_KNOWN_IDS = re.compile(r"[0-9a-fA-F-]+|[a-z]+(?:_[a-z]+)+")
"""Hashes of keys and UUIDs, which name a thing and open nothing, and the words of an error code."""


class MissingError(RefusedCallError):
    """The provider answered, in JSON, that it has no such thing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx."""

    body: bytes
    status: int
    where: str
    reading: bool

    def json(self) -> JsonValue:
        """Raises UnsureError, or NotSentError of a read, where it is none: some proxy's page, perhaps."""
        if self.status == 204:
            return {}
        try:
            return _parsed(self.body)
        except ValueError:
            raise _unclear(
                f"{self.where}: status {self.status}, and the answer is no JSON", self.reading
            ) from None


def read_answer(
    response: httpx2.Response, where: str, *, reading: bool, secrets: Sequence[str], most: int = MAX_BYTES
) -> Answer:
    """A 2xx as it is; anything else is raised."""
    body = response.content
    told = f"{where}: status {response.status_code}"
    if len(body) > most:
        raise _unclear(f"{told}, and the answer is larger than {most:,} bytes", reading)
    if response.is_success:
        return Answer(body, response.status_code, where, reading)
    raise _refusal(response, told + _words(body, secrets), reading)


def _refusal(response: httpx2.Response, told: str, reading: bool) -> GatewayError:
    status = response.status_code
    if status == 429 or (status == 503 and reading):
        return NotSentError(told, retry_after_s=_seconds(response.headers.get("retry-after")))
    if status >= 500 or status < 300 or status in PERHAPS:
        return _unclear(told, reading)
    if status < 400:
        return RefusedCallError(f"{told}: a redirect, which is not followed; give the final address")
    if status == 404:
        return _missing(response.content, told)
    return RefusedCallError(told)


def _missing(body: bytes, told: str) -> GatewayError:
    """A 404 of the provider, told from that of another server at a mistyped address."""
    try:
        document = _parsed(body)
    except ValueError:
        document = None
    if not isinstance(document, dict) or document == {"detail": "Not Found"}:
        return RefusedCallError(f"{told}: nothing is served there; check the gateway's address")
    return MissingError(told)


def _unclear(told: str, reading: bool) -> GatewayError:
    return NotSentError(told) if reading else UnsureError(told)


def _parsed(body: bytes) -> JsonValue:
    """Bounded in depth, and without NaN; raises ValueError."""
    return cast("JsonValue", from_json(body, allow_inf_nan=False))


def _seconds(text: str | None) -> float | None:
    """Of a Retry-After header; None for a date or nonsense."""
    if text is None or not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text.strip()):
        return None
    return float(text)


def _words(body: bytes, secrets: Sequence[str]) -> str:
    """The provider's message on one line, shortened and without keys."""
    try:
        message = _message(_parsed(body))
    except ValueError:
        return ""
    return f", {redacted(message, secrets)!r}" if message else ""


def _message(document: JsonValue) -> str:
    """From `{"error": {"message"}}`, `{"detail": [{"msg"}]}` and their mixtures."""
    for _ in range(5):
        if isinstance(document, dict):
            named = (document.get(name) for name in ("error", "detail", "message", "msg", "title"))
            document = next((value for value in named if value), "")
        elif isinstance(document, list) and document:
            document = document[0]
    return document if isinstance(document, str) else ""


def redacted(text: str, secrets: Sequence[str] = ()) -> str:
    """Text for people: one line of at most 300 characters, with `***` for what looks like a key."""
    for secret in secrets:
        for part in (secret, secret.rpartition(" ")[2]):
            text = text.replace(part, "***")
    for pattern in _SECRETS:
        text = pattern.sub("***", text)
    text = _LONG.sub(lambda m: m[0] if _KNOWN_IDS.fullmatch(m[0]) else "***", text)
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MAX_TOLD else f"{line[: MAX_TOLD - 3]}..."
