"""The OTLP/HTTP endpoint: checks who sends, stores what is about tokens, and answers."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.errors import TokensleuthError
from ledger.sources.otlp_metrics import KnownSeries
from ledger.sources.otlp_raw import Encoding, Signal, Undecodable
from tokensleuth.otlp.bodies import Answer, BadBody, encoding_of, refused_answer, taken_answer, unpacked
from tokensleuth.otlp.intake import Intake, read_request
from tokensleuth.otlp.settings import OtlpSettings, refuse_open_door
from tokensleuth.otlp.spool import Spool

log = logging.getLogger(__name__)

_MOST_AT_ONCE = 32
_MOST_READ_AT_ONCE = 2
"""Bodies that are unpacked and read: each may need ten times its size."""
_BODY_S = 30
_FULL_RETRY_S = 60
_BUSY_RETRY_S = 1
_TOLD_WRONG = 3


@dataclass(slots=True)
class Receiver:
    """What the endpoint works with; it owns nothing of it."""

    spool: Spool
    settings: OtlpSettings
    clock: Callable[[], datetime]
    series: KnownSeries
    at_once: int = 0
    reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MOST_READ_AT_ONCE))

    async def respond(self, signal: Signal, request: Request) -> Answer:
        encoding: Encoding = "json" if "json" in request.headers.get("content-type", "") else "protobuf"
        if refused := self._refused(request, encoding):
            return refused
        self.at_once += 1
        try:
            encoding = encoding_of(request.headers.get("content-type", ""))
            body = await _whole_body(request, self.settings.max_body_bytes)
            packed = request.headers.get("content-encoding", "")
            async with self.reading:
                return await run_in_threadpool(self.take, signal, encoding, body, packed)
        except BadBody as bad:
            return refused_answer(bad.status, encoding, str(bad))
        finally:
            self.at_once -= 1

    def take(self, signal: Signal, encoding: Encoding, body: bytes, packed: str) -> Answer:
        """Unpack, read and store, off the event loop; raises BadBody. Repeats are answered the same."""
        if self.spool.is_full():
            told = "too much is stored and not loaded yet"
            return refused_answer(429, encoding, told, retry_after_s=_FULL_RETRY_S)
        now = self.clock()
        plain = unpacked(body, packed, self.settings.max_decoded_bytes)
        try:
            found = read_request(signal, encoding, plain, self.series, int(now.timestamp()) * 10**9)
        except Undecodable as error:
            raise BadBody(400, str(error)) from None
        if not found.is_empty:
            try:
                self.spool.receive([found], now)
            except TokensleuthError as error:
                log.warning("an OTLP request could not be stored, so it was not taken: %s", error)
                return refused_answer(503, encoding, "cannot be stored now", retry_after_s=_FULL_RETRY_S)
        return taken_answer(signal, encoding, len(found.wrong), _told(found))

    def _refused(self, request: Request, encoding: Encoding) -> Answer | None:
        if not self._is_known(request):
            return refused_answer(401, encoding, "a bearer token is needed, and this is not it")
        if self.settings.token is None and "origin" in request.headers:
            # Without a token a page in a browser on this machine could write here.
            return refused_answer(403, encoding, "browsers are not served without a token")
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self.settings.max_body_bytes:
            return refused_answer(413, encoding, f"the body has {length} bytes; send smaller batches")
        if self.at_once >= _MOST_AT_ONCE:
            told = "too many requests at once"
            return refused_answer(429, encoding, told, retry_after_s=_BUSY_RETRY_S)
        return None

    def _is_known(self, request: Request) -> bool:
        token = self.settings.token
        if token is None:
            return True
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        wanted = token.get_secret_value().encode()
        return kind.lower() == "bearer" and compare_digest(given.strip().encode(), wanted)


def create_otlp_app(spool: Spool, settings: OtlpSettings, clock: Callable[[], datetime]) -> Starlette:
    """The application; raises RefusedError for a host that others can reach and no token."""
    refuse_open_door(settings)
    receiver = Receiver(spool, settings, clock, KnownSeries(settings.naming))

    async def metrics(request: Request) -> Response:
        return _response(await receiver.respond("metrics", request))

    async def traces(request: Request) -> Response:
        return _response(await receiver.respond("traces", request))

    return Starlette(
        routes=[
            Route("/v1/metrics", metrics, methods=["POST"]),
            Route("/v1/traces", traces, methods=["POST"]),
        ]
    )


async def _whole_body(request: Request, most: int) -> bytes:
    """Raises BadBody where it is larger than allowed, whatever its header says, or does not end."""
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise BadBody(413, f"the body has more than {most:,} bytes; send smaller batches")
    except TimeoutError:
        raise BadBody(408, f"the body did not end within {_BODY_S} s") from None
    except ClientDisconnect:
        raise BadBody(400, "the body was cut short") from None
    return bytes(body)


def _told(found: Intake) -> str:
    """The first reasons, for the log of the client."""
    if not found.wrong:
        return ""
    first = [f"{w.place}: {w.column}={w.value} {w.reason}" for w in found.wrong[:_TOLD_WRONG]]
    told = "; ".join(first)
    log.warning("OTLP %s: %d of a request were rejected, first: %s", found.signal, len(found.wrong), first[0])
    return told


def _response(answer: Answer) -> Response:
    headers = {} if answer.retry_after_s is None else {"Retry-After": str(answer.retry_after_s)}
    return Response(answer.body, answer.status, headers, answer.media_type)
