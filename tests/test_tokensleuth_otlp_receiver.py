import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from pydantic import SecretStr

from ledger.errors import RefusedError
from tests.otlp_cases import HOUR, START, OtlpDesk, Series, nanos, otlp_desk
from tokensleuth.otlp.receiver import create_otlp_app
from tokensleuth.otlp.settings import OtlpSettings, with_token

MINUTE = timedelta(minutes=1)
PROTOBUF = {"Content-Type": "application/x-protobuf"}
WEB = Series()
GOOD = WEB.request(WEB.point("input", 100, START, START + MINUTE))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[OtlpDesk]:
    with otlp_desk(tmp_path, OtlpSettings(max_body_mb=1, max_decoded_mb=2, max_spool_mb=1)) as opened:
        yield opened


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtlpDesk]:
    """One for all requests that leave nothing behind."""
    settings = OtlpSettings(max_body_mb=1, max_decoded_mb=2)
    with otlp_desk(tmp_path_factory.mktemp("door"), settings) as opened:
        yield opened


def booked(desk: OtlpDesk) -> int:
    desk.flush(START + HOUR)
    return desk.total()[1]


def protobuf(sum_: float = 100.0, attributes: int = 0) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.name = "gen_ai.client.token.usage"
    metric.histogram.aggregation_temporality = 1
    point = metric.histogram.data_points.add()
    point.start_time_unix_nano, point.time_unix_nano = nanos(START), nanos(START + MINUTE)
    point.count, point.sum = 1, sum_
    told = {"gen_ai.token.type": "input", **{f"a{n}": "x" for n in range(attributes)}}
    for key, value in told.items():
        pair = point.attributes.add()
        pair.key, pair.value.string_value = key, value
    return request


def test_protobuf_is_answered_in_protobuf_with_what_was_rejected(desk: OtlpDesk) -> None:
    taken = desk.post(protobuf().SerializeToString(), headers=PROTOBUF)
    assert (taken.status_code, taken.content) == (200, b"")
    refused = desk.post(protobuf(float("nan")).SerializeToString(), headers=PROTOBUF)
    answer = ExportMetricsServiceResponse.FromString(refused.content)
    assert answer.partial_success.rejected_data_points == 1
    assert "sum=nan is no whole number" in answer.partial_success.error_message
    assert booked(desk) == 100


def test_json_may_be_gzipped(desk: OtlpDesk) -> None:
    packed = gzip.compress(json.dumps(GOOD).encode())
    assert desk.post(packed, headers={"Content-Encoding": "gzip"}).json() == {}
    assert booked(desk) == 100


def test_a_span_that_cannot_be_taken_is_counted_in_the_answer(desk: OtlpDesk) -> None:
    used: dict[str, str | int] = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_read.input_tokens": 11}
    answer = desk.post(WEB.spans(WEB.span(1, START, used), WEB.span(2, START)), signal="traces").json()
    assert answer["partialSuccess"]["rejectedSpans"] == "1"
    assert "less than the cached tokens" in answer["partialSuccess"]["errorMessage"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"resourceMetrics":[]}'])
def test_a_request_without_token_usage_is_taken_and_not_stored(desk: OtlpDesk, body: bytes) -> None:
    answer = desk.post(body, headers=PROTOBUF) if not body else desk.post(body)
    assert answer.status_code == 200
    assert desk.spool.reading().__enter__().execute("select count(*) from digests").fetchone() == (0,)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff\xff\xff", PROTOBUF, 400),
        (bytes(range(256)) * 8, PROTOBUF, 400),
        (b"[1, 2]", {}, 400),
        (b"{" * 100_000, {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"resourceMetrics": 7}', {}, 400),
        (b'{"resourceMetrics": [7]}', {}, 400),
        (b'{"a": "\xff"}', {}, 400),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"{}", mtime=0)[:-4], {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"{}", mtime=0) + b"more", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b" " * 50_000_000, mtime=0), {"Content-Encoding": "gzip"}, 413),
        (b" " * 1_000_001, {}, 413),
        (b"{}", {"Content-Encoding": "br"}, 415),
        (zlib.compress(b"{}"), {"Content-Encoding": "deflate"}, 415),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Origin": "https://elsewhere.example"}, 403),
    ],
)
@pytest.mark.parametrize("signal", ["metrics", "traces"])
def test_a_bad_body_is_refused_with_a_status_in_its_own_format(
    door: OtlpDesk, body: bytes, headers: dict[str, str], status: int, signal: str
) -> None:
    if signal == "traces":
        body = body.replace(b"resourceMetrics", b"resourceSpans")
    answer = door.post(body, headers=headers, signal=signal)
    assert answer.status_code == status
    if "json" in answer.headers["content-type"]:
        assert answer.json()["message"]
    else:
        assert answer.content.startswith(b"\x08")


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"sum": "NaN"}, "sum"),
        ({"sum": -1}, "sum"),
        ({"sum": 1.5}, "sum"),
        ({"sum": "Infinity"}, "sum"),
        ({"sum": 1e300}, "sum"),
        ({"sum": 10**400}, "sum"),
        ({"sum": None}, "sum"),
        ({"sum": True}, "sum"),
        ({"sum": []}, "sum"),
        ({"count": -1}, "count"),
        ({"count": "99999999999999999999"}, "count"),
        ({"count": 2**63}, "count"),
        ({"count": "1e3"}, "count"),
        ({"count": 1.5}, "count"),
        ({"count": True}, "count"),
        ({"count": {}}, "count"),
        ({"timeUnixNano": "0"}, "timeUnixNano"),
        ({"timeUnixNano": str(2**64 - 1)}, "timeUnixNano"),
        ({"timeUnixNano": 10**30}, "timeUnixNano"),
        ({"startTimeUnixNano": str(nanos(START + HOUR))}, "startTimeUnixNano"),
        ({"attributes": 7}, "attributes"),
        ({"attributes": [7]}, "attributes"),
        ({"attributes": [{"key": "team", "value": "x"}]}, "team"),
        ({"attributes": []}, "gen_ai.token.type"),
        (
            {"attributes": [{"key": f"a{n}", "value": {"stringValue": "x"}} for n in range(10_000)]},
            "attributes",
        ),
        ({"flags": "x"}, "flags"),
    ],
)
def test_one_bad_point_is_rejected_by_name_and_the_others_are_taken(
    desk: OtlpDesk, changed: dict[str, object], column: str
) -> None:
    good = WEB.point("input", 100, START, START + MINUTE)
    answer = desk.post(WEB.request({**good, **changed}, good)).json()
    assert answer["partialSuccess"]["rejectedDataPoints"] == "1"
    assert f" {column}=" in answer["partialSuccess"]["errorMessage"]
    assert booked(desk) == 100


@pytest.mark.parametrize(
    "resource", [{"team": "a\x00b"}, {"team": "x" * 600}, {"api_key.id": "sk-" + "a" * 40}]
)
def test_a_dimension_that_the_ledger_refuses_is_refused_at_the_door(
    desk: OtlpDesk, resource: dict[str, str]
) -> None:
    series = Series(resource=resource)
    answer = desk.post(series.request(series.point("input", 100, START, START + MINUTE))).json()
    assert answer["partialSuccess"]["rejectedDataPoints"] == "1"
    assert "a" * 40 not in json.dumps(answer)
    assert booked(desk) == 0


def test_half_a_surrogate_is_refused_and_does_not_stop_the_flush(desk: OtlpDesk) -> None:
    body = json.dumps(GOOD).replace("checkout", "\\ud800").encode()
    assert desk.post(body).status_code in (200, 400)
    desk.post(GOOD)
    assert booked(desk) >= 100


def test_a_point_of_ten_thousand_attributes_in_protobuf_is_rejected(desk: OtlpDesk) -> None:
    answer = desk.post(protobuf(attributes=10_000).SerializeToString(), headers=PROTOBUF)
    told = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    assert (told.rejected_data_points, "10,001" in told.error_message) == (1, True)


def test_damaged_protobuf_never_breaks_the_receiver(desk: OtlpDesk) -> None:
    whole = bytearray(protobuf().SerializeToString())
    for at in range(0, len(whole), 3):
        damaged = bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        for signal in ("metrics", "traces"):
            assert desk.post(damaged, headers=PROTOBUF, signal=signal).status_code in (200, 400)
    assert desk.flush(START + HOUR).error is None


def test_a_full_spool_asks_clients_to_come_again_later(desk: OtlpDesk) -> None:
    desk.spool.most_bytes = 10
    assert desk.post(GOOD).status_code == 200
    other = WEB.request(WEB.point("input", 7, START, START + 2 * MINUTE))
    answer = desk.post(other)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (429, "60", 8)
    assert booked(desk) == 100
    assert desk.post(other).status_code == 200
    assert booked(desk) == 107


def test_a_token_is_asked_for_where_there_is_one(tmp_path: Path) -> None:
    settings = OtlpSettings(token=SecretStr("word"))
    with otlp_desk(tmp_path, settings) as desk:
        for wrong in ({}, {"Authorization": "Bearer other"}, {"Authorization": "Basic word"}):
            answer = desk.post(GOOD, headers=wrong)
            assert (answer.status_code, answer.json()["code"]) == (401, 16)
        assert desk.post(GOOD, headers={"Authorization": "Bearer word"}).status_code == 200


def test_an_address_that_others_reach_needs_a_token() -> None:
    with pytest.raises(RefusedError, match="TOKENSLEUTH_OTLP_TOKEN"):
        create_otlp_app(None, OtlpSettings(host="0.0.0.0"), lambda: START)  # type: ignore[arg-type]  # noqa: S104


def test_the_token_comes_from_the_environment_only() -> None:
    found = with_token(OtlpSettings(), {"TOKENSLEUTH_OTLP_TOKEN": " word "})
    assert found.token is not None
    assert found.token.get_secret_value() == "word"
    with pytest.raises(RefusedError, match="is no setting"):
        with_token(OtlpSettings(token=SecretStr("x")), {})


def test_prompts_are_not_written_to_disk(desk: OtlpDesk, tmp_path: Path) -> None:
    span = WEB.span(1, START, {"gen_ai.usage.input_tokens": 5, "gen_ai.input.messages": "the secret plan"})
    assert desk.post(WEB.spans(span), signal="traces").json() == {}
    desk.flush(START + HOUR)
    assert desk.total()[1] == 5
    held = b"".join(path.read_bytes() for path in tmp_path.glob("spool.sqlite*"))
    assert b"secret plan" not in held


def test_the_generated_messages_refuse_what_we_refuse() -> None:
    with pytest.raises(DecodeError):
        ExportMetricsServiceRequest.FromString(b"\xff\xff\xff")
