"""An HTTP transport whose answers end: by a deadline and by a size, however slowly a server drips them."""

import time
import zlib
from collections.abc import Callable
from math import inf
from queue import Empty, SimpleQueue
from threading import Thread

import httpx2

MAX_BYTES = 4_000_000
"""Of one answer, unpacked; a chat completion of a few thousand tokens has some 20 kB."""
GZIP = 16 + zlib.MAX_WBITS
UNPACKED = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
"""Headers that no longer hold of a body that is read and unpacked."""


class BoundedTransport(httpx2.BaseTransport):
    """The read timeout of a request, for HTTP clients that of each read, is here that of the whole answer."""

    def __init__(self, inner: httpx2.BaseTransport | None = None, *, max_bytes: int = MAX_BYTES) -> None:
        self._inner = inner or httpx2.HTTPTransport()
        self._max_bytes = max_bytes

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = "gzip"
        seconds = request.extensions.get("timeout", {}).get("read")
        deadline = inf if seconds is None else time.monotonic() + seconds
        return _within(seconds, request, lambda: self._whole(request, deadline))

    def close(self) -> None:
        self._inner.close()

    def _whole(self, request: httpx2.Request, deadline: float) -> httpx2.Response:
        response = self._inner.handle_request(request)
        try:
            body = _body(response, request, deadline, self._max_bytes)
        finally:
            response.close()
        headers = [(name, value) for name, value in response.headers.raw if name.lower() not in UNPACKED]
        return httpx2.Response(response.status_code, headers=headers, content=body, request=request)


def _within(
    seconds: float | None, request: httpx2.Request, answer: Callable[[], httpx2.Response]
) -> httpx2.Response:
    """What a thread answers in time; one that looks up a name or waits for headers cannot be stopped."""
    found: SimpleQueue[httpx2.Response | Exception] = SimpleQueue()

    def run() -> None:
        try:
            found.put(answer())
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            found.put(error)

    Thread(target=run, name="answer of the model", daemon=True).start()
    try:
        given = found.get(timeout=seconds)
    except Empty:
        raise httpx2.ReadTimeout("the answer came too slowly", request=request) from None
    if isinstance(given, Exception):
        raise given
    return given


def _body(response: httpx2.Response, request: httpx2.Request, deadline: float, most: int) -> bytes:
    """The body, unpacked as it comes: a few packed bytes may hold gigabytes."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip"):
        raise httpx2.DecodingError(f"the answer is packed as {coding[:40]!r}", request=request)
    unpacker = zlib.decompressobj(GZIP) if coding == "gzip" else None
    body, packed = bytearray(), 0
    for chunk in response.iter_raw():
        packed += len(chunk)
        try:
            body += unpacker.decompress(chunk, most + 1 - len(body)) if unpacker else chunk
        except zlib.error as error:
            raise httpx2.DecodingError(f"the answer is no gzip: {error}", request=request) from None
        if len(body) > most:
            raise httpx2.ReadError(f"the answer is larger than {most:,} bytes", request=request)
        if time.monotonic() > deadline:
            raise httpx2.ReadTimeout("the answer came too slowly", request=request)
    if unpacker and packed and not unpacker.eof:
        raise httpx2.DecodingError("the answer is gzip that was cut off", request=request)
    return bytes(body)
