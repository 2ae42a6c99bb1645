"""Logging in with a token, and out."""

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from tokensleuth.web.rendering import FLASH_COOKIE, page, set_cookie
from tokensleuth.web.sessions import session_cookie, session_for
from tokensleuth.web.site import (
    SESSION_COOKIE,
    LoggedIn,
    form_is_ours,
    refuse_cross_origin,
    site_of,
)

_LOCAL_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
_WRONG = "nobody has this token"
_TOO_MANY = "too many wrong tokens in the last minute; wait a minute and try again"


def login_routes() -> APIRouter:
    """`/login` and `/logout`."""
    router = APIRouter()
    router.get("/login")(ask)
    router.post("/login")(enter)
    router.post("/logout")(leave)
    return router


def ask(request: Request, token: str = "", next: str = "/") -> Response:
    """With a token, from the line that is printed at start, it logs in at once."""
    if token and request.headers.get("sec-fetch-site") in (None, "none", "same-origin"):
        return _enter(request, token, next)
    return page(request, "login.html", {"next": local_path(next), "wrong": None})


def enter(
    request: Request,
    token: Annotated[str, Form(max_length=512)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    refuse_cross_origin(request)
    return _enter(request, token.strip(), next)


def leave(request: Request, session: LoggedIn, form: Annotated[str, Form(max_length=64)] = "") -> Response:
    refuse_cross_origin(request)
    form_is_ours(request, session, form)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(SESSION_COOKIE)
    response.delete_cookie(FLASH_COOKIE)
    return response


def local_path(asked: str) -> str:
    """Where to go after the login: a path of ours, never another site."""
    return asked if _LOCAL_PATH.fullmatch(asked) and not asked.startswith("/log") else "/"


def to_login(request: Request) -> Response:
    """For who is not logged in.

    A link on another site comes without our strict cookie: such a visitor is sent round once more by
    a page of ours, whose reload brings the cookie.
    """
    if request.method != "GET":
        return RedirectResponse("/login", 303)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return page(request, "again.html", {"here": local_path(here)})
    return RedirectResponse("/login" if here == "/" else f"/login?next={quote(local_path(here))}", 303)


def _enter(request: Request, token: str, to: str) -> Response:
    site = site_of(request)
    parts, throttle = site.parts, site.throttle
    now = parts.clock()
    if not throttle.is_open(now):
        return page(request, "login.html", {"next": local_path(to), "wrong": _TOO_MANY}, status=429)
    session = session_for(token, parts.rules.people, parts.guest_token)
    if session is None:
        throttle.failed(now)
        return page(request, "login.html", {"next": local_path(to), "wrong": _WRONG}, status=401)
    lasts = timedelta(hours=parts.web.session_hours)
    response = RedirectResponse(local_path(to), 303)
    cookie = session_cookie(session, parts.casebook.key, until=now + lasts)
    set_cookie(response, parts, SESSION_COOKIE, cookie, lasts=lasts)
    return response
