"""An HTTP transport whose answers end: by a deadline and by a size, however slowly a server drips them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

import httpx2

MAX_BYTES = 4_000_000
"""Of one answer; a chat completion of a few thousand tokens has some 20 kB."""


class BoundedTransport(httpx2.BaseTransport):
    """The read timeout of a request, for HTTP clients that of each read, is here that of the whole answer."""

    def __init__(self, inner: httpx2.BaseTransport | None = None) -> None:
        self._inner = inner or httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        seconds = request.extensions.get("timeout", {}).get("read")
        deadline = time.monotonic() + seconds if seconds is not None else inf
        response = self._inner.handle_request(request)
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _BoundedStream(response.stream, request, deadline)
        return response

    def close(self) -> None:
        self._inner.close()


@dataclass(frozen=True, slots=True)
class _BoundedStream(httpx2.SyncByteStream):
    inner: httpx2.SyncByteStream
    request: httpx2.Request
    deadline: float

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self.inner:
            size += len(chunk)
            if size > MAX_BYTES:
                raise httpx2.ReadError(f"the answer is larger than {MAX_BYTES:,} bytes", request=self.request)
            if time.monotonic() > self.deadline:
                raise httpx2.ReadTimeout("the answer came too slowly", request=self.request)
            yield chunk

    def close(self) -> None:
        self.inner.close()
