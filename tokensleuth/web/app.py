"""Puts the inbox together: its routes, the guard before them, and what errors look like."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import cast

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from ledger.errors import RefusedError, TokensleuthError
from tokensleuth.web.acts import acting_routes
from tokensleuth.web.api import api_routes
from tokensleuth.web.guard import SECURITY_HEADERS, Guard, known_hosts
from tokensleuth.web.login import login_routes, to_login
from tokensleuth.web.pages_inbox import inbox_routes
from tokensleuth.web.pages_incidents import incident_routes
from tokensleuth.web.pages_spend import spend_routes
from tokensleuth.web.parts import ScrapedMetrics, SlackIngress, WebParts
from tokensleuth.web.rendering import page, templates
from tokensleuth.web.site import PartsHere, Site
from tokensleuth.web.throttle import Throttle

_STATIC = Path(__file__).parent / "static"


def create_app(parts: WebParts) -> FastAPI:
    """The application; it owns none of the parts, and closes none."""
    app = FastAPI(
        title="tokensleuth",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(Guard, hosts=known_hosts(parts.web))],
    )
    app.state.site = Site(parts, templates(), Throttle())
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(TokensleuthError, _failed)
    app.add_exception_handler(Exception, _broken)
    for routes in (login_routes, inbox_routes, incident_routes, spend_routes, acting_routes, api_routes):
        app.include_router(routes())
    app.include_router(_health_routes())
    if parts.slack is not None:
        app.include_router(_slack_routes(parts.slack))
    if parts.metrics is not None:
        app.include_router(_metrics_routes(parts.metrics))
    app.mount("/static", StaticFiles(directory=_STATIC))
    return app


def _health_routes() -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    def healthz(parts: PartsHere) -> JSONResponse:
        health = dict(parts.health())
        return JSONResponse(health, 503 if health.get("ok") is False else 200)

    return router


def _metrics_routes(metrics: ScrapedMetrics) -> APIRouter:
    router = APIRouter()

    @router.get("/metrics")
    def scrape(request: Request) -> Response:
        if not metrics.admits(request.headers.get("authorization", "")):
            raise HTTPException(
                401, "send the header Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"}
            )
        scraped = metrics.scrape(request.headers.get("accept", ""))
        return Response(scraped.body, headers={"Content-Type": scraped.content_type})

    return router


def _slack_routes(slack: SlackIngress) -> APIRouter:
    router = APIRouter()

    async def posted(request: Request) -> Response:
        """Only verifies and stores; the bytes are handed on as they came, for they are signed."""
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        reply = await run_in_threadpool(slack.respond, headers, await request.body())
        return Response(reply.body, reply.status, {"Content-Type": reply.content_type})

    for path in ("/slack/actions", "/slack/commands"):
        router.add_api_route(path, posted, methods=["POST"], response_model=None)
    return router


def _refused(request: Request, error: Exception) -> Response:
    refusal = cast(HTTPException, error)
    if refusal.status_code == 401 and not _is_api(request):
        return to_login(request)
    return _told(request, refusal.status_code, str(refusal.detail), headers=refusal.headers)


def _invalid(request: Request, error: Exception) -> Response:
    """Names the field and what is wrong with it, never the value."""
    wrong = cast(RequestValidationError, error).errors()[0]
    place = ".".join(str(part) for part in wrong["loc"][1:]) or "the request"
    return _told(request, 422, f"{place}: {str(wrong['msg']).lower()}")


def _failed(request: Request, error: Exception) -> Response:
    status = 409 if isinstance(error, RefusedError) else 503
    return _told(request, status, str(error))


def _broken(request: Request, _: Exception) -> Response:
    """Outside the guard, so it brings the headers itself; the traceback is logged by the server."""
    told = "something is broken here; nothing can be said of what was asked for, look at the log"
    if _is_api(request):
        return JSONResponse({"error": told}, 500, SECURITY_HEADERS)
    return PlainTextResponse(told + "\n", 500, SECURITY_HEADERS)


def _told(request: Request, status: int, told: str, *, headers: Mapping[str, str] | None = None) -> Response:
    if _is_api(request):
        return JSONResponse({"error": told}, status, headers)
    context = {"title": HTTPStatus(status).phrase.capitalize(), "told": told, "status": status}
    return page(request, "message.html", context, status=status)


def _is_api(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/slack/", "/healthz", "/metrics"))
