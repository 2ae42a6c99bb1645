"""A running inbox as its routes see it: the parts, the templates, and who is asking."""

import hmac
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Form, HTTPException, Request
from jinja2 import Environment

from tokensleuth.people import Identity
from tokensleuth.web.guard import host_name
from tokensleuth.web.parts import WebParts
from tokensleuth.web.sessions import Session, form_token, session_in
from tokensleuth.web.throttle import Throttle

SESSION_COOKIE = "tokensleuth_session"

_CROSS_ORIGIN = "this form was not sent from these pages, so nothing was done"
_STALE_FORM = "this form is not of your session any more, so nothing was done; load the page again"
_ONLY_LOOKING = "a visitor can look at everything and do nothing; log in with a token of your own"


@dataclass(frozen=True, slots=True)
class Site:
    """Kept in the state of the application."""

    parts: WebParts
    templates: Environment
    throttle: Throttle


def site_of(request: Request) -> Site:
    return cast(Site, request.app.state.site)


def session_of(request: Request) -> Session | None:
    """The session of the cookie; None for who is not logged in."""
    parts = site_of(request).parts
    cookie = request.cookies.get(SESSION_COOKIE, "")
    people = parts.rules.people
    return session_in(cookie, parts.casebook.key, people, parts.guest_token, now=parts.clock())


async def parts_here(request: Request) -> WebParts:
    return site_of(request).parts


async def logged_in(request: Request) -> Session:
    """Raises 401 for who is not."""
    session = session_of(request)
    if session is None:
        raise HTTPException(401, "log in first")
    return session


def refuse_cross_origin(request: Request) -> None:
    """Raises 403 for a form of another site.

    Under `Referrer-Policy: no-referrer` browsers send `Origin: null` with forms of our own (Fetch, 3.2), so
    that Sec-Fetch-Site tells, where the browser sends it, and the form's token in any case.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "null")
    from_elsewhere = site not in (None, "same-origin")
    foreign = origin != "null" and origin.partition("://")[2].lower() != request.headers["host"].lower()
    if from_elsewhere or (foreign and not _is_public(request, origin)):
        raise HTTPException(403, _CROSS_ORIGIN)


def form_is_ours(request: Request, session: Session, token: str) -> None:
    """Raises 403 for a form that was not made for this session and path."""
    expected = form_token(session, site_of(request).parts.casebook.key, request.url.path)
    if not hmac.compare_digest(token.encode(), expected.encode()):
        raise HTTPException(403, _STALE_FORM)


async def acting(
    request: Request,
    session: Annotated[Session, Depends(logged_in)],
    token: Annotated[str, Form(alias="form", max_length=64)] = "",
) -> Identity:
    """Who posts a form: raises 403 for a visitor and for a form that is not of this session."""
    refuse_cross_origin(request)
    form_is_ours(request, session, token)
    if session.identity is None:
        raise HTTPException(403, _ONLY_LOOKING)
    return session.identity


def _is_public(request: Request, origin: str) -> bool:
    """Behind a proxy that rewrites the host, the browser knows us by the public address."""
    public = site_of(request).parts.web.public_url
    return (
        public is not None
        and host_name(origin.partition("://")[2]) is not None
        and (origin.lower() == "/".join(public.lower().split("/")[:3]))
    )


PartsHere = Annotated[WebParts, Depends(parts_here)]
LoggedIn = Annotated[Session, Depends(logged_in)]
Acting = Annotated[Identity, Depends(acting)]
