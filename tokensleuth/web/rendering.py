"""Pages from templates: every value is made printable and escaped, so that no name from data is markup."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import HTMLResponse, RedirectResponse

from ledger.window import short_text
from tokensleuth.terminal.text import counted, instant, percent, scope_text, usd, words
from tokensleuth.web.parts import WebParts
from tokensleuth.web.sessions import Session, form_token
from tokensleuth.web.signing import sealed, unsealed
from tokensleuth.web.site import session_of, site_of

FLASH_COOKIE = "tokensleuth_said"
_FLASH_LASTS = timedelta(minutes=2)

_DECIMAL = re.compile(r"-?\d{1,30}(\.\d{1,30})?")

Tone = Literal["good", "bad", "plain"]


class Flash(BaseModel):
    """What became of a form, told once on the page after it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tone: Tone
    told: str


def templates() -> Environment:
    """The environment of all pages."""
    environment = Environment(
        loader=PackageLoader("tokensleuth.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_inert,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "usd": usd,
        "percent": percent,
        "instant": instant,
        "words": words,
        "sentence": _sentence,
        "capital": _capital,
        "scope": scope_text,
        "counted": counted,
        "number": _number,
        "is_number": _is_number,
    }
    return environment


def page(
    request: Request, template: str, context: Mapping[str, object], *, status: int = 200
) -> HTMLResponse:
    """The template with what every page has: who is logged in, what was said, how forms are signed."""
    site, session = site_of(request), session_of(request)
    flash = _flash_in(request)
    base = {
        "session": session,
        "flash": flash,
        "path": request.url.path,
        "dry_run": site.parts.actions.dry_run,
        "form_token": lambda path: _form_token(site.parts, session, path),
    }
    html = site.templates.get_template(template).render(base | dict(context))
    response = HTMLResponse(html, status)
    if flash is not None:
        response.delete_cookie(FLASH_COOKIE)
    return response


def redirect_saying(parts: WebParts, to: str, tone: Tone, told: str) -> RedirectResponse:
    """Go to another page, which tells what became of this."""
    response = RedirectResponse(to, 303)
    flash = Flash(tone=tone, told=told)
    value = sealed(parts.casebook.key, "flash", flash.model_dump_json(), until=parts.clock() + _FLASH_LASTS)
    set_cookie(response, parts, FLASH_COOKIE, value, lasts=_FLASH_LASTS)
    return response


def set_cookie(
    response: RedirectResponse, parts: WebParts, name: str, value: str, *, lasts: timedelta
) -> None:
    """A cookie that no script reads and no other site sends."""
    is_https = (parts.web.public_url or "").startswith("https://")
    seconds = int(lasts.total_seconds())
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="strict", secure=is_https)


def _flash_in(request: Request) -> Flash | None:
    parts = site_of(request).parts
    cookie = request.cookies.get(FLASH_COOKIE, "")
    text = unsealed(parts.casebook.key, "flash", cookie, now=parts.clock())
    try:
        return None if text is None else Flash.model_validate_json(text)
    except ValidationError:
        return None


def _form_token(parts: WebParts, session: Session | None, path: str) -> str:
    return "" if session is None else form_token(session, parts.casebook.key, path)


def _inert(value: object) -> object:
    """Text without control, bidirectional or zero-width characters; what a template made is left as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "".join(c if c.isprintable() else " " for c in value)


def _capital(text: object) -> str:
    plain = str(text)
    return f"{plain[:1].upper()}{plain[1:]}"


def _sentence(text: object) -> str:
    """With a capital at its start and a full stop at its end."""
    plain = _capital(str(text).strip())
    return plain + ("" if plain.endswith((".", "?", "!")) else ".")


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return _DECIMAL.fullmatch(value) is not None
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _number(value: object) -> str:
    """Any value of evidence for people; numbers with thousands apart."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return short_text(value)
    if not _is_number(value):
        return str(value)
    return f"{Decimal(str(value)):,}"
