"""Takes secrets out of what is logged: the values the settings hold, and whatever looks like a key."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

from ledger.ingest.secrets import masked_text

STARS = "***"
SHORTEST = 6
"""A shorter secret would blank half of every line; nothing so short is one."""

_PATTERNS = (
    (re.compile(r"(?i)\b(basic|digest|token)\s+[\w.~+/=-]{16,}"), rf"\1 {STARS}"),
    (re.compile(r"(?i)(://[^/\s:@]*):[^@/\s]+@"), rf"\1:{STARS}@"),
    (re.compile(r"(?i)(hooks\.slack\.com/\w+/)[\w/]+"), rf"\1{STARS}"),
    (
        re.compile(
            r"(?i)\b([\w-]*(?:api[-_]?key|secret|passw(?:or)?d|credential|authorization|cookie)|token|access_token)"
            r"([\"']?\s*[:=]\s*[\"']?)(?!\*)[^\s\"',;&)}\]]{4,}"
        ),
        rf"\1\2{STARS}",
    ),
    (re.compile(r"\bwhsec_[\w+/=-]{6,}"), STARS),
)
"""Logins in headers and addresses, Slack's webhooks, and whatever stands behind the name of a secret."""


def redactor(secrets: Iterable[SecretStr | str] = ()) -> Callable[[str], str]:
    """A function that gives a text without these secrets, however they are written, and without keys."""
    plain = {s.get_secret_value() if isinstance(s, SecretStr) else s for s in secrets}
    spelled = {form for secret in plain if len(secret) >= SHORTEST for form in _spellings(secret)}
    known = (
        re.compile("|".join(map(re.escape, sorted(spelled, key=lambda s: (-len(s), s))))) if spelled else None
    )

    def redact(text: str) -> str:
        shown = known.sub(STARS, text) if known else text
        shown = masked_text(shown)
        for pattern, instead in _PATTERNS:
            shown = pattern.sub(instead, shown)
        return shown

    return redact


def secrets_in(settings: object) -> Iterator[SecretStr]:
    """Every secret in a tree of settings, in whichever table."""
    match settings:
        case SecretStr():
            yield settings
        case BaseModel():
            for name in type(settings).model_fields:
                yield from secrets_in(getattr(settings, name))
        case Mapping():
            for value in settings.values():
                yield from secrets_in(value)
        case tuple() | list():
            for value in settings:
                yield from secrets_in(value)


def _spellings(secret: str) -> Iterator[str]:
    """As it is, in addresses, in JSON and Python literals, and as Basic logins have it."""
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    yield b64encode(secret.encode()).decode()
