"""Bodies of requests, read and unpacked within bounds, and the answers in the same encoding."""

import json
import zlib
from dataclasses import dataclass

from ledger.sources.otlp_raw import Encoding, Signal
from ledger.sources.otlp_wire import protobuf_answer, protobuf_status

CONTENT_TYPES: dict[str, Encoding] = {"application/x-protobuf": "protobuf", "application/json": "json"}
_MEDIA_TYPES: dict[Encoding, str] = {encoding: media for media, encoding in CONTENT_TYPES.items()}
_GRPC_CODES = {400: 3, 401: 16, 403: 7, 408: 4, 413: 11, 415: 3, 429: 8, 503: 14}
"""What the statuses are called in a `google.rpc.Status`."""
_GZIP = 31


class BadBody(ValueError):
    """Why a body is not taken, and the HTTP status that says so."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(told)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """To one request."""

    status: int
    body: bytes
    media_type: str
    retry_after_s: int | None = None


def encoding_of(content_type: str) -> Encoding:
    """Raises BadBody for any other than the two of OTLP/HTTP."""
    media = content_type.partition(";")[0].strip().lower()
    if media not in CONTENT_TYPES:
        known = " or ".join(CONTENT_TYPES)
        raise BadBody(415, f"the Content-Type is {media[:100]!r}; send {known}")
    return CONTENT_TYPES[media]


def unpacked(body: bytes, content_encoding: str, most: int) -> bytes:
    """The body as it was before compression; raises BadBody for one that is damaged or too large."""
    match content_encoding.strip().lower():
        case "" | "identity":
            return _checked(body, most)
        case "gzip":
            return _gunzipped(body, most)
        case other:
            raise BadBody(415, f"the Content-Encoding is {other[:100]!r}; send gzip or none")


def _gunzipped(body: bytes, most: int) -> bytes:
    unpacking = zlib.decompressobj(_GZIP)
    try:
        found = unpacking.decompress(body, most + 1)
    except zlib.error as error:
        raise BadBody(400, f"the gzip data is damaged: {error}") from None
    _checked(found, most)
    if not unpacking.eof or unpacking.unused_data:
        raise BadBody(400, "the gzip data is cut short, or followed by something else")
    return found


def _checked(body: bytes, most: int) -> bytes:
    if len(body) > most:
        raise BadBody(413, f"the body has more than {most:,} bytes; send smaller batches")
    return body


def taken_answer(signal: Signal, encoding: Encoding, rejected: int, told: str) -> Answer:
    """200, with what was not taken."""
    if encoding == "protobuf":
        return Answer(200, protobuf_answer(signal, rejected, told), _MEDIA_TYPES[encoding])
    count = "rejectedDataPoints" if signal == "metrics" else "rejectedSpans"
    document = {"partialSuccess": {count: str(rejected), "errorMessage": told}} if rejected else {}
    return Answer(200, json.dumps(document).encode(), _MEDIA_TYPES[encoding])


def refused_answer(status: int, encoding: Encoding, told: str, *, retry_after_s: int | None = None) -> Answer:
    """A `Status` with the reason."""
    code = _GRPC_CODES[status]
    if encoding == "protobuf":
        body = protobuf_status(code, told)
    else:
        body = json.dumps({"code": code, "message": told}).encode()
    return Answer(status, body, _MEDIA_TYPES[encoding], retry_after_s)
