"""Short texts signed with the casebook's key: each for one purpose, and until an instant."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime


def signature(key: bytes, purpose: str, text: str) -> str:
    """64 hex digits that only the holder of the key can make; no purpose's fits another."""
    own_key = hmac.digest(key, f"web {purpose}".encode(), "sha256")
    return hmac.new(own_key, text.encode(), hashlib.sha256).hexdigest()


def sealed(key: bytes, purpose: str, text: str, *, until: datetime) -> str:
    """The text as the value of a cookie."""
    body = f"{int(until.timestamp())}.{base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')}"
    return f"{body}.{signature(key, purpose, body)}"


def unsealed(key: bytes, purpose: str, value: str, *, now: datetime) -> str | None:
    """The text again; None where it was not sealed by us for this purpose, or its time is over."""
    body, _, mac = value.rpartition(".")
    if not hmac.compare_digest(mac.encode(), signature(key, purpose, body).encode()):
        return None
    until, _, encoded = body.partition(".")
    if int(until) <= now.timestamp():
        return None
    try:
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
