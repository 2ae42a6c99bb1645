import json
from datetime import timedelta

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ledger.sources.otlp_json import json_document, json_points, json_spans
from ledger.sources.otlp_metrics import KnownSeries, Reading, TokenPoint, read_points
from ledger.sources.otlp_raw import Points, Undecodable
from ledger.sources.otlp_scope import Naming
from ledger.sources.otlp_series import Seen, Share, advance
from ledger.sources.otlp_spans import SpanReading, read_spans
from ledger.sources.otlp_wire import protobuf_points, protobuf_spans, protobuf_status
from ledger.sources.told import Wrong
from tests.otlp_cases import HOUR, START, Series, nanos

NOW = nanos(START + 24 * HOUR)
MINUTE = timedelta(minutes=1)
SERIES = Series(resource={"team": "payments"}, attributes={"user.id": "u1"})


def points(raw: Points, naming: Naming | None = None) -> Reading:
    return read_points(raw, KnownSeries(naming or Naming()), NOW)


def spans(*told: dict[str, object], series: Series = SERIES, naming: Naming | None = None) -> SpanReading:
    document = json_document(json.dumps(series.spans(*told)).encode())
    return read_spans(json_spans(document), naming or Naming(), NOW)


def in_protobuf(series: Series, tokens: float) -> bytes:
    request = ExportMetricsServiceRequest()
    told = request.resource_metrics.add()
    for key, value in {"service.name": series.service, **series.resource}.items():
        told.resource.attributes.add(key=key).value.string_value = value
    metric = told.scope_metrics.add().metrics.add(name="gen_ai.client.token.usage")
    metric.histogram.aggregation_temporality = 1
    point = metric.histogram.data_points.add(
        start_time_unix_nano=nanos(START), time_unix_nano=nanos(START + MINUTE), count=1, sum=tokens
    )
    for pair in series.point("input", tokens, START, START + MINUTE)["attributes"]:  # type: ignore[attr-defined]
        point.attributes.add(key=pair["key"]).value.string_value = pair["value"]["stringValue"]
    return bytes(request.SerializeToString())


def test_json_and_protobuf_of_one_point_are_read_the_same() -> None:
    document = json_document(
        json.dumps(SERIES.request(SERIES.point("input", 100, START, START + MINUTE))).encode()
    )
    found = points(json_points(document))
    assert found == points(protobuf_points(in_protobuf(SERIES, 100)))
    assert found.scopes == [
        {"model": "gpt-4o", "provider": "openai", "team": "payments", "user": "u1", "client": "checkout"}
    ]
    assert (found.points[0].tokens, found.points[0].calls, found.wrong) == (100, 1, [])


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("aws.bedrock", "aws"), ("azure.ai.openai", "azure"), ("gcp.vertex_ai", "google"), ("OpenAI", "openai")],
)
def test_providers_have_the_names_of_the_ledger(theirs: str, ours: str) -> None:
    assert points(protobuf_points(in_protobuf(Series(provider=theirs), 1))).scopes[0]["provider"] == ours


def test_the_response_model_comes_before_the_requested_one_and_none_is_unallocated() -> None:
    both = Series(attributes={"gen_ai.response.model": "gpt-4o-2024-08-06"})
    assert points(protobuf_points(in_protobuf(both, 1))).scopes[0]["model"] == "gpt-4o-2024-08-06"
    assert points(protobuf_points(in_protobuf(Series(model=""), 1))).scopes[0]["model"] == "UNALLOCATED"


def test_attributes_of_a_dimension_can_be_named() -> None:
    naming = Naming({"team": ("org.unit",)})
    series = Series(resource={"team": "no", "org.unit": "yes"})
    assert points(protobuf_points(in_protobuf(series, 1)), naming).scopes[0]["team"] == "yes"


@pytest.mark.parametrize("kind", ["cache_read", "reasoning", "", "INPUT"])
def test_a_token_type_that_may_be_a_part_of_another_is_not_counted(kind: str) -> None:
    document = json_document(
        json.dumps(SERIES.request(SERIES.point(kind, 1, START, START + MINUTE))).encode()
    )
    found = points(json_points(document))
    assert (found.points, found.wrong[0].column) == ([], "gen_ai.token.type")


def test_a_metric_of_that_name_that_is_no_histogram_is_rejected() -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="gen_ai.client.token.usage")
    metric.sum.data_points.add(as_int=5)
    (found,) = protobuf_points(request.SerializeToString())
    assert isinstance(found, Wrong)
    assert found.reason == "is no histogram"


def test_a_point_without_a_recorded_value_is_passed_over() -> None:
    ended = SERIES.point("input", 0, START, START + MINUTE, flags=1)
    assert points(json_points(json_document(json.dumps(SERIES.request(ended)).encode()))).wrong == []


def test_a_delta_of_over_a_month_is_rejected() -> None:
    long = SERIES.point("input", 1, START - timedelta(days=40), START)
    found = points(json_points(json_document(json.dumps(SERIES.request(long)).encode())))
    assert "over 31 days" in found.wrong[0].reason


USED: dict[str, str | int] = {
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.cache_read.input_tokens": 60,
    "gen_ai.usage.cache_creation.input_tokens": 10,
    "gen_ai.usage.output_tokens": 9,
    "gen_ai.usage.reasoning.output_tokens": 4,
}


def test_cached_tokens_are_taken_out_of_the_input_of_a_span() -> None:
    (span,) = spans(SERIES.span(1, START, USED)).spans
    told = {name: count for name, count in span.cells.items() if name.endswith("_tokens")}
    assert told == {
        "input_tokens": 30,
        "cache_read_tokens": 60,
        "cache_write_5m_tokens": 10,
        "output_tokens": 9,
        "reasoning_tokens": 4,
    }
    assert (span.tokens, span.cells["requests"], span.cells["failed_requests"]) == (109, 1, 0)


def test_a_client_that_counts_cached_tokens_beside_the_input_is_named_in_the_settings() -> None:
    (span,) = spans(SERIES.span(1, START, USED), naming=Naming(cache_beside_input=("check*",))).spans
    assert span.cells["input_tokens"] == 100


@pytest.mark.parametrize(
    ("told", "column"),
    [
        ({"gen_ai.usage.input_tokens": 50}, "gen_ai.usage.input_tokens"),
        ({"gen_ai.usage.input_tokens": -5}, "gen_ai.usage.input_tokens"),
        ({"gen_ai.usage.input_tokens": "many"}, "gen_ai.usage.input_tokens"),
        ({"gen_ai.usage.input_tokens": 10**15}, "gen_ai.usage.input_tokens"),
        ({"gen_ai.usage.reasoning.output_tokens": 10}, "gen_ai.usage.reasoning.output_tokens"),
    ],
)
def test_counts_that_cannot_be_are_rejected_by_name(told: dict[str, str | int], column: str) -> None:
    assert [w.column for w in spans(SERIES.span(1, START, {**USED, **told})).wrong] == [column]


def test_a_failed_span_is_a_failed_request_without_tokens() -> None:
    (status,) = spans(SERIES.span(1, START, failed=True)).spans
    (kind,) = spans(SERIES.span(1, START, {"error.type": "429"})).spans
    assert (status.cells["failed_requests"], kind.cells["failed_requests"], kind.tokens) == (1, 1, 0)


def test_deprecated_names_are_read_where_the_new_ones_are_missing() -> None:
    old: dict[str, str | int] = {"gen_ai.usage.prompt_tokens": 8, "gen_ai.usage.completion_tokens": 2}
    (span,) = spans(SERIES.span(1, START, old)).spans
    assert (span.cells["input_tokens"], span.cells["output_tokens"]) == (8, 2)


def test_agents_and_tools_are_no_calls_and_unknown_operations_are_told() -> None:
    operations = ("invoke_agent", "execute_tool", "rerank")
    found = spans(
        *(SERIES.span(n, START, {**USED, "gen_ai.operation.name": o}) for n, o in enumerate(operations, 1))
    )
    assert (found.spans, found.left_out) == ([], {"rerank": 1})


def test_spans_in_protobuf_are_read_like_those_in_json() -> None:
    told = SERIES.span(1, START, USED, failed=True)
    request = ExportTraceServiceRequest()
    of_resource = request.resource_spans.add()
    for key, value in {"service.name": "checkout", **SERIES.resource}.items():
        of_resource.resource.attributes.add(key=key).value.string_value = value
    span = of_resource.scope_spans.add().spans.add(
        trace_id=b"\xab" * 16, span_id=b"\0" * 7 + b"\1", start_time_unix_nano=nanos(START)
    )
    span.status.code = 2
    for pair in told["attributes"]:  # type: ignore[attr-defined]
        value = span.attributes.add(key=pair["key"]).value
        if "intValue" in pair["value"]:
            value.int_value = int(pair["value"]["intValue"])
        else:
            value.string_value = pair["value"]["stringValue"]
    assert read_spans(protobuf_spans(request.SerializeToString()), Naming(), NOW) == spans(told)


@pytest.mark.parametrize("ids", [{"traceId": ""}, {"spanId": "0" * 16}, {"traceId": "zz" * 16}])
def test_a_span_without_an_id_is_rejected(ids: dict[str, str]) -> None:
    assert spans({**SERIES.span(1, START, USED), **ids}).wrong


def test_a_document_of_another_shape_is_refused_as_a_whole() -> None:
    with pytest.raises(Undecodable, match="`resourceSpans` is no list"):
        list(json_spans(json_document(b'{"resourceSpans": {"a": 1}}')))


def test_a_status_is_a_code_and_a_message() -> None:
    assert protobuf_status(3, "x" * 200) == b"\x08\x03\x12\xc8\x01" + b"x" * 200


def cumulative(tokens: int, start: int, time: int) -> TokenPoint:
    return TokenPoint("s", "p", 0, True, True, start, time, tokens, tokens)


def test_shares_of_any_interval_add_up_to_what_was_added() -> None:
    hour, start = 3600 * 10**9, nanos(START)
    for length in (1, hour // 2, hour, hour + 1, 7 * hour + 12345, 5000 * hour):
        found = advance(cumulative(1001, start, start + length), None, since=start)
        assert sum(share.tokens for share in found.shares) == 1001
        assert len(found.shares) <= 745


def test_a_point_at_the_end_of_an_hour_belongs_to_that_hour() -> None:
    end = nanos(START + HOUR)
    seen = Seen(nanos(START), end - 60 * 10**9, 5, 5)
    found = advance(cumulative(8, nanos(START), end), seen, since=None)
    assert found.shares == (Share(nanos(START) // (3600 * 10**9), 3, 3),)
