"""One OTLP request read: what of it goes into the spool, and what the client is told was not taken."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from ledger.sources.otlp_json import json_document, json_points, json_spans
from ledger.sources.otlp_metrics import KnownSeries, read_points
from ledger.sources.otlp_raw import Encoding, Signal
from ledger.sources.otlp_spans import read_spans
from ledger.sources.otlp_wire import protobuf_points, protobuf_spans
from ledger.sources.told import Wrong

MOST_TOLD = 50
"""Wrong points or spans of one request that are told with their reason; all are counted."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What one request came to."""

    signal: Signal
    digest: bytes
    """Of the body as it was before compression: the same request sent again has the same."""
    payload: str
    """What is spooled, as JSON; prompts and answers are not in it."""
    taken: int
    """Points or spans."""
    wrong: Sequence[Wrong]
    left_out: Mapping[str, int]
    """Spans by an operation that is not booked."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing in it was about tokens."""
        return not self.taken and not self.wrong and not self.left_out


def read_request(
    signal: Signal, encoding: Encoding, body: bytes, series: KnownSeries, now: int, *, of_file: bool = False
) -> Intake:
    """`now` in nanoseconds. Raises Undecodable where the body as a whole is none.

    Of a file, cumulative series that are not known count from their start, however long ago that was, and
    what is wrong is told by who reads it, not by the flush.
    """
    digest = sha256(f"{signal} {encoding} ".encode() + body).digest()
    if signal == "metrics":
        points = protobuf_points(body) if encoding == "protobuf" else json_points(json_document(body))
        found = read_points(points, series, now)
        told: dict[str, object] = {"points": found.points, "scopes": found.scopes, "whole": of_file}
        intake = Intake(signal, digest, "", len(found.points), found.wrong, {})
        return _with_payload(intake, told, of_file=of_file)
    raw = protobuf_spans(body) if encoding == "protobuf" else json_spans(json_document(body))
    spans = read_spans(raw, series.naming, now)
    rows = [(s.trace_id, s.span_id, s.parent_id, s.hour, s.tokens, s.cells) for s in spans.spans]
    told = {"spans": rows, "left_out": spans.left_out}
    intake = Intake(signal, digest, "", len(rows), spans.wrong, spans.left_out)
    return _with_payload(intake, told, of_file=of_file)


def _with_payload(intake: Intake, told: Mapping[str, object], *, of_file: bool) -> Intake:
    kept = [] if of_file else [(w.place, w.column, w.value, w.reason) for w in intake.wrong[:MOST_TOLD]]
    rejected = 0 if of_file else len(intake.wrong)
    payload = json.dumps({**told, "wrong": kept, "rejected": rejected}, separators=(",", ":"))
    return replace(intake, payload=payload)
