"""OTLP as protobuf: requests read, answers written; the only module that knows the generated messages."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias, TypeVar

from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Histogram,
    HistogramDataPoint,
    Metric,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ledger.sources.otlp_raw import (
    FAILED,
    MOST_ATTRIBUTES,
    NO_RECORDED_VALUE,
    TOKEN_USAGE,
    Attributes,
    Points,
    RawPoint,
    RawSpan,
    Signal,
    Spans,
    Undecodable,
    is_read,
    too_many,
    wrong_point,
    wrong_span,
)
from ledger.sources.told import Wrong

_Request = TypeVar("_Request", bound=Message)
_AnyHistogram: TypeAlias = Histogram | ExponentialHistogram
_AnyPoint: TypeAlias = HistogramDataPoint | ExponentialHistogramDataPoint


class _Resource(NamedTuple):
    attributes: Attributes
    most: int
    """How many there are, also where they are too many to be read."""


def protobuf_points(body: bytes) -> Points:
    """The points of `gen_ai.client.token.usage`; raises Undecodable."""
    place = 0
    for told in _decoded(ExportMetricsServiceRequest(), body).resource_metrics:
        resource = _resource(told.resource)
        for of_scope in told.scope_metrics:
            for metric in of_scope.metrics:
                if metric.name != TOKEN_USAGE:
                    continue
                data = _histogram(metric)
                if data is None:
                    place += 1
                    yield wrong_point(place, "data", metric.WhichOneof("data"), "is no histogram")
                    continue
                for point in data.data_points:
                    place += 1
                    if not point.flags & NO_RECORDED_VALUE:
                        yield _point(place, resource, of_scope.scope.name, data, point)


def protobuf_spans(body: bytes) -> Spans:
    """The spans with a `gen_ai` attribute; raises Undecodable."""
    place = 0
    for told in _decoded(ExportTraceServiceRequest(), body).resource_spans:
        resource = _resource(told.resource)
        for of_scope in told.scope_spans:
            for span in of_scope.spans:
                place += 1
                found = _span(place, resource, span)
                if found is not None:
                    yield found


def protobuf_answer(signal: Signal, rejected: int, told: str) -> bytes:
    """The answer to an export; empty where all was taken."""
    if not rejected:
        return b""
    if signal == "metrics":
        metrics = ExportMetricsServiceResponse()
        metrics.partial_success.rejected_data_points = rejected
        metrics.partial_success.error_message = told
        return bytes(metrics.SerializeToString())
    traces = ExportTraceServiceResponse()
    traces.partial_success.rejected_spans = rejected
    traces.partial_success.error_message = told
    return bytes(traces.SerializeToString())


def protobuf_status(code: int, message: str) -> bytes:
    """A `google.rpc.Status`, written by hand: its message class is in no package that we need otherwise."""
    text = message.encode()
    return b"\x08" + _varint(code) + b"\x12" + _varint(len(text)) + text


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _decoded(request: _Request, body: bytes) -> _Request:
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise Undecodable(f"the body is no {type(request).__name__}: {error}") from None
    return request


def _histogram(metric: Metric) -> _AnyHistogram | None:
    if metric.HasField("histogram"):
        return metric.histogram
    return metric.exponential_histogram if metric.HasField("exponential_histogram") else None


def _point(
    place: int, resource: _Resource, scope: str, data: _AnyHistogram, point: _AnyPoint
) -> RawPoint | Wrong:
    most = max(resource.most, len(point.attributes))
    if most > MOST_ATTRIBUTES:
        return wrong_point(place, "attributes", most, too_many(most))
    return RawPoint(
        place,
        resource.attributes,
        scope,
        _attributes(point.attributes),
        data.aggregation_temporality,
        point.start_time_unix_nano,
        point.time_unix_nano,
        point.count,
        point.sum if point.HasField("sum") else None,
    )


def _span(place: int, resource: _Resource, span: Span) -> RawSpan | Wrong | None:
    """None for a span that is not of generative AI."""
    if not any(pair.key.startswith("gen_ai.") for pair in span.attributes):
        return None
    most = max(resource.most, len(span.attributes))
    if most > MOST_ATTRIBUTES:
        return wrong_span(place, "attributes", most, too_many(most))
    return RawSpan(
        place,
        resource.attributes,
        _attributes([pair for pair in span.attributes if is_read(pair.key)]),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.status.code == FAILED,
    )


def _resource(resource: Resource) -> _Resource:
    return _Resource(_attributes(resource.attributes), len(resource.attributes))


def _attributes(pairs: Sequence[KeyValue]) -> Attributes:
    """None of them where there are too many: whoever asks tells so."""
    if len(pairs) > MOST_ATTRIBUTES:
        return ()
    return tuple([(pair.key, pair.value.string_value or _text(pair.value)) for pair in pairs])


def _text(value: AnyValue) -> str:
    match value.WhichOneof("value"):
        case "int_value":
            return str(value.int_value)
        case "double_value":
            return repr(value.double_value)
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "string_value" | None:
            return ""
        case _:
            return bytes(value.SerializeToString()).hex()
