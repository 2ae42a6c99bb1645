"""OTLP as JSON: names in lowerCamelCase, 64-bit integers as text or numbers, trace ids in hexadecimal.

One point or span of a wrong shape is told and left out; a document of a wrong shape is refused as a whole.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from pydantic import JsonValue
from pydantic_core import from_json

from ledger.ingest.secrets import shortened
from ledger.sources.otlp_raw import (
    FAILED,
    MOST_ATTRIBUTES,
    MOST_UINT64,
    NO_RECORDED_VALUE,
    TOKEN_USAGE,
    Attributes,
    Points,
    RawPoint,
    RawSpan,
    Spans,
    Undecodable,
    is_read,
    too_many,
    wrong_point,
    wrong_span,
)
from ledger.sources.told import Wrong

_Object: TypeAlias = Mapping[str, JsonValue]
_WHOLE = re.compile(r"\d{1,20}", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]*")


class _Odd(Exception):
    """A value of the wrong kind: its name, the value, and what is wrong with it."""


def json_document(body: bytes) -> _Object:
    """Raises Undecodable where it is no JSON object."""
    try:
        document = from_json(body)
    except ValueError as error:
        raise Undecodable(f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Undecodable("the body is no JSON object")
    return document


def json_points(document: _Object) -> Points:
    """The points of `gen_ai.client.token.usage`; raises Undecodable."""
    place = 0
    for told in _objects(document, "resourceMetrics"):
        resource = _resource(told)
        for of_scope in _objects(told, "scopeMetrics"):
            scope = str(_object(of_scope, "scope").get("name", ""))
            for metric in _objects(of_scope, "metrics"):
                if metric.get("name") != TOKEN_USAGE:
                    continue
                found = list(_points_of(metric, place, resource, scope))
                place += len(found)
                yield from (point for point in found if point is not None)


def json_spans(document: _Object) -> Spans:
    """The spans with a `gen_ai` attribute; raises Undecodable."""
    place = 0
    for told in _objects(document, "resourceSpans"):
        resource = _resource(told)
        for of_scope in _objects(told, "scopeSpans"):
            for span in _objects(of_scope, "spans"):
                place += 1
                try:
                    if _is_of_genai(span):
                        yield _span(place, resource, span)
                except _Odd as odd:
                    yield wrong_span(place, *odd.args)


def _points_of(
    metric: _Object, before: int, resource: Attributes | _Odd, scope: str
) -> Iterator[RawPoint | Wrong | None]:
    """One for each point; None for one without a value."""
    data = metric.get("histogram") or metric.get("exponentialHistogram")
    if not isinstance(data, dict):
        yield wrong_point(before + 1, "data", sorted(metric), "is no histogram")
        return
    for place, point in enumerate(_objects(data, "dataPoints"), start=before + 1):
        try:
            recorded = not _whole(point, "flags") & NO_RECORDED_VALUE
            yield _point(place, resource, scope, data, point) if recorded else None
        except _Odd as odd:
            yield wrong_point(place, *odd.args)


def _point(place: int, resource: Attributes | _Odd, scope: str, data: _Object, point: _Object) -> RawPoint:
    if isinstance(resource, _Odd):
        raise resource
    return RawPoint(
        place,
        resource,
        scope,
        _attributes(point),
        _temporality(data),
        _whole(point, "startTimeUnixNano"),
        _whole(point, "timeUnixNano"),
        _whole(point, "count"),
        _double(point, "sum"),
    )


def _span(place: int, resource: Attributes | _Odd, span: _Object) -> RawSpan:
    if isinstance(resource, _Odd):
        raise resource
    return RawSpan(
        place,
        resource,
        tuple(pair for pair in _attributes(span) if is_read(pair[0])),
        _hex(span, "traceId"),
        _hex(span, "spanId"),
        _hex(span, "parentSpanId"),
        _whole(span, "startTimeUnixNano"),
        _object(span, "status").get("code") in (FAILED, "STATUS_CODE_ERROR"),
    )


def _is_of_genai(span: _Object) -> bool:
    pairs = span.get("attributes")
    return isinstance(pairs, list) and any(
        isinstance(pair, dict) and str(pair.get("key")).startswith("gen_ai.") for pair in pairs
    )


def _objects(parent: _Object, name: str) -> Iterator[_Object]:
    found = parent.get(name)
    if found is None:
        return
    if not isinstance(found, list):
        raise Undecodable(f"`{name}` is no list: {shortened(repr(found))}")
    for item in found:
        if not isinstance(item, dict):
            raise Undecodable(f"`{name}` holds what is no object: {shortened(repr(item))}")
        yield item


def _object(parent: _Object, name: str) -> _Object:
    found = parent.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Undecodable(f"`{name}` is no object: {shortened(repr(found))}")
    return found


def _resource(told: _Object) -> Attributes | _Odd:
    """Where its attributes are wrong, every point in it is."""
    try:
        return _attributes(_object(told, "resource"))
    except _Odd as odd:
        return odd


def _attributes(parent: _Object) -> Attributes:
    pairs = parent.get("attributes")
    if pairs is None:
        return ()
    if not isinstance(pairs, list):
        raise _Odd("attributes", pairs, "is no list")
    if len(pairs) > MOST_ATTRIBUTES:
        raise _Odd("attributes", len(pairs), too_many(len(pairs)))
    return tuple(_attribute(pair) for pair in pairs)


def _attribute(pair: JsonValue) -> tuple[str, str]:
    value = pair.get("value") if isinstance(pair, dict) else None
    if not isinstance(pair, dict) or not isinstance(key := pair.get("key"), str):
        raise _Odd("attributes", pair, "is no pair of a key and a value")
    if value is None:
        return key, ""
    if not isinstance(value, dict):
        raise _Odd(key, value, "is no object such as {'stringValue': 'x'}")
    for kind in ("stringValue", "intValue", "doubleValue", "boolValue"):
        if kind in value:
            return key, _text(value[kind])
    return key, repr(value) if value else ""


def _text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def _whole(parent: _Object, name: str) -> int:
    """0 where it is absent, as in protobuf."""
    value = parent.get(name, 0)
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_UINT64:
        raise _Odd(name, value, "is no whole number from 0 to 2^64 - 1")
    return value


def _double(parent: _Object, name: str) -> float | None:
    value = parent.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _Odd(name, value, "is no number")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise _Odd(name, value, "is no number") from None


def _temporality(data: _Object) -> int:
    """Enums are numbers in OTLP/JSON; some write the name all the same."""
    value = data.get("aggregationTemporality", 0)
    if isinstance(value, str):
        return _TEMPORALITIES.get(value, 0)
    return value if isinstance(value, int) else 0


def _hex(parent: _Object, name: str) -> str:
    value = parent.get(name, "")
    if not isinstance(value, str) or len(value) > 64 or not _HEX.fullmatch(value):
        raise _Odd(name, value, "is not hexadecimal")
    return value.lower()


_TEMPORALITIES: Mapping[str, int] = {
    "AGGREGATION_TEMPORALITY_DELTA": 1,
    "AGGREGATION_TEMPORALITY_CUMULATIVE": 2,
}
