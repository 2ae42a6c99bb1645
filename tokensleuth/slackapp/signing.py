"""Whether an HTTP request comes from Slack, decided before anything in it is looked at: a pure function.

See docs.slack.dev/authentication/verifying-requests-from-slack.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

MAX_BODY_BYTES: Final = 1 << 20
MAX_AGE_S: Final = 300

_TIMESTAMP = re.compile(r"[0-9]{10}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")

Headers = Iterable[tuple[str, str]]
"""As they came, so that a header given twice is seen."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A request that Slack signed in the last minutes."""

    request_id: str
    """Of the signature: a request that is replayed byte for byte has the same."""
    text: str


@dataclass(frozen=True, slots=True)
class Unverified:
    """A request to be answered with nothing but a status."""

    status: int
    why: str
    """For us; the sender is not told."""


def verified(headers: Headers, body: bytes, secret: str, now: datetime) -> Verified | Unverified:
    """The request's text, where it is signed with `secret` and no older or newer than five minutes."""
    if len(body) > MAX_BODY_BYTES:
        return Unverified(413, f"{len(body)} bytes are more than {MAX_BODY_BYTES}")
    pairs = [(name.lower(), value) for name, value in headers]
    timestamp = _only(pairs, "x-slack-request-timestamp", _TIMESTAMP)
    signature = _only(pairs, "x-slack-signature", _SIGNATURE)
    if timestamp is None or signature is None:
        return Unverified(401, "not exactly one timestamp and one signature of the right form")
    if abs(now.timestamp() - int(timestamp)) > MAX_AGE_S:
        return Unverified(401, "the timestamp is not of now")
    if not secret or not hmac.compare_digest(signature, sign(body, secret, timestamp)):
        return Unverified(401, "signed with another secret, or changed on the way")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return Unverified(401, "the body is not UTF-8")
    return Verified(f"slack_{hashlib.sha256(signature.encode()).hexdigest()[:48]}", text)


def sign(body: bytes, secret: str, timestamp: str) -> str:
    """The signature that Slack gives a request."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _only(pairs: list[tuple[str, str]], name: str, form: re.Pattern[str]) -> str | None:
    """The value of a header that is there once and has the form; spaces around it are not forgiven."""
    values = [value for given, value in pairs if given == name]
    return values[0] if len(values) == 1 and form.fullmatch(values[0]) else None
