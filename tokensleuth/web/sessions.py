"""Who is logged in: a signed cookie that counts only as long as the token it was made with is held."""

import hmac
import secrets
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from tokensleuth.people import Identity, People, token_digest
from tokensleuth.web.signing import sealed, signature, unsealed

VISITOR = "visitor"
"""What the holder of the guest token is called on pages; it is nobody's identity."""

_DIGEST_SHOWN = 16


class Session(BaseModel):
    """One login."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str | None
    """Of an approver; None for a visitor, who can only look."""
    token: str
    """The start of the digest of the token: another token ends the session."""
    nonce: str

    @property
    def identity(self) -> Identity | None:
        return None if self.name is None else Identity("web", self.name)

    @property
    def shown_name(self) -> str:
        return VISITOR if self.name is None else self.name


def session_for(token: str, people: People, guest_token: str | None) -> Session | None:
    """A new session for whoever holds the token; compares in constant time."""
    holder = people.holder_of(token)
    is_guest = guest_token is not None and hmac.compare_digest(token_digest(token), token_digest(guest_token))
    if holder is None and not is_guest:
        return None
    name = holder.name if holder else None
    return Session(name=name, token=token_digest(token)[:_DIGEST_SHOWN], nonce=secrets.token_urlsafe(16))


def session_cookie(session: Session, key: bytes, *, until: datetime) -> str:
    return sealed(key, "session", session.model_dump_json(), until=until)


def session_in(
    cookie: str, key: bytes, people: People, guest_token: str | None, *, now: datetime
) -> Session | None:
    """The session, if it is ours, its time is not over, and its token is still somebody's."""
    text = unsealed(key, "session", cookie, now=now)
    if text is None:
        return None
    try:
        session = Session.model_validate_json(text)
    except ValidationError:
        return None
    held = _digest_of(session.name, people, guest_token)
    return session if held is not None and held.startswith(session.token) else None


def form_token(session: Session, key: bytes, path: str) -> str:
    """What a form must carry to be posted to this path in this session."""
    return signature(key, "form", f"{session.nonce}\n{path}")


def _digest_of(name: str | None, people: People, guest_token: str | None) -> str | None:
    if name is None:
        return None if guest_token is None else token_digest(guest_token)
    return next((a.web_token_sha256 for a in people.approvers if a.name == name), None)
