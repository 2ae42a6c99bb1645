"""The exporters of the OpenTelemetry SDK against the receiver, over HTTP on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.otlp_cases import HOUR, OtlpDesk, otlp_desk
from tokensleuth.clock import utc_now
from tokensleuth.otlp.receiver import create_otlp_app
from tokensleuth.otlp.settings import OtlpSettings
from tokensleuth.web.serving import served

RESOURCE = Resource.create({"service.name": "checkout", "team": "payments"})
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "user.id": "u1",
}
TOKEN = OtlpSettings(token=SecretStr("word"))
TEMPORALITIES = [AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[OtlpDesk]:
    with otlp_desk(tmp_path, TOKEN, born=utc_now() - timedelta(minutes=1)) as opened:
        yield opened


@contextmanager
def metering(url: str, temporality: AggregationTemporality) -> Iterator[MeterProvider]:
    exporter = OTLPMetricExporter(
        f"{url}/v1/metrics",
        headers={"Authorization": "Bearer word"},
        compression=Compression.Gzip,
        preferred_temporality={Histogram: temporality},
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)
    provider = MeterProvider([reader], RESOURCE, shutdown_on_exit=False)
    yield provider
    provider.shutdown()


def record(provider: MeterProvider, *, read: int, written: int, user: str = "u1") -> None:
    usage = provider.get_meter("tests").create_histogram("gen_ai.client.token.usage", unit="{token}")
    told = {**CALL, "user.id": user}
    usage.record(read, {**told, "gen_ai.token.type": "input"})
    usage.record(written, {**told, "gen_ai.token.type": "output"})


def flushed(desk: OtlpDesk) -> tuple[int, int, int]:
    outcome = desk.flush(utc_now() + 2 * HOUR)
    assert (outcome.error, outcome.result.rejected) == (None, 0)
    return desk.total()


@pytest.mark.parametrize("temporality", TEMPORALITIES)
def test_histograms_of_the_sdk_are_counted_once_over_several_exports(
    desk: OtlpDesk, temporality: AggregationTemporality
) -> None:
    with metering(desk.url, temporality) as provider:
        for calls in range(1, 4):
            for _ in range(calls):
                record(provider, read=100, written=10)
            record(provider, read=1, written=1, user="u2")
            assert provider.force_flush()
    assert flushed(desk) == (9, 603, 63)
    found = desk.rows('provider, model, team, client, "user", sum(requests) over (partition by "user")')
    assert set(found) == {
        ("openai", "gpt-4o", "payments", "checkout", "u1", 6),
        ("openai", "gpt-4o", "payments", "checkout", "u2", 3),
    }


@pytest.mark.parametrize("temporality", TEMPORALITIES)
def test_a_restarted_process_counts_from_zero(desk: OtlpDesk, temporality: AggregationTemporality) -> None:
    for _ in range(3):
        with metering(desk.url, temporality) as provider:
            record(provider, read=100, written=10)
    assert flushed(desk) == (3, 300, 30)


class LostAnswers:
    """Hands requests on and says of the first few that the server was not there."""

    def __init__(self, app: ASGIApp, lost: int) -> None:
        self.app = app
        self.lost = lost

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.lost -= 1

        async def losing(message: Message) -> None:
            if message["type"] == "http.response.start":
                assert message["status"] == 200
                message = {"type": "http.response.start", "status": 503, "headers": []}
            else:
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self.app(scope, receive, send if self.lost < 0 else losing)


@pytest.mark.parametrize("temporality", TEMPORALITIES)
def test_an_export_that_is_repeated_after_a_lost_answer_counts_once(
    desk: OtlpDesk, temporality: AggregationTemporality
) -> None:
    app = LostAnswers(create_otlp_app(desk.spool, TOKEN, lambda: desk.clock[0]), lost=2)
    with served(app, "127.0.0.1", 0) as url, metering(url, temporality) as provider:
        record(provider, read=100, written=10)
        assert provider.force_flush()
    assert app.lost < 0
    assert flushed(desk) == (1, 100, 10)


def test_spans_of_the_sdk_are_one_request_each_with_cached_tokens_apart(desk: OtlpDesk) -> None:
    exporter = OTLPSpanExporter(f"{desk.url}/v1/traces", headers={"Authorization": "Bearer word"})
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("tests")
    with tracer.start_as_current_span("invoke_agent") as agent:
        agent.set_attributes({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 200})
        for _ in range(2):
            with tracer.start_as_current_span("chat gpt-4o") as span:
                span.set_attributes(
                    {
                        **CALL,
                        "gen_ai.usage.input_tokens": 100,
                        "gen_ai.usage.cache_read.input_tokens": 60,
                        "gen_ai.usage.cache_creation.input_tokens": 10,
                        "gen_ai.usage.output_tokens": 9,
                        "gen_ai.usage.reasoning.output_tokens": 4,
                        "gen_ai.input.messages": "the secret plan",
                    }
                )
        with tracer.start_as_current_span("chat gpt-4o") as span:
            span.set_attributes(CALL)
            span.set_status(Status(StatusCode.ERROR, "rate limited"))
    provider.shutdown()
    flushed(desk)
    columns = (
        "requests, failed_requests, input_tokens, cache_read_tokens, cache_write_5m_tokens, output_tokens"
    )
    sums = ", ".join(f"sum({column})" for column in f"{columns}, reasoning_tokens".split(", "))
    assert desk.ledger.pulled.connection.execute(f"select {sums} from spend").fetchall() == [
        (3, 1, 60, 120, 20, 18, 8)
    ]
    assert desk.rows('distinct team, client, "user"') == [("payments", "checkout", "u1")]


def test_a_client_without_the_token_is_told_so_and_nothing_is_stored(tmp_path: Path) -> None:
    with otlp_desk(tmp_path, OtlpSettings(token=SecretStr("other")), born=utc_now()) as desk:
        exporter = OTLPMetricExporter(f"{desk.url}/v1/metrics", headers={"Authorization": "Bearer word"})
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)
        provider = MeterProvider([reader], RESOURCE, shutdown_on_exit=False)
        record(provider, read=1, written=1)
        provider.shutdown()
        assert desk.flush(utc_now() + 2 * HOUR).complete_until is None
